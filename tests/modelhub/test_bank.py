"""The candidates: embedded as one by one, kept with what they were made from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from modelhub.errors import CheckpointError, StaleBank
from modelhub.polyencoder import bank, checkpoints
from modelhub.polyencoder.network import PolyEncoder

from .conftest import SOURCES, TEXTS


def test_a_cached_bank_equals_a_fresh_one(make_model, tiny_base, text_encoder) -> None:
    folder = make_model()
    cached = bank.load(folder)
    fresh = bank.embed(checkpoints.load(folder, tiny_base), text_encoder, TEXTS, SOURCES)
    assert (cached.texts, cached.sources) == (fresh.texts, fresh.sources) == (TEXTS, SOURCES)
    assert cached.embeddings.equal(fresh.embeddings)


def test_the_same_bank_is_the_same_bytes(make_model) -> None:
    saved = [(make_model(f"model-{n}") / "bank.safetensors").read_bytes() for n in range(4)]
    assert len(set(saved)) == 1


def test_embedding_in_batches_equals_one_by_one(trained: PolyEncoder, text_encoder, monkeypatch) -> None:
    texts = ["a b c", "a b", "a", "a b c d e f", *TEXTS]
    monkeypatch.setattr(bank, "BATCH_TOKENS", 20)
    found = bank.embed(trained, text_encoder, texts, ["ed"] * len(texts)).embeddings
    alone = torch.cat([trained.encode_candidates(*text_encoder.candidates([text])) for text in texts])
    assert torch.cosine_similarity(found.float(), alone).min() > 0.9999
    assert torch.allclose(found.float(), alone, atol=0.02)


def test_progress_counts_to_the_end(trained: PolyEncoder, text_encoder, monkeypatch) -> None:
    monkeypatch.setattr(bank, "BATCH_TOKENS", 20)
    steps: list[tuple[int, int]] = []
    bank.embed(trained, text_encoder, TEXTS, SOURCES, lambda done, all_: steps.append((done, all_)))
    assert len(steps) > 1 and steps[-1] == (6, 6)


def test_embedding_with_dropout_is_refused(trained: PolyEncoder, text_encoder) -> None:
    with pytest.raises(ValueError, match="eval"):
        bank.embed(trained.train(), text_encoder, TEXTS, SOURCES)


def test_a_bank_of_other_weights_is_stale(make_model) -> None:
    folder, other = make_model("one", seed=2), make_model("two", seed=3)
    (other / "weights.safetensors").replace(folder / "weights.safetensors")
    with pytest.raises(StaleBank, match=r"embedded by other weights.*; embed the bank again"):
        bank.load(folder)


def test_a_bank_of_edited_texts_is_stale(make_model) -> None:
    path: Path = make_model() / "bank.jsonl"
    path.write_text(path.read_text().replace("cats", "owls"))
    with pytest.raises(StaleBank, match=r"from other texts than bank\.jsonl"):
        bank.load(path.parent)


@pytest.mark.parametrize(
    "line", ["{", '{"id": 7, "text": "a", "source": "ed"}', '{"id": 0, "text": 5, "source": "ed"}']
)
def test_a_broken_line_is_named(make_model, line: str) -> None:
    path: Path = make_model() / "bank.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(CheckpointError, match=r"bank\.jsonl, line 1: "):
        bank.load(path.parent)


def test_texts_with_unusual_line_ends_survive(make_model) -> None:
    texts = ("one\u2028two", "three\x85four", "five\nsix")
    assert bank.load(make_model(texts=texts)).texts == texts


def test_other_tensors_are_no_bank(make_model) -> None:
    folder = make_model()
    save_file({"surprise": torch.zeros(1)}, folder / "bank.safetensors")
    with pytest.raises(CheckpointError, match=r"bank\.safetensors: one tensor `embeddings`"):
        bank.load(folder)


def test_missing_texts_are_named(make_model) -> None:
    folder = make_model()
    (folder / "bank.jsonl").unlink()
    with pytest.raises(CheckpointError, match=r"bank\.jsonl is missing"):
        bank.load(folder)


def test_a_bank_needs_a_source_for_each_text() -> None:
    with pytest.raises(CheckpointError, match="2 texts, 1 sources and 2 embeddings"):
        bank.Bank(("a", "b"), ("ed",), torch.zeros(2, 4))


def test_an_empty_bank_is_refused() -> None:
    with pytest.raises(CheckpointError, match="without candidates"):
        bank.Bank((), (), torch.zeros(0, 4))
