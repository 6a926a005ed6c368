"""Imported networks arranged for speed: the same figures, and the faster scorer only where it computes the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from modelhub.agents.retrieval import RetrievalAgent
from modelhub.errors import AgentFailed
from modelhub.parlai import importing, storage
from modelhub.parlai.config import ParlaiConfig
from modelhub.parlai.network import MaskedViews, PackedEncoder, ParlaiPolyEncoder
from modelhub.polyencoder import bank, scoring
from modelhub.polyencoder.bank import Bank
from modelhub.polyencoder.packed import fast
from modelhub.polyencoder.scoring import OwnScores, Scorer, search_of

from .conftest import talk
from .parlai_files import CONFIG, make_network, write_model

#: Right padding, none, left, inside, and nothing but padding.
CONTEXTS = torch.tensor(
    [[3, 4, 5, 6, 0, 0], [7, 8, 9, 3, 4, 5], [0, 0, 4, 5, 6, 7], [3, 0, 4, 0, 5, 0], [0] * 6]
)
#: Of a score that is the paper's, and of ones that are not.
PLAIN = [CONFIG, replace(CONFIG, code_attention="sqrt"), replace(CONFIG, code_attention="multihead")]
OTHER = [
    replace(CONFIG, candidate_attention="sqrt"),
    replace(CONFIG, candidate_attention="multihead"),
    replace(CONFIG, view_type="n_first"),
]


def values(views: Tensor | MaskedViews) -> Tensor:
    return views.values if isinstance(views, MaskedViews) else views


def assert_close(found: Tensor, expected: Tensor) -> None:
    """As close as imported networks are to ParlAI."""
    assert ((found - expected).abs() <= 1e-5 + 1e-4 * expected.abs()).all()


@pytest.mark.parametrize("variant", ["xlm", "aiayn", "prelayernorm"])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("reduction", ["mean", "max", "first"])
@pytest.mark.parametrize("keys", ["context", "position"])
def test_packed_in_float32_nothing_changes(variant: str, activation: str, reduction: str, keys: str) -> None:
    config = replace(
        CONFIG,
        variant=variant,
        activation=activation,
        candidate_reduction=reduction,
        attention_keys=keys,
        layers=2,
        output_scaling=0.3,
    )
    network, mask = make_network(config), CONTEXTS != 0
    made = fast(network, torch.float32)
    assert isinstance(made.encoder_ctxt, PackedEncoder) == (variant != "prelayernorm")
    assert_close(values(made.encode_context(CONTEXTS, mask)), values(network.encode_context(CONTEXTS, mask)))
    assert_close(made.encode_candidates(CONTEXTS, mask), network.encode_candidates(CONTEXTS, mask))


def test_a_shared_encoder_is_packed() -> None:
    network = make_network(replace(CONFIG, shared_encoder=True))
    made = fast(network, torch.float32)
    assert made.encoder_cand is None and made.device == network.device
    assert_close(
        made.encode_candidates(CONTEXTS[:4], CONTEXTS[:4] != 0),
        network.encode_candidates(CONTEXTS[:4], CONTEXTS[:4] != 0),
    )


def test_packed_in_bfloat16_views_keep_their_direction() -> None:
    network = make_network(CONFIG)
    tokens, mask = CONTEXTS[:4], CONTEXTS[:4] != 0
    found, expected = (each.encode_context(tokens, mask) for each in (fast(network, torch.bfloat16), network))
    assert isinstance(found, Tensor) and found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected, dim=-1).min() > 0.999


def random_bank(count: int = 300) -> Bank:
    rows = torch.randn(count, CONFIG.width, generator=torch.Generator().manual_seed(1)).half()
    return Bank(tuple(f"number {n}" for n in range(count)), ("",) * count, rows)


def encoded(network: ParlaiPolyEncoder) -> Tensor | MaskedViews:
    return network.encode_context(CONTEXTS[:4], CONTEXTS[:4] != 0)


@pytest.mark.parametrize("config", PLAIN)
def test_the_papers_score_is_searched_by_the_fast_way(config: ParlaiConfig) -> None:
    network, given = make_network(config), random_bank()
    search = search_of(network, given)
    assert isinstance(search, Scorer)
    scores = network.score(encoded(network), given.embeddings.float())
    found, places = search.top(encoded(network), 5)
    assert places.equal(scores.argsort(dim=1, descending=True, stable=True)[:, :5])
    assert torch.allclose(found.float(), scores.gather(1, places), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", OTHER)
@pytest.mark.parametrize("chunk", [8192, 7])
def test_another_score_is_the_networks_own(config: ParlaiConfig, chunk: int, monkeypatch) -> None:
    monkeypatch.setattr(scoring, "CHUNK", chunk)
    network, given = make_network(config), random_bank()
    search = search_of(network, given)
    assert isinstance(search, OwnScores)
    scores = network.score(encoded(network), given.embeddings.float())
    scores[0, :3] = scores[2, 250] = -torch.inf
    found, places = search.top(encoded(network), 5, [[0, 1, 2], [], [250], []])
    assert places.equal(scores.argsort(dim=1, descending=True, stable=True)[:, :5])
    assert torch.allclose(found, scores.gather(1, places), rtol=1e-5)


def test_where_too_few_are_left_the_rest_of_own_scores_is_empty() -> None:
    network = make_network(OTHER[0])
    search = OwnScores(network, random_bank(3))
    found, places = search.top(encoded(network), 5, [[0, 1, 2], [1], [], []])
    assert places[0].tolist() == [-1] * 5 and (places[1] >= 0).sum() == 2 and (places[2] >= 0).sum() == 3
    assert (found[places < 0] == -torch.inf).all()


def test_own_scores_that_are_no_numbers_are_refused() -> None:
    network = make_network(OTHER[0])
    with torch.no_grad():
        network.codes.fill_(torch.nan)
    with pytest.raises(AgentFailed, match="scores are no numbers"):
        OwnScores(network, random_bank()).top(encoded(network), 1)


@pytest.mark.parametrize("attention", ["basic", "sqrt"])
def test_an_imported_model_answers_packed_as_unpacked(tmp_path: Path, attention: str) -> None:
    config = replace(CONFIG, candidate_attention=attention)
    source = write_model(tmp_path / "parlai", config, poly_attention_type=attention)
    folder = importing.convert(source, tmp_path / "out", None, lambda *_: None)
    network, text_encoder = storage.load(folder)
    agents = [
        RetrievalAgent(each, text_encoder, bank.load(folder))
        for each in (network, fast(network, torch.float32))
    ]
    asked = [talk("do you like fish ?"), talk("the river", "the water ?", "i like the boat !")]
    first, second = (agent.reply(asked) for agent in agents)
    assert [reply.text for reply in first] == [reply.text for reply in second]
