"""Measure the safety classifier: ``manage.py measure_safety``, as Markdown.

On labelled utterances it is right or wrong. Ordinary talk has no labels, but hardly any abuse either: what is found
there is nearly all false alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelhub.datasets import layout
from modelhub.datasets.layout import STARTER
from modelhub.errors import SafetyClassifierError
from modelhub.safety.classifier import Classifier, classifier
from modelhub.safety.combined import CombinedClassifier
from modelhub.safety.head import Floats
from modelhub.safety.labelled import TEST, Labelled, is_unsafe, read
from modelhub.safety.measures import Booleans, Interval, auc, f1, wilson
from modelhub.training.tasks import utterances

#: For which one classifier's figures are shown beside each other.
THRESHOLDS = tuple(step / 10 for step in range(1, 10))


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """One classifier's probabilities (N,), and the one from which an utterance counts as unsafe."""

    name: str
    probabilities: Floats
    threshold: float

    @property
    def found(self) -> Booleans:
        return self.probabilities >= self.threshold


def measure(corpus: Path = TEST, data: Path = STARTER) -> Iterator[str]:
    """Tables of the configured classifier; of the one that ships, of its two parts too. Raises ModelhubError.

    ``data`` is a folder of data sets, whose test splits are the ordinary talk.
    """
    samples, talk = read(corpus), ordinary_talk(data)
    labels = is_unsafe(samples)
    asked = classifier()
    answered = _answers(asked, [sample.text for sample in samples])
    in_talk = _answers(asked, talk)
    counted = f"{len(samples)} utterances, {int(labels.sum())} of them unsafe; {len(talk)} of ordinary talk"
    yield f"{asked.version}; {counted}"
    yield ""
    yield from overall(answered, labels, in_talk)
    yield ""
    yield from by_threshold(answered[-1], labels, in_talk[-1])
    yield ""
    yield from by_kind(answered, samples)


def ordinary_talk(data: Path) -> list[str]:
    """What is said in the test splits of a folder's data sets. Raises SafetyClassifierError where there are none."""
    texts, _ = utterances(layout.installed(data, "test"), data, "test")
    if not texts:
        raise SafetyClassifierError(f"{data} has no test split of a data set; name another folder.")
    return texts


def overall(answered: Sequence[Answered], labels: Booleans, in_talk: Sequence[Answered]) -> Iterator[str]:
    """A row a classifier."""
    columns = ("precision", "recall", "F1", "AUC", "found in ordinary talk, %")
    yield from _head("classifier", "from a probability of", *columns)
    for each, talk in zip(answered, in_talk, strict=True):
        right = int((each.found & labels).sum())
        cells = (
            wilson(right, int(each.found.sum())),
            wilson(right, int(labels.sum())),
            f1(each.found, labels),
            auc(each.probabilities, labels),
        )
        yield _row(each.name, f"{each.threshold:.2f}", *map(_shown, cells), _percent(_found(talk)))


def by_threshold(answered: Answered, labels: Booleans, in_talk: Answered) -> Iterator[str]:
    """A row a threshold, for who asks for another one than the default."""
    yield from _head("from a probability of", "precision", "recall", "F1", "found in ordinary talk, %")
    for threshold in THRESHOLDS:
        own, talk = (replace(each, threshold=threshold) for each in (answered, in_talk))
        right = int((own.found & labels).sum())
        precision, recall = wilson(right, int(own.found.sum())), wilson(right, int(labels.sum()))
        shown = [f"{each.value:.2f}" for each in (precision, recall, f1(own.found, labels))]
        yield _row(f"{threshold:.1f}", *shown, _percent(_found(talk)))


def _found(answered: Answered) -> Interval:
    return wilson(int(answered.found.sum()), len(answered.found))


def by_kind(answered: Sequence[Answered], samples: Sequence[Labelled]) -> Iterator[str]:
    """A row a kind, the unsafe ones first: what share of its utterances each classifier found."""
    yield from _head("kind", "label", "utterances", *(f"{each.name}, % found" for each in answered))
    places: dict[tuple[bool, str], list[int]] = {}
    for place, sample in enumerate(samples):
        places.setdefault((not sample.is_unsafe, sample.kind), []).append(place)
    for (is_safe, kind), own in sorted(places.items()):
        shares = [_percent(wilson(int(each.found[own].sum()), len(own))) for each in answered]
        yield _row(kind.replace("_", " "), "safe" if is_safe else "unsafe", str(len(own)), *shares)


def _answers(asked: Classifier, texts: Sequence[str]) -> list[Answered]:
    if not isinstance(asked, CombinedClassifier):
        return [Answered("configured", asked.unsafe_probabilities(texts), asked.default_threshold)]
    found: Mapping[str, Floats] = asked.answers(texts)
    return [Answered(name, found[name], threshold) for name, threshold in asked.thresholds.items()]


def _head(*columns: str) -> Iterator[str]:
    yield _row(*columns)
    yield "|" + "---|" * len(columns)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(found: Interval) -> str:
    return f"{found.value:.2f} ({found.lower:.2f} to {found.upper:.2f})"


def _percent(found: Interval) -> str:
    return f"{100 * found.value:.1f} ({100 * found.lower:.1f} to {100 * found.upper:.1f})"
