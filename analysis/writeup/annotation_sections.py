"""The parts of a report on annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.annotations import AnnotationAnalysis, QuestionAgreement
from analysis.statistics.agreement import Agreement, Metric, agreeing_share
from analysis.statistics.annotators import majority
from analysis.statistics.means import Floats
from analysis.writeup.annotation_words import RELIABLE, TENTATIVE, WHY_NOT, Names, in_all, titled
from analysis.writeup.document import Bars, Figure, Grid, Section, Shown, Table, Value
from analysis.writeup.wording import count, counted, exact, figure, known, level_text, percent, span

#: Lines of a table for people; files have all of them.
MOST_ANNOTATORS, MOST_PAIRS, MOST_UNITS, MOST_BARS = 30, 20, 20, 30
DISTANCES = {
    Metric.NOMINAL: "labels are the same or not",
    Metric.ORDINAL: "labels are ranks, and further ones weigh more",
    Metric.INTERVAL: "labels are numbers, and their squared distance counts",
}
SOURCES = (
    "Krippendorff (2019), Content Analysis: An Introduction to Its Methodology, 4th edition, chapter 12. Sage.",
    "Fleiss (1971), Measuring nominal scale agreement among many raters. Psychological Bulletin 76.",
    "Cohen (1960), A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20.",
    "Efron (1979), Bootstrap methods: another look at the jackknife. Annals of Statistics 7.",
)


def coefficients_section(analysis: AnnotationAnalysis) -> Section:
    options = analysis.options
    head = (
        "",
        "Krippendorff's alpha",
        "Fleiss' kappa",
        "The same label",
        "Units",
        "Judgements",
        "Annotators",
    )
    rows = tuple(
        (
            Shown(each.name or "All"),
            *(_shown(found) for found in (each.alpha, each.kappa)),
            Shown(percent(each.same.value, 0), aside=_percents(each.same)),
            *(Shown(count(n)) for n in (each.alpha.units, each.alpha.judgements, len(each.people))),
        )
        for each in analysis.questions
    )
    level = level_text(options.level)
    return Section(
        name="agreement",
        title="Agreement",
        words=(
            f"Alpha with {options.metric.value} distances: {DISTANCES[options.metric]}. 1 is full agreement, 0 what "
            f"chance would give. Kappa takes labels for names. The {level} limits are from units drawn again.",
        ),
        missing=tuple(
            f"{titled(before, WHY_NOT[each.alpha.why])}."
            for each, before in in_all(analysis)
            if each.alpha.why
        ),
        grids=(Grid(f"Coefficients with {level} limits", head, rows),),
        tables=(_coefficient_table(analysis),),
    )


def _shown(found: Agreement) -> Shown:
    return Shown(figure(found.value), aside=span(found.low, found.high))


def _percents(found: Agreement) -> str:
    return "" if np.isnan(found.low) else f"{percent(found.low, 0)} to {percent(found.high, 0)}"


def _coefficient_table(analysis: AnnotationAnalysis) -> Table:
    columns = (
        "question",
        "coefficient",
        "metric",
        "value",
        "low",
        "high",
        "units",
        "judgements",
        "annotators",
        "note",
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            *(each.name, name, metric.value, known(found.value), known(found.low), known(found.high)),
            *(found.units, found.judgements, len(each.people), WHY_NOT[found.why]),
        )
        for each in analysis.questions
        for name, metric, found in (
            ("krippendorff_alpha", analysis.options.metric, each.alpha),
            ("fleiss_kappa", Metric.NOMINAL, each.kappa),
            ("pairwise_agreement", Metric.NOMINAL, each.same),
        )
    )
    return Table("agreement", columns, rows)


def labels_section(analysis: AnnotationAnalysis, names: Names) -> Section:
    grids: list[Grid] = []
    figures: list[Figure] = []
    for question, before in in_all(analysis):
        grids.append(_given_grid(question, before))
        if bars := _bars(question, before, names):
            figures.append(bars)
            grids.append(_bars_grid(bars))
    return Section(
        name="labels",
        title="What was answered",
        words=(
            "Who gives a label far more or less often than all others may take it for something else than they do, "
            "unless their units differ.",
        ),
        grids=tuple(grids),
        figures=tuple(figures),
        tables=(
            Table("labels", ("question", "label", "judgements", "share"), tuple(_label_rows(analysis))),
            Table(
                "labels_by_annotator",
                ("question", "annotator", "label", "share"),
                tuple(_share_rows(analysis, names)),
            ),
        ),
    )


def _given_grid(question: QuestionAgreement, before: str) -> Grid:
    given = question.counts.sum(axis=0)
    rows = tuple(
        (Shown(label), Shown(count(int(n))), Shown(percent(n / given.sum())))
        for label, n in zip(question.labels, given.tolist(), strict=True)
    )
    return Grid(titled(before, "how often each label was given"), ("Label", "Judgements", "Share"), rows)


def _bars(question: QuestionAgreement, before: str, names: Names) -> Bars | None:
    """The labels of all, and of each annotator; nothing where there are too many of either to see."""
    if max(len(question.labels), len(question.people)) > MOST_BARS:
        return None
    given = question.counts.sum(axis=0)
    shares = zip(question.people.tolist(), question.shares.tolist(), strict=True)
    bars = [("all", tuple((given / given.sum()).tolist()))]
    bars += [(names(person), tuple(of_person)) for person, of_person in shares]
    return Bars(titled(before, "labels by annotator"), question.labels, tuple(bars), of="judgements")


def _bars_grid(bars: Bars) -> Grid:
    """What the figure draws."""
    rows = tuple(
        (Shown(label), *(Shown(percent(share, 0)) for share in shares)) for label, shares in bars.bars
    )
    return Grid(bars.title, ("", *bars.values), rows, detail=True)


def _label_rows(analysis: AnnotationAnalysis) -> Iterator[tuple[Value, ...]]:
    for question in analysis.questions:
        given = question.counts.sum(axis=0)
        for label, n in zip(question.labels, given.tolist(), strict=True):
            yield question.name, label, int(n), n / float(given.sum())


def _share_rows(analysis: AnnotationAnalysis, names: Names) -> Iterator[tuple[Value, ...]]:
    for question in analysis.questions:
        for person, shares in zip(question.people.tolist(), question.shares.tolist(), strict=True):
            for label, share in zip(question.labels, shares, strict=True):
                yield question.name, names(person), label, share


def annotators_section(analysis: AnnotationAnalysis, names: Names) -> Section:
    head = ("", "Units", "Judged by others too", "Others' judgements that are the same", "Alpha without them")
    grids = []
    for question, before in in_all(analysis):
        each = question.each
        rows = [
            (
                Shown(names(int(question.people[place]))),
                Shown(count(int(each.judged[place]))),
                Shown(count(int(each.compared[place]))),
                Shown(percent(each.agreeing[place], 0)),
                Shown(figure(each.alpha_without[place])),
            )
            for place in _lowest(each.agreeing, MOST_ANNOTATORS)
        ]
        grids.append(
            Grid(titled(before, _first(len(question.people), len(rows), "annotator")), head, tuple(rows))
        )
    columns = ("question", "annotator", "judged", "compared", "agreeing", "alpha_without")
    return Section(
        name="annotators",
        title="Annotator by annotator",
        words=(
            "Those who agree least with others come first. Alpha without them is that of all others' judgements.",
        ),
        grids=tuple(grids),
        tables=(Table("annotators", columns, tuple(_annotator_rows(analysis, names))),),
    )


def _annotator_rows(analysis: AnnotationAnalysis, names: Names) -> Iterator[tuple[Value, ...]]:
    for question in analysis.questions:
        each = question.each
        for place, person in enumerate(question.people.tolist()):
            yield (
                *(question.name, names(person), int(each.judged[place]), int(each.compared[place])),
                *(known(each.agreeing[place]), known(each.alpha_without[place])),
            )


def pairs_section(analysis: AnnotationAnalysis, names: Names) -> Section:
    head = ("", "Units both judged", "The same label", "Cohen's kappa")
    grids, rows = [], []
    for question, before in in_all(analysis):
        pairs = question.pairs
        called = [
            (names(int(question.people[first])), names(int(question.people[second])))
            for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
        ]
        figures = list(zip(pairs.units.tolist(), pairs.agreeing.tolist(), pairs.kappa.tolist(), strict=True))
        rows += [
            (question.name, *both, units, agreeing, known(kappa))
            for both, (units, agreeing, kappa) in zip(called, figures, strict=True)
        ]
        shown = [
            (
                Shown(" and ".join(called[place])),
                Shown(count(figures[place][0])),
                Shown(percent(figures[place][1], 0)),
                Shown(figure(figures[place][2])),
            )
            for place in _lowest(pairs.kappa, MOST_PAIRS)
        ]
        if shown:
            grids.append(Grid(titled(before, _first(len(called), len(shown), "pair")), head, tuple(shown)))
    columns = ("question", "first", "second", "units", "agreeing", "kappa")
    return Section(
        name="pairs",
        title="Pair by pair",
        words=("Those who agree least come first. Few units in common make a kappa of chance.",),
        missing=() if grids else ("No two annotators judged the same unit.",),
        grids=tuple(grids),
        tables=(Table("annotator_pairs", columns, tuple(rows)),),
    )


def units_section(analysis: AnnotationAnalysis) -> Section:
    """All in a table for programs; for people those on which annotators agree least."""
    head = ("", "Judgements", "Given most", "The same label")
    grids, rows = [], []
    for question, before in in_all(analysis):
        unit_names = [analysis.annotations.units[unit] for unit in question.units.tolist()]
        judged, most, same = (
            question.counts.sum(axis=1),
            majority(question.counts),
            agreeing_share(question.counts),
        )
        gave = ["" if place < 0 else question.labels[place] for place in most.tolist()]
        rows += [
            (question.name, name, int(n), label or None, known(share))
            for name, n, label, share in zip(unit_names, judged.tolist(), gave, same.tolist(), strict=True)
        ]
        disputed = [place for place in _lowest(same, MOST_UNITS) if same[place] < 1]
        shown = [
            (
                Shown(unit_names[place]),
                Shown(count(int(judged[place]))),
                Shown(gave[place] or "no one label"),
                Shown(percent(same[place], 0)),
            )
            for place in disputed
        ]
        if shown:
            number = int((same < 1).sum())
            grids.append(
                Grid(titled(before, _first(number, len(shown), "disputed unit")), head, tuple(shown))
            )
    return Section(
        name="units",
        title="Unit by unit",
        words=(
            "Units on which annotators agree least come first: the share of pairs of judgements that are the same.",
        ),
        missing=() if grids else ("No unit is disputed.",),
        grids=tuple(grids),
        tables=(Table("units", ("question", "unit", "judgements", "label", "agreeing"), tuple(rows)),),
    )


def _lowest(values: Floats, most: int) -> Sequence[int]:
    """Places of the lowest, in this order; what is NaN comes last."""
    return np.argsort(values, kind="stable")[:most].tolist()


def _first(number: int, shown: int, what: str) -> str:
    return counted(number, what) if shown == number else f"{shown} of {counted(number, what)}"


def method_section(analysis: AnnotationAnalysis) -> Section:
    return Section(
        name="method",
        title="How this was computed",
        words=(
            "Alpha compares how far judgements of one unit are apart with how far any two judgements are; it takes any "
            "number of annotators, and units that not everybody judged. Kappa is Fleiss' for all and Cohen's for "
            "pairs.",
            f"Whole units are drawn again {count(analysis.options.replicates)} times for the limits. They do not know "
            "that one annotator's judgements are alike: with few annotators they are too narrow as a statement about "
            "other annotators.",
            f"By custom conclusions rest on an alpha of {RELIABLE:g}, tentative ones on {exact(TENTATIVE)} "
            "(Krippendorff 2019); how much is needed depends on what is at stake.",
        ),
        sources=SOURCES,
    )
