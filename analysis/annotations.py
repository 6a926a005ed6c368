"""What is inferred from annotations, as one value: question by question, annotator by annotator. No database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import AnnotationsRefused
from analysis.reading.annotations_file import Annotations
from analysis.reading.csv_rows import number
from analysis.statistics.agreement import (
    REPLICATES,
    Agreement,
    Metric,
    fleiss_kappa,
    krippendorff_alpha,
    pairwise_agreement,
    value_counts,
)
from analysis.statistics.annotators import AnnotatorPairs, EachAnnotator, annotator_pairs, each_annotator
from analysis.statistics.interval_methods import check_limits
from analysis.statistics.means import LEVEL, Floats, Integers


@dataclass(frozen=True, slots=True)
class AgreementOptions:
    """How far apart labels are, by ``metric``; ``order`` names them from the lowest to the highest where they are no
    numbers. ``level``, ``seed`` and ``replicates`` are the limits'.
    """

    metric: Metric = Metric.NOMINAL
    order: tuple[str, ...] = ()
    level: float = LEVEL
    seed: int = 0
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        check_limits(self.level, self.replicates, self.seed)


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """Agreement on one question.

    ``labels`` (V) in their order, ``units`` (U) and ``people`` (N) as places in the file's names; ``counts`` (U, V) of
    judgements, ``shares`` (N, V) of each annotator's. ``each`` and ``pairs`` number annotators as ``people`` does.
    """

    name: str
    labels: tuple[str, ...]
    units: Integers
    people: Integers
    counts: Floats
    shares: Floats
    alpha: Agreement
    kappa: Agreement
    same: Agreement
    each: EachAnnotator
    pairs: AnnotatorPairs


@dataclass(frozen=True, slots=True)
class AnnotationAnalysis:
    source: str
    annotations: Annotations
    options: AgreementOptions
    questions: tuple[QuestionAgreement, ...]


def analyse_annotations(
    annotations: Annotations, source: str, options: AgreementOptions
) -> AnnotationAnalysis:
    """All questions. Raises AnnotationsRefused where the labels have no order that the metric asks for."""
    questions = tuple(_question(annotations, place, options) for place in range(len(annotations.questions)))
    return AnnotationAnalysis(source, annotations, options, questions)


def _question(annotations: Annotations, place: int, options: AgreementOptions) -> QuestionAgreement:
    asked = annotations.question == place
    used, label = _numbered(annotations.label[asked])
    order = _order([annotations.labels[each] for each in used], options)
    value = np.argsort(order)[label]
    labels = tuple(annotations.labels[used[each]] for each in order)
    units, unit = _numbered(annotations.unit[asked])
    people, annotator = _numbered(annotations.annotator[asked])
    counts = value_counts(unit, value, len(units), len(labels))
    places = np.array(
        _numbers(labels) if options.metric is Metric.INTERVAL else range(len(labels)), dtype=float
    )
    alpha, kappa, same = _coefficients(counts, places, options)
    given = value_counts(annotator, value, len(people), len(labels))
    return QuestionAgreement(
        name=annotations.questions[place],
        labels=labels,
        units=units,
        people=people,
        counts=counts,
        shares=given / given.sum(axis=1, keepdims=True),
        alpha=alpha,
        kappa=kappa,
        same=same,
        each=each_annotator(annotator, unit, value, options.metric, places),
        pairs=annotator_pairs(annotator, unit, value),
    )


def _coefficients(
    counts: Floats, places: Floats, options: AgreementOptions
) -> tuple[Agreement, Agreement, Agreement]:
    """Alpha, kappa and the share of equal pairs."""
    replicates, seed, level = options.replicates, options.seed, options.level
    return (
        krippendorff_alpha(counts, options.metric, places, replicates=replicates, seed=seed, level=level),
        fleiss_kappa(counts, replicates=replicates, seed=seed, level=level),
        pairwise_agreement(counts, replicates=replicates, seed=seed, level=level),
    )


def _numbered(codes: Integers) -> tuple[Integers, Integers]:
    """The codes that occur, and each code's place among them."""
    found, place = np.unique(codes, return_inverse=True)
    return found, place.astype(np.int64)


def _order(labels: Sequence[str], options: AgreementOptions) -> Integers:
    """The places of the labels from the lowest to the highest. Raises AnnotationsRefused."""
    numbers = _numbers(labels)
    if options.metric is Metric.INTERVAL and not np.isfinite(numbers).all():
        raise AnnotationsRefused(
            f"{_odd(labels)!r} is no number, and interval distances are those of numbers. Take --metric ordinal, with "
            "--order where labels are words, or nominal."
        )
    if options.order:
        unnamed = [label for label in labels if label not in options.order]
        if unnamed:
            raise AnnotationsRefused(f"--order names no {unnamed[0]!r}; name all labels, the lowest first.")
        return np.argsort([options.order.index(label) for label in labels])
    if np.isfinite(numbers).all():
        return np.argsort(numbers, kind="stable")
    if options.metric is Metric.ORDINAL:
        raise AnnotationsRefused(
            f"{_odd(labels)!r} is no number, so that labels have no order of their own. Name them by --order, the "
            "lowest first."
        )
    return np.arange(len(labels))


def _odd(labels: Sequence[str]) -> str:
    """The first that is no number."""
    return next(label for label in labels if not math.isfinite(number(label)))


def _numbers(labels: Sequence[str]) -> Floats:
    """NaN for what is no number."""
    return np.array([number(label) for label in labels])
