"""ParlAI's poly-encoder: its figures, its tokens, its effects of padding."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from modelhub.errors import CheckpointError
from modelhub.parlai.config import ParlaiConfig
from modelhub.parlai.network import MaskedViews, ParlaiPolyEncoder
from modelhub.parlai.tokens import Dictionary, Merges, ParlaiTextEncoder

from .parlai_files import CONFIG, TOKENS, make_network, write_dictionary

SCRIPT = Path(__file__).resolve().parents[1] / "conformance" / "parlai_polyencoder.py"
VARIANTS = (
    "bst_codes4_xlm_mean",
    "nfirst4_xlm_first_s1",
    "codes4_aiayn_sin_max_scale",
    "codes4_prenorm_mean",
    "codes4_sqrt_multihead",
    "codes1_xlm_mean",
    "bst_fp16_trained_with_optimizer",
)
#: Right padding, none, left, inside, and nothing but padding.
CONTEXTS = torch.tensor(
    [[3, 4, 5, 6, 0, 0], [7, 8, 9, 3, 4, 5], [0, 0, 4, 5, 6, 7], [3, 0, 4, 0, 5, 0], [0] * 6]
)


# --- Against ParlAI itself ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def vectors(reference: Path) -> Path:
    folder = reference / "vectors" / "parlai_polyencoder" / "public"
    if not folder.is_dir():
        pytest.skip(f"no reference values in {folder}; set COLLOQUY_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("parlai_conformance", SCRIPT)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up.
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_gives_parlais_figures(script: ModuleType, vectors: Path, variant: str) -> None:
    tally = script.compare(vectors / variant)
    assert tally.cases >= 16 and not tally.wrong


def test_all_variants_are_looked_at(script: ModuleType, vectors: Path) -> None:
    assert script.variants(vectors) == list(VARIANTS)


@pytest.fixture
def altered(vectors: Path, tmp_path: Path):
    """``altered(change)``: a folder of one variant whose expectations were changed."""

    def make(change) -> Path:
        folder = tmp_path / "vectors" / "one"
        folder.mkdir(parents=True)
        for path in (vectors / VARIANTS[0]).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        expected = json.loads((folder / "expected.json").read_text())
        change(expected)
        (folder / "expected.json").write_text(json.dumps(expected))
        return folder

    return make


def change_score(expected: dict) -> None:
    expected["cases"][0]["scores"]["data"][0] += 3e-5


def change_shape(expected: dict) -> None:
    expected["cases"][0]["scores"]["shape"] = [3, 1]


def change_bank(expected: dict) -> None:
    expected["fixed"]["scores_single"][2]["data"][5] -= 3e-5


def change_padding(expected: dict) -> None:
    expected["pad_pair"]["padded_to_10_in_batch"]["data"][0] += 0.1


def change_tokens(expected: dict) -> None:
    expected["text_level"]["turns"][1]["text_vec"][3] += 1


def change_ranks(expected: dict) -> None:
    ranked = expected["text_level"]["turns"][0]["text_candidates"]
    ranked[3], ranked[4] = ranked[4], ranked[3]


def change_reply(expected: dict) -> None:
    turn = expected["text_level"]["turns"][0]
    turn["reply"] = turn["text_candidates"][1]


def add_a_candidate(expected: dict) -> None:
    turn = expected["text_level"]["turns"][1]
    turn["text_candidates"].append(expected["text_level"]["turns"][0]["reply"])


@pytest.mark.parametrize(
    "change",
    [
        change_score,
        change_shape,
        change_bank,
        change_padding,
        change_tokens,
        change_ranks,
        change_reply,
        add_a_candidate,
    ],
)
def test_a_wrong_figure_would_be_found(script: ModuleType, altered, change) -> None:
    assert len(script.compare(altered(change)).wrong) == 1


def test_the_script_prints_and_tells_by_its_status(altered) -> None:
    folder = altered(change_score)
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder.parent)], capture_output=True, text=True, timeout=120
    )
    lines = ended.stdout.splitlines()
    assert ended.returncode == 1 and not ended.stderr
    assert lines[0].startswith("one: 16 cases, 1 failures, worst 3.0")
    assert lines[-1].startswith("cases 16, failures 1, worst difference 3.0")


def test_the_script_says_what_it_needs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 2 and "a folder of variants" in ended.stderr


# --- The network --------------------------------------------------------------------------------------------------


def slow_attention(query, keys, values, mask, scale: float = 1.0):
    """One query's attention, written out."""
    logits = [float(query @ key) / scale if real else -1e20 for key, real in zip(keys, mask, strict=True)]
    weights = [math.exp(logit - max(logits)) for logit in logits]
    return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)


@pytest.mark.parametrize("kind", ["basic", "sqrt"])
@pytest.mark.parametrize("view_type", ["codes", "n_first"])
@pytest.mark.parametrize("keys", ["context", "position"])
def test_attention_is_as_written_out(kind: str, view_type: str, keys: str) -> None:
    config = replace(
        CONFIG, view_type=view_type, code_attention=kind, candidate_attention=kind, attention_keys=keys
    )
    network = make_network(config)
    mask, scale = CONTEXTS != 0, math.sqrt(config.width) if kind == "sqrt" else 1.0
    hidden, positions = network.encoder_ctxt(CONTEXTS, mask)
    by = hidden if keys == "context" else positions
    bank = torch.randn(3, config.width)
    found = network.score(network.encode_context(CONTEXTS, mask), bank)
    for row in range(len(CONTEXTS)):
        if view_type == "codes":
            values = [slow_attention(code, by[row], hidden[row], mask[row], scale) for code in network.codes]
            view_keys, real = values, [True] * 4
        else:
            values, view_keys, real = hidden[row, :4], by[row, :4], mask[row, :4]
        for place, candidate in enumerate(bank):
            expected = slow_attention(candidate, view_keys, values, real, scale) @ candidate
            assert found[row, place] == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


def test_heads_are_attention_of_their_parts() -> None:
    config = replace(CONFIG, candidate_attention="multihead", candidate_heads=2)
    network = make_network(config)
    views, bank = torch.randn(1, 4, 16), torch.randn(3, 16)
    attention = network.attention
    q, k, v = attention.q_lin(bank), attention.k_lin(views[0]), attention.v_lin(views[0])
    for place, candidate in enumerate(bank):
        heads = [
            slow_attention(q[place, part], k[:, part], v[:, part], [True] * 4, math.sqrt(8))
            for part in (slice(0, 8), slice(8, 16))
        ]
        expected = attention.out_lin(torch.cat(heads)) @ candidate
        assert network.score(views, bank)[0, place] == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


def test_a_context_that_is_too_short_is_filled_with_masked_views() -> None:
    network = make_network(replace(CONFIG, view_type="n_first", views=8))
    views = network.encode_context(CONTEXTS[:1], CONTEXTS[:1] != 0)
    assert isinstance(views, MaskedViews)
    assert views.values.shape == (1, 8, 16) and not views.values[0, 4:].any()
    assert views.mask.tolist() == [[True] * 4 + [False] * 4]


@pytest.mark.parametrize("candidate_attention", ["basic", "sqrt", "multihead"])
@pytest.mark.parametrize("view_type", ["codes", "n_first"])
def test_each_context_may_have_its_own_candidates(candidate_attention: str, view_type: str) -> None:
    network = make_network(
        replace(CONFIG, candidate_attention=candidate_attention, candidate_heads=2, view_type=view_type)
    )
    views = network.encode_context(CONTEXTS, CONTEXTS != 0)
    bank = torch.randn(3, 16)
    shared = network.score(views, bank)
    assert torch.allclose(network.score(views, bank.expand(len(CONTEXTS), 3, 16)), shared, atol=1e-5)


@pytest.mark.parametrize("variant", ["xlm", "aiayn", "prelayernorm"])
@pytest.mark.parametrize("reduction", ["mean", "max", "first"])
def test_padding_matters_where_the_configuration_says_so(variant: str, reduction: str) -> None:
    config = replace(CONFIG, variant=variant, candidate_reduction=reduction)
    network = make_network(config)
    alone, padded = torch.tensor([[1, 5, 6, 1]]), torch.tensor([[1, 5, 6, 1, 0, 0, 0]])
    same = torch.allclose(
        network.encode_candidates(alone, alone != 0),
        network.encode_candidates(padded, padded != 0),
        atol=1e-6,
    )
    assert same is not config.padding_matters


def test_contexts_padded_together_are_seen_as_alone() -> None:
    network = make_network(CONFIG)
    together = network.encode_context(CONTEXTS, CONTEXTS != 0)
    alone = network.encode_context(CONTEXTS[:1, :4], CONTEXTS[:1, :4] != 0)
    assert torch.allclose(together[:1], alone, atol=1e-6)


def test_a_shared_encoder_encodes_candidates() -> None:
    network = make_network(replace(CONFIG, shared_encoder=True))
    assert not any(name.startswith("encoder_cand") for name in network.state_dict())
    tokens = torch.tensor([[1, 5, 6, 1]])
    hidden, _ = network.encoder_ctxt(tokens, tokens != 0)
    assert torch.allclose(network.encode_candidates(tokens, tokens != 0), hidden.mean(1), atol=1e-6)


def test_half_precision_comes_close() -> None:
    network = make_network(CONFIG)
    tokens, mask = CONTEXTS[:4], CONTEXTS[:4] != 0
    expected = network.encode_context(tokens, mask)
    network.encoder_ctxt.to(torch.bfloat16)
    found = network.encode_context(tokens, mask)
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found.flatten(1), expected.flatten(1)).min() > 0.99


# --- The configuration --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variant": "bart"}, "variant is 'bart'; known are xlm, aiayn, prelayernorm"),
        ({"candidate_reduction": "none"}, "candidate_reduction is 'none'"),
        ({"heads": 3}, "heads is 3, which does not divide the width of 16"),
        ({"code_attention": "multihead", "code_heads": 5}, "code_heads is 5"),
        ({"views": 0}, "views is 0"),
        ({"layers": "two"}, "layers is 'two'; int is needed"),
        ({"lower": 1}, "lower is 1; bool is needed"),
        ({"layers": True}, "layers is True; int is needed"),
        ({"layers": 10**9}, "layers is 1000000000; up to 256"),
        ({"text_truncate": 0}, "text_truncate is 0; one token must be left"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        replace(CONFIG, **changes)


# --- Tokens -------------------------------------------------------------------------------------------------------


@pytest.fixture
def dictionary(tmp_path: Path) -> Dictionary:
    return make_dictionary(tmp_path, CONFIG)


def make_dictionary(folder: Path, config: ParlaiConfig, **given) -> Dictionary:
    write_dictionary(folder, **{name: value for name, value in given.items() if name != "padded"})
    paths = (folder / "model.dict", folder / "model.dict.codecs")
    return Dictionary.of(config, *paths, padded=given.get("padded", False))


@pytest.mark.parametrize(
    ("merges", "word", "pieces"),
    [
        (["a a", "a b</w>"], "aab", ["aa@@", "b"]),
        (["a b</w>", "a a"], "aab", ["a@@", "ab"]),
        # Wherever the pair stands, from left to right.
        (["a a"], "aaaaa", ["aa@@", "aa@@", "a"]),
        (["a a", "aa aa"], "aaaac", ["aaaa@@", "c"]),
        # At the end of a word a piece is another one than inside.
        (["a b</w>"], "abb", ["a@@", "b@@", "b"]),
        (["a b"], "abab", ["ab@@", "a@@", "b"]),
        # Of a pair that stands twice in the file, the first counts.
        (["b c", "a b", "b c"], "abcd", ["a@@", "bc@@", "d"]),
        ([], "b", ["b"]),
        ([], "日本", ["日@@", "本"]),
    ],
)
def test_pairs_are_joined_in_the_order_in_which_they_were_learned(
    tmp_path: Path, merges: list[str], word: str, pieces: list[str]
) -> None:
    write_dictionary(tmp_path, merges=merges)
    assert list(Merges(tmp_path / "model.dict.codecs").pieces(word)) == pieces


def test_codecs_of_the_first_version_end_words_apart(tmp_path: Path) -> None:
    (tmp_path / "codecs").write_text("b </w>\na b</w>\n")
    merges = Merges(tmp_path / "codecs")
    assert merges.pieces("ab") == ("ab",) and merges.pieces("ac") == ("a@@", "c")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The RIVER?!", ["the", "river", "?", "!"]),
        ("i  like\tfish.", ["i", "like", "fish", "."]),
        ("boat\nthe", ["boat", "__newln__", "the"]),
        ("obey", ["o@@", "b@@", "e@@", "__unk__"]),
        ("zebra", ["__unk__", "e@@", "b@@", "__unk__", "a"]),
        ("", []),
    ],
)
def test_text_is_lower_cased_and_cut_into_words_marks_and_pieces(
    dictionary: Dictionary, text: str, tokens: list[str]
) -> None:
    assert [TOKENS[place] for place in dictionary.encode(text)] == tokens


def test_case_is_kept_where_the_model_keeps_it(tmp_path: Path) -> None:
    dictionary = make_dictionary(tmp_path, replace(CONFIG, lower=False))
    assert dictionary.encode("the The") != dictionary.encode("the the")


def test_a_context_is_cut_at_its_beginning_and_then_gets_start_and_end(dictionary: Dictionary) -> None:
    text_encoder = ParlaiTextEncoder(CONFIG, dictionary)
    tokens, mask = text_encoder.contexts([["the " * 30, "i like fish"], ["you"]])
    assert tokens.shape == (2, CONFIG.text_truncate + 2)
    assert tokens[0, 0] == tokens[0, -1] == 1 and mask[0].all()
    assert [TOKENS[place] for place in tokens[0, -4:-1]] == ["i", "like", "fish"]
    assert tokens[1].tolist() == [1, TOKENS.index("you"), 1, *[0] * 19] and mask[1].sum() == 3


def test_a_candidate_gets_start_and_end_and_may_lose_its_end(dictionary: Dictionary) -> None:
    text_encoder = ParlaiTextEncoder(CONFIG, dictionary)
    tokens, mask = text_encoder.candidates(["the " * 30, "you"])
    assert tokens[0].tolist() == [1, *[TOKENS.index("the")] * 7]
    assert tokens[1].tolist() == [1, TOKENS.index("you"), 1, *[0] * 5]
    assert text_encoder.lengths(["the " * 30, "you"]) == mask.sum(1).tolist() == [8, 3]


def test_candidates_may_be_padded_to_a_width(dictionary: Dictionary) -> None:
    text_encoder = ParlaiTextEncoder(CONFIG, dictionary, candidate_width=6)
    assert text_encoder.candidates(["you"])[0].shape == (1, 6) and text_encoder.lengths(["you"]) == [6]


def test_nothing_said_is_start_and_end(dictionary: Dictionary) -> None:
    assert ParlaiTextEncoder(CONFIG, dictionary).contexts([[]])[0].tolist() == [[1, 1]]


def test_special_tokens_come_first_whatever_the_file_says(tmp_path: Path) -> None:
    dictionary = make_dictionary(tmp_path, CONFIG, tokens=["river", "__UNK__", "__NULL__", "a\\nb"])
    assert [dictionary[token] for token in ("__null__", "__start__", "__unk__", "river", "a\nb")] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert dictionary.size == 5


def test_a_padded_dictionary_is_a_multiple_of_eight(tmp_path: Path) -> None:
    assert make_dictionary(tmp_path, CONFIG, padded=True).size == 24
    assert make_dictionary(tmp_path, CONFIG, tokens=TOKENS[:16], padded=True).size == 16


@pytest.mark.parametrize("line", ["a", "a b c", ""])
def test_a_broken_line_of_codecs_is_named(tmp_path: Path, line: str) -> None:
    write_dictionary(tmp_path, merges=["a b", line, "b c"])
    with pytest.raises(CheckpointError, match=r"model\.dict\.codecs, line 3: .* is no pair of pieces"):
        Merges(tmp_path / "model.dict.codecs")


def test_the_network_has_parlais_names() -> None:
    names = set(ParlaiPolyEncoder(CONFIG).state_dict())
    assert {
        "codes",
        "encoder_ctxt.layers.0.attention.q_lin.weight",
        "encoder_cand.norm_embeddings.bias",
    } <= names
