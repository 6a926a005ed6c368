"""The labelled utterances: enough of each kind, and a test set that is no echo of the training set."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from modelhub.safety import fitting, head, labelled, training
from modelhub.safety.labelled import TEST, TRAIN, Labelled
from modelhub.safety.linear import LinearModel
from modelhub.safety.sentences import SentenceEncoder
from modelhub.safety.training import TrainingSet

#: Of the words of both utterances together; paraphrases share more.
MOST_SHARED_WORDS = 0.5
#: Of MiniLM's embeddings; paraphrases have more.
MOST_COSINE = 0.7
#: What all files of the classifier may take together.
ALL_BYTES = 3_000_000


@pytest.fixture(scope="module")
def train() -> list[Labelled]:
    return labelled.read(TRAIN)


@pytest.fixture(scope="module")
def test_set() -> list[Labelled]:
    return labelled.read(TEST)


@cache
def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text.lower().replace("'", "")))


def shared(one: str, other: str) -> float:
    """From 0 to 1: the share of two texts' words that both have."""
    return len(words(one) & words(other)) / len(words(one) | words(other))


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder(Path(settings.BASE_ENCODER))


def test_the_training_set_is_large_and_balanced(train: list[Labelled]) -> None:
    unsafe = sum(sample.is_unsafe for sample in train)
    kinds = Counter((sample.is_unsafe, sample.kind) for sample in train)
    assert len(train) >= 500 and 0.4 <= unsafe / len(train) <= 0.6
    assert len(kinds) == 22 and min(kinds.values()) >= 20


def test_half_of_the_test_set_is_unsafe_and_the_rest_hard(test_set: list[Labelled]) -> None:
    kinds = Counter((sample.is_unsafe, sample.kind) for sample in test_set)
    assert len(test_set) >= 240 and sum(sample.is_unsafe for sample in test_set) * 2 == len(test_set)
    assert (False, "ordinary") not in kinds and min(kinds.values()) >= 10 and len(kinds) == 21


def test_no_utterance_stands_twice(train: list[Labelled], test_set: list[Labelled]) -> None:
    said = Counter(" ".join(sorted(words(sample.text))) for sample in [*train, *test_set])
    assert not [text for text, times in said.items() if times > 1]


@pytest.fixture(scope="module")
def learnt_from() -> TrainingSet:
    """Ordinary talk too."""
    return training.training_set(TRAIN)


@pytest.fixture(scope="module")
def embeddings(learnt_from: TrainingSet, encoder: SentenceEncoder) -> np.ndarray:
    return encoder.embed(learnt_from.texts)


def test_no_test_utterance_shares_half_of_its_words_with_one_in_training(learnt_from, test_set) -> None:
    found = [
        (tested.text, learnt)
        for tested in test_set
        for learnt in learnt_from.texts
        if shared(tested.text, learnt) >= MOST_SHARED_WORDS
    ]
    assert not found


def test_no_test_utterance_means_what_one_in_training_does(
    learnt_from, test_set, embeddings, encoder
) -> None:
    cosines = encoder.embed([sample.text for sample in test_set]) @ embeddings.T
    found = [
        (test_set[row].text, learnt_from.texts[column]) for row, column in np.argwhere(cosines >= MOST_COSINE)
    ]
    assert not found


def test_a_paraphrase_would_be_found(encoder: SentenceEncoder) -> None:
    pair = ["Nobody would miss you if you were gone.", "if you were gone, nobody would miss u"]
    one, other = encoder.embed(pair)
    assert shared(*pair) >= MOST_SHARED_WORDS and one @ other >= MOST_COSINE


def test_embeddings_have_length_one_and_do_not_depend_on_their_batch(test_set, encoder) -> None:
    texts = [sample.text for sample in test_set[:40]]
    together = encoder.embed(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert np.allclose(together, np.concatenate([encoder.embed([text]) for text in texts]), atol=1e-5)


def test_training_again_makes_the_shipped_head(learnt_from, embeddings, monkeypatch) -> None:
    record = json.loads((head.SHIPPED / head.RECORD).read_text())
    assert record["corpus_sha256"] == hashlib.sha256(TRAIN.read_bytes()).hexdigest()
    # The others lost; to try them again takes most of the time.
    monkeypatch.setattr(fitting, "PENALTIES", (record["penalty"],))
    made_with = training.made_with(Path(settings.BASE_ENCODER))
    linear = LinearModel.load().probabilities(learnt_from.texts)
    again = training.fit(learnt_from, embeddings.astype(float), linear, made_with, record["seed"]).head
    shipped = head.Head.load(head.SHIPPED, made_with)
    # Other processors round otherwise, though far less.
    assert again.weight == pytest.approx(shipped.weight, abs=1e-2)
    assert again.mixing == pytest.approx(shipped.mixing, abs=1e-2)
    assert again.thresholds == shipped.thresholds


def test_everything_that_ships_is_small() -> None:
    folder = TRAIN.parents[1]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < ALL_BYTES
