"""Scores of given candidates: each text encoded once and unpadded, and the same for any batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from modelhub.parlai.tokens import Dictionary, ParlaiTextEncoder
from modelhub.polyencoder import given
from modelhub.polyencoder.given import score_given
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder

from .parlai_files import CONFIG, make_network, write_dictionary

CONTEXTS = [
    ["your persona: i like the sea.", "hello there"],
    ["hello there"],
    ["your persona: i like the sea.", "hello there"],
    ["a longer thing that somebody said, about dogs and cats and the deep sea"],
]
CANDIDATES = [
    ["i like cats", "i like dogs", "the sea is deep"],
    ["that must hurt", "i like cats"],
    ["the sea is deep"],
    ["oh no! what happened?", "I LIKE CATS", "good for you", "i like cats"],
]


class Watched(torch.nn.Module):
    """A poly-encoder that counts the rows it encodes, and refuses padding."""

    def __init__(self, network: PolyEncoder) -> None:
        super().__init__()
        self.network = network
        self.seen: Counter[str] = Counter()
        self.width, self.device = network.width, network.device

    def encode_context(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self._encode("contexts", self.network.encode_context, tokens, mask)

    def encode_candidates(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self._encode("candidates", self.network.encode_candidates, tokens, mask)

    def score(self, views: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        return self.network.score(views, candidates)

    def _encode(self, kind: str, encode, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        assert mask.all()
        self.seen[kind] += len(tokens)
        return encode(tokens, mask)


@torch.inference_mode()
def plainly(network: PolyEncoder, texts: TextEncoder) -> list[list[float]]:
    """One context and its candidates at a time, padded as they come."""
    return [
        network.score(
            network.encode_context(*texts.context(lines)),
            network.encode_candidates(*texts.candidates(listed)),
        )[0].tolist()
        for lines, listed in zip(CONTEXTS, CANDIDATES, strict=True)
    ]


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_scores_are_the_networks_own(trained: PolyEncoder, text_encoder: TextEncoder, batch: int) -> None:
    found = score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=batch)
    for row, expected in zip(found, plainly(trained, text_encoder), strict=True):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_every_distinct_text_is_encoded_once(trained: PolyEncoder, text_encoder: TextEncoder) -> None:
    watched = Watched(trained)
    score_given(watched, text_encoder, CONTEXTS, CANDIDATES, batch=64)
    # "I LIKE CATS" has the tokens of "i like cats": six candidates remain of ten, three contexts of four.
    assert watched.seen == {"contexts": 3, "candidates": 6}


def test_texts_of_the_same_tokens_score_equally_to_the_last_bit(
    trained: PolyEncoder, text_encoder: TextEncoder
) -> None:
    row = score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=64)[3]
    assert row[1] == row[3]


def test_scores_are_parted_to_bound_memory(trained, text_encoder, monkeypatch) -> None:
    whole = score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=64)
    monkeypatch.setattr(given, "SCORED_AT_ONCE", 1)
    parted = score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=64)
    assert [pytest.approx(row, rel=1e-5) for row in whole] == parted


def test_large_embeddings_lie_in_a_file(trained, text_encoder, monkeypatch) -> None:
    in_memory = score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=64)
    monkeypatch.setattr(given, "IN_MEMORY_BYTES", 0)
    assert score_given(trained, text_encoder, CONTEXTS, CANDIDATES, batch=64) == in_memory


def test_progress_reaches_the_end(trained: PolyEncoder, text_encoder: TextEncoder) -> None:
    told: list[tuple[str, int, int]] = []
    score_given(
        trained, text_encoder, CONTEXTS, CANDIDATES, batch=1, progress=lambda *each: told.append(each)
    )
    assert ("candidates", 6, 6) in told
    assert told[-1] == ("examples", 4, 4)


def test_nothing_asked_is_nothing_scored(trained: PolyEncoder, text_encoder: TextEncoder) -> None:
    assert score_given(trained, text_encoder, [], [], batch=64) == []


# --- Networks from ParlAI -----------------------------------------------------------------------------------------


@pytest.fixture
def parlai_texts(tmp_path: Path) -> ParlaiTextEncoder:
    write_dictionary(tmp_path)
    dictionary = Dictionary.of(CONFIG, tmp_path / "model.dict", tmp_path / "model.dict.codecs", padded=False)
    return ParlaiTextEncoder(CONFIG, dictionary)


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("view_type", ["codes", "n_first"])
@pytest.mark.parametrize("reduction", ["mean", "max"])
def test_imported_networks_score_as_each_text_alone_does(
    parlai_texts: ParlaiTextEncoder, view_type: str, reduction: str, batch: int
) -> None:
    network = make_network(replace(CONFIG, view_type=view_type, candidate_reduction=reduction))
    contexts = [
        ["i like the river"],
        ["the boat", "you like fish ?"],
        ["i like the river"],
        ["i like the boat"],
    ]
    listed = [["the river", "fish"], ["i like the boat !"], ["water", "the river", "you like fish ."], ["a"]]
    found = score_given(network, parlai_texts, contexts, listed, batch=batch)
    for row, lines, candidates in zip(found, contexts, listed, strict=True):
        views = network.encode_context(*parlai_texts.contexts([lines]))
        alone = [network.encode_candidates(*parlai_texts.candidates([text])) for text in candidates]
        expected = [float(network.score(views, each)) for each in alone]
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-5)
