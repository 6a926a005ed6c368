"""Scores: what must not change them, and what they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from modelhub.errors import CheckpointError
from modelhub.polyencoder import checkpoints
from modelhub.polyencoder.config import PolyEncoderConfig
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder

from .conftest import CONFIG, TEXTS

CONTEXTS = [["hello", "i like the sea"], ["your persona: i like dogs", "do you like cats, or is it dogs?"]]


@pytest.fixture
def views(trained: PolyEncoder, text_encoder: TextEncoder) -> torch.Tensor:
    return trained.encode_context(*text_encoder.contexts(CONTEXTS))


@pytest.fixture
def candidates(trained: PolyEncoder, text_encoder: TextEncoder) -> torch.Tensor:
    return trained.encode_candidates(*text_encoder.candidates(TEXTS))


def test_shapes_are_as_documented(views, candidates, trained) -> None:
    assert views.shape == (2, 4, 32)
    assert candidates.shape == (6, 32)
    assert trained.score(views, candidates).shape == (2, 6)


def test_the_score_is_the_attended_context_times_the_candidate(views, candidates, trained) -> None:
    """The slow way of Humeau et al. 2020, equation by equation."""
    slow = torch.empty(2, 6)
    for b in range(2):
        for c in range(6):
            weights = torch.stack([views[b, m] @ candidates[c] for m in range(4)]).softmax(0)
            attended = sum(weights[m] * views[b, m] for m in range(4))
            slow[b, c] = attended @ candidates[c]
    assert torch.allclose(trained.score(views, candidates), slow, atol=1e-4)


def test_padding_never_changes_a_score(trained, text_encoder, candidates) -> None:
    together = trained.score(trained.encode_context(*text_encoder.contexts(CONTEXTS)), candidates)
    alone = [
        trained.score(trained.encode_context(*text_encoder.context(lines)), candidates) for lines in CONTEXTS
    ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-4)


def test_padding_never_changes_a_candidate(trained, text_encoder, candidates) -> None:
    alone = [trained.encode_candidates(*text_encoder.candidates([text])) for text in TEXTS]
    assert torch.allclose(candidates, torch.cat(alone), atol=1e-5)


def test_reordered_candidates_reorder_the_scores(trained, views, candidates) -> None:
    order = torch.tensor([5, 0, 3, 1, 4, 2])
    assert torch.allclose(
        trained.score(views, candidates[order]), trained.score(views, candidates)[:, order], atol=1e-5
    )


def test_own_candidates_of_each_context_score_as_a_shared_bank(trained, views, candidates) -> None:
    own = torch.stack([candidates, candidates.flip(0)])
    shared = trained.score(views, candidates)
    assert torch.allclose(trained.score(views, own), torch.stack([shared[0], shared[1].flip(0)]), atol=1e-5)


def test_untrained_views_are_mean_pooled_output(tiny_base: Path, text_encoder) -> None:
    network = checkpoints.fresh(CONFIG, tiny_base).eval()
    tokens, mask = text_encoder.contexts(CONTEXTS)
    mean = network.encode_candidates(tokens, mask)[:, None]
    similar = torch.cosine_similarity(network.encode_context(tokens, mask), mean, dim=-1)
    assert similar.min() > 0.98


def test_untrained_codes_differ_so_that_they_can_learn_different_things(tiny_base: Path) -> None:
    codes = checkpoints.fresh(CONFIG, tiny_base).codes
    assert len(codes.unique(dim=0)) == CONFIG.codes


def test_separate_encoders_do_not_share_tensors(tiny_base: Path) -> None:
    network = checkpoints.fresh(PolyEncoderConfig(4, 48, 16, shared_encoder=False), tiny_base)
    ours, theirs = network.encoder.embeddings, network.candidate_encoder.embeddings
    assert ours.word_embeddings.weight.data_ptr() != theirs.word_embeddings.weight.data_ptr()


def test_output_scaling_scales_both_sides(tiny_base: Path, text_encoder) -> None:
    plain = checkpoints.fresh(CONFIG, tiny_base).eval()
    half = checkpoints.fresh(PolyEncoderConfig(4, 48, 16, output_scaling=0.5), tiny_base).eval()
    tokens = text_encoder.candidates(TEXTS)
    assert torch.allclose(half.encode_candidates(*tokens), plain.encode_candidates(*tokens) / 2, atol=1e-5)


def test_a_tiny_batch_is_overfitted(tiny_base: Path, text_encoder) -> None:
    torch.manual_seed(0)
    # In evaluation mode: dropout is noise to a network this small.
    network = checkpoints.fresh(PolyEncoderConfig(4, 48, 16, output_scaling=0.2), tiny_base).eval()
    contexts = text_encoder.contexts([["a b"], ["c d"], ["e f"], ["g h"]])
    labels = text_encoder.candidates(TEXTS[:4])
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(40):
        scores = network.score(network.encode_context(*contexts), network.encode_candidates(*labels))
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(4))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scores = network.score(network.encode_context(*contexts), network.encode_candidates(*labels))
    assert scores.argmax(1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "wrong", [{"codes": 0}, {"text_truncate": 2}, {"label_truncate": 1}, {"output_scaling": 0}]
)
def test_nonsense_is_refused_by_name(wrong: dict) -> None:
    with pytest.raises(CheckpointError, match=next(iter(wrong))):
        PolyEncoderConfig(**wrong)


def test_a_context_longer_than_the_encoder_reads_is_refused(tiny_base: Path) -> None:
    with pytest.raises(CheckpointError, match=r"65 tokens configured, but .* reads 64"):
        checkpoints.fresh(PolyEncoderConfig(text_truncate=65, label_truncate=16), tiny_base)
