"""Train the head that ships, or one for another base encoder: ``manage.py train_safety``.

The training set is a file of labelled utterances and, as ordinary talk, what is said in the training split of the
starter corpus; that counts as much as all safe utterances of the file together. Without it a head that has seen hard
utterances alone took every fifth ordinary one for abuse.

Nothing is learnt or chosen on anything else. The penalty is the one with the lowest log loss out of fold; how head and
linear model are weighed, and the thresholds, come from the same log-odds out of fold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from modelhub.datasets.layout import STARTER
from modelhub.dialogue import Skill
from modelhub.errors import SafetyClassifierError
from modelhub.polyencoder import base
from modelhub.polyencoder.checkpoints import file_sha256
from modelhub.safety import fitting, linear
from modelhub.safety.head import BOTH, CLASSIFIERS, HEAD, LINEAR, RECORD, SHIPPED, Floats, Head, mixed
from modelhub.safety.labelled import TRAIN, Labelled, is_unsafe, read
from modelhub.safety.linear import LinearModel
from modelhub.safety.measures import Booleans
from modelhub.safety.sentences import SentenceEncoder
from modelhub.training.tasks import utterances

#: Below it a fold may lack a kind altogether.
LEAST_UTTERANCES = 100
#: Three numbers for thousands of utterances need none, but for labels that can be parted wholly.
MIXING_PENALTY = 1e-5
#: From which alt-profanity-check itself calls a text profane; by itself the linear model is only ever compared with.
PACKAGES_THRESHOLD = 0.5
#: The kind of what is said in the starter corpus.
TALK = "talk"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """N utterances, and how much each counts, (N,)."""

    samples: tuple[Labelled, ...]
    weights: Floats

    @property
    def texts(self) -> list[str]:
        return [sample.text for sample in self.samples]

    @property
    def labels(self) -> Booleans:
        return is_unsafe(self.samples)


@dataclass(frozen=True, slots=True)
class Trained:
    head: Head
    penalty: float
    #: F1 out of fold, at each one's threshold.
    f1: dict[str, float]


def train(
    out: Path = SHIPPED, corpus: Path = TRAIN, folder: Path | None = None, seed: int = 1
) -> Iterator[str]:
    """Train on a file of labelled utterances and write ``out``; yields lines for a person. Raises ModelhubError."""
    given = training_set(corpus)
    folder = folder or base.base_folder()
    embeddings = SentenceEncoder(folder).embed(given.texts).astype(np.float64)
    trained = fit(given, embeddings, LinearModel.load().probabilities(given.texts), made_with(folder), seed)
    trained.head.save(out)
    (out / RECORD).write_text(json.dumps(_record(trained, given, corpus, seed), indent=2) + "\n")
    for name, threshold in zip(CLASSIFIERS, trained.head.thresholds, strict=True):
        yield f"{name}: F1 {trained.f1[name]:.3f} out of fold, from a probability of {threshold}"
    yield f"written to {out}"


def training_set(corpus: Path) -> TrainingSet:
    """A file's utterances and ordinary talk. Raises SafetyClassifierError where the file is too small."""
    own = read(corpus)
    if len(own) < LEAST_UTTERANCES:
        raise SafetyClassifierError(f"{corpus}: {len(own)} utterances; {LEAST_UTTERANCES} are needed.")
    texts, _ = utterances(list(Skill), STARTER, "train")
    talk = tuple(Labelled(text, False, TALK) for text in texts)
    weight = sum(not sample.is_unsafe for sample in own) / len(talk)
    return TrainingSet((*own, *talk), np.array([1.0] * len(own) + [weight] * len(talk)))


def fit(
    given: TrainingSet, embeddings: Floats, linear_probabilities: Floats, made_with: str, seed: int
) -> Trained:
    """Embeddings (N, D) and the linear model's probabilities (N,) of the training set -> the head."""
    labels, weights = given.labels, given.weights
    fold = fitting.folds([sample.kind for sample in given.samples], seed)
    tried = fitting.by_penalty(embeddings, labels, fold, weights)
    _, penalty, log_odds = min(tried, key=lambda each: each[:2])
    both = mixed(log_odds, linear_probabilities)
    factors, constant = fitting.fit_logistic(both[:, :2], labels, MIXING_PENALTY, weights)
    mixing = np.array([*factors, constant])
    answers = {LINEAR: linear_probabilities, HEAD: expit(log_odds), BOTH: expit(both @ mixing)}
    thresholds = {name: fitting.best_threshold(found, labels, weights) for name, found in answers.items()}
    thresholds[LINEAR] = PACKAGES_THRESHOLD
    weight, bias = fitting.fit_logistic(embeddings, labels, penalty, weights)
    head = Head(weight, bias, mixing, tuple(thresholds[name] for name in CLASSIFIERS), made_with)
    reached = {
        name: fitting.f1(found >= thresholds[name], labels, weights) for name, found in answers.items()
    }
    return Trained(head, penalty, reached)


def made_with(folder: Path) -> str:
    """The base encoder and the linear model, as a head notes them."""
    return f"{base.fingerprint(folder)} {linear.fingerprint()}"


def _record(trained: Trained, given: TrainingSet, corpus: Path, seed: int) -> dict[str, object]:
    counts = Counter(sample.kind for sample in given.samples)
    return {
        "corpus": corpus.name,
        "corpus_sha256": file_sha256(corpus),
        "utterances": dict(sorted(counts.items())),
        "unsafe": int(given.labels.sum()),
        "weight_of_talk": round(float(given.weights[-1]), 4),
        "seed": seed,
        "folds": fitting.FOLDS,
        "penalty": trained.penalty,
        "mixing": [round(float(value), 4) for value in trained.head.mixing],
        "thresholds": dict(zip(CLASSIFIERS, trained.head.thresholds, strict=True)),
        "f1_out_of_fold": {name: round(value, 4) for name, value in trained.f1.items()},
    }
