"""The encoder that answers gives what the one that was trained gives."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from django.conf import settings
from torch import Tensor
from transformers import BertConfig, BertModel

from modelhub.datasets import layout
from modelhub.datasets.episodes import examples_of
from modelhub.dialogue import Skill
from modelhub.polyencoder import bank, base, checkpoints, packed, precision
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.packed import PackedBert, fast
from modelhub.polyencoder.scoring import Scorer
from modelhub.polyencoder.tokens import TextEncoder, context_lines
from modelhub.starter.install import WEIGHTS

from .conftest import CONFIG

LINES = [["i like cats", "me too!"], ["hm"], ["the sea is deep " * 9], [""]]


@pytest.fixture(params=["packed", "plain"])
def products(request, monkeypatch) -> None:
    """With packed products, and as on a build of torch that has none."""
    if request.param == "plain":
        monkeypatch.setattr(packed, "can_pack", lambda dtype: False)


def outputs(network: PolyEncoder, text_encoder: TextEncoder) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return (
            network.encode_context(*text_encoder.contexts(LINES)),
            network.encode_candidates(*text_encoder.candidates([lines[0] for lines in LINES])),
        )


@pytest.mark.usefixtures("products")
def test_in_float32_nothing_changes(trained: PolyEncoder, text_encoder) -> None:
    for found, expected in zip(
        outputs(fast(trained, torch.float32), text_encoder), outputs(trained, text_encoder), strict=True
    ):
        assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.usefixtures("products")
def test_padding_changes_nothing_and_is_zero(trained: PolyEncoder, text_encoder) -> None:
    encoder = fast(trained, torch.float32).encoder
    tokens, mask = text_encoder.contexts(LINES)
    hidden = encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
    assert (hidden[~mask] == 0).all()
    for row, lines in enumerate(LINES):
        own_tokens, own_mask = text_encoder.context(lines)
        alone = encoder(input_ids=own_tokens, attention_mask=own_mask).last_hidden_state[0]
        assert torch.allclose(hidden[row][mask[row]], alone, atol=1e-5)


def test_a_shipped_model_keeps_its_direction_in_bfloat16() -> None:
    """Processors add up in their own order: .9999 on one with matrix units, .9998 on one without."""
    folder = Path(settings.BASE_ENCODER)
    network = checkpoints.load(WEIGHTS / "bst", folder)
    text_encoder = TextEncoder(folder, network.config)
    for found, expected in zip(
        outputs(fast(network, torch.bfloat16), text_encoder), outputs(network, text_encoder), strict=True
    ):
        assert torch.cosine_similarity(found, expected, dim=-1).min() > 0.9995


def test_a_shipped_model_answers_in_bfloat16_as_well_as_in_float32() -> None:
    """Its reply is among the best by the scores of float32: rounding decides between near equals only."""
    folder = Path(settings.BASE_ENCODER)
    network, given = checkpoints.load(WEIGHTS / "ed", folder), bank.load(WEIGHTS / "ed")
    text_encoder = TextEncoder(folder, network.config)
    asked = [example.dialogue for example in examples_of(layout.read(Skill.ED, "valid"))[:40]]
    lines = [context_lines(dialogue) for dialogue in asked]
    with torch.inference_mode():
        exact, quick = (
            each.encode_context(*text_encoder.contexts(lines))
            for each in (network, fast(network, torch.bfloat16))
        )
    best = Scorer(given.embeddings).top(exact, 3)[1]
    chosen = Scorer(given.embeddings).top(quick, 1)[1]
    assert (chosen == best).any(1).all()
    assert (chosen[:, 0] == best[:, 0]).float().mean() >= 0.9


def test_the_given_network_stays_as_it_is(trained: PolyEncoder, text_encoder) -> None:
    made = fast(trained)
    assert isinstance(made.encoder, PackedBert) and isinstance(trained.encoder, BertModel)
    loss = trained.train().encode_context(*text_encoder.contexts(LINES)).sum()
    loss.backward()
    assert trained.encoder.encoder.layer[0].output.dense.weight.grad is not None


def test_both_encoders_are_packed(tiny_base, text_encoder) -> None:
    network = checkpoints.fresh(replace(CONFIG, shared_encoder=False), tiny_base).eval()
    with torch.no_grad():
        network.own_candidate_encoder.encoder.layer[0].output.dense.weight.add_(0.1)
    made = fast(network, torch.float32)
    assert isinstance(made.candidate_encoder, PackedBert) and made.candidate_encoder is not made.encoder
    for found, expected in zip(outputs(made, text_encoder), outputs(network, text_encoder), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


def test_a_manager_is_packed(make_manager, tiny_base, text_encoder) -> None:
    manager = checkpoints.load_manager(make_manager("ed"), tiny_base)
    made, tokens = fast(manager, torch.float32), text_encoder.contexts(LINES)
    assert isinstance(made.encoder, PackedBert)
    assert torch.allclose(made(*tokens), manager(*tokens), atol=1e-4)


def test_a_network_in_training_is_refused(trained: PolyEncoder) -> None:
    with pytest.raises(ValueError, match=r"network\.eval\(\) first"):
        fast(trained.train())


def test_layers_of_the_base_are_packed_once(make_model, tiny_base) -> None:
    one, two = (checkpoints.load(make_model(f"m{seed}", seed), tiny_base, share=True) for seed in (2, 3))
    first, second = fast(one, torch.float32).encoder, fast(two, torch.float32).encoder
    assert first.layers.packed[0] is second.layers.packed[0]
    assert first.layers.packed[1] is not second.layers.packed[1]
    assert fast(one, torch.bfloat16).encoder.layers.packed[0] is not first.layers.packed[0]


def test_packed_layers_that_nothing_uses_are_forgotten(make_model, tiny_base) -> None:
    before = len(packed._shared)
    made = fast(checkpoints.load(make_model(), tiny_base, share=True))
    assert len(packed._shared) > before
    del made
    gc.collect()
    assert len(packed._shared) == before


def test_a_copy_of_the_base_is_not_taken_for_the_base(tiny_base) -> None:
    network = checkpoints.fresh(CONFIG, tiny_base)
    shared = base.state(tiny_base)["encoder.layer.0.output.dense.weight"]
    assert base.is_shared(shared)
    assert not base.is_shared(network.encoder.encoder.layer[0].output.dense.weight)


def test_an_encoder_of_another_kind_is_used_as_it_is(trained: PolyEncoder) -> None:
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=64,
        vocab_size=300,
        hidden_act="gelu_new",
    )
    trained.encoder = BertModel(config).eval()
    assert fast(trained).encoder is trained.encoder


@pytest.mark.parametrize(
    ("flags", "found"), [({"avx2": True}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)]
)
def test_a_cpus_flags_decide_what_is_fast(monkeypatch, flags: dict[str, bool], found: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    assert precision.has_fast_bfloat16(torch.device("cpu")) is found


@pytest.mark.parametrize(
    ("given", "expected"),
    [("auto", torch.bfloat16), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_the_setting_decides_over_the_processor(monkeypatch, settings, given: str, expected) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    settings.SERVING_PRECISION = given
    assert precision.serving_precision(torch.device("cpu")) is expected


def test_serving_follows_the_setting(trained: PolyEncoder, text_encoder, settings) -> None:
    settings.SERVING_PRECISION = "float32"
    exact = outputs(fast(trained), text_encoder)
    settings.SERVING_PRECISION = "bfloat16"
    assert not outputs(fast(trained), text_encoder)[0].equal(exact[0])
    assert torch.allclose(exact[0], outputs(trained, text_encoder)[0], atol=1e-5)


def test_what_is_packed_is_not_packed_again(trained: PolyEncoder) -> None:
    made = fast(trained)
    assert fast(made).encoder is made.encoder


def test_batches_of_all_sizes_are_products_of_few_shapes() -> None:
    counts = [packed._common(tokens) for tokens in range(1, 4097)]
    assert all(tokens <= count <= max(8, tokens * 1.15) + 7 for tokens, count in enumerate(counts, start=1))
    assert len(set(counts)) < 80
