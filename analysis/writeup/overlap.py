"""Whether workers agree on talks that several of them rated."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.inference import Analysis
from analysis.statistics.agreement import Agreement, NoAgreement
from analysis.statistics.overlap import METRICS
from analysis.writeup.document import Grid, Shown, Table, Value
from analysis.writeup.wording import count, counted, figure, known, level_text, span

COLUMNS = ("axis", "metric", "alpha", "low", "high", "talks", "ratings", "note")
WHY_NOT = {
    NoAgreement.NONE: "",
    NoAgreement.NO_OVERLAP: "no talk was rated by several workers",
    NoAgreement.ONE_VALUE: "all of these ratings are the same",
    NoAgreement.ONE_UNIT: "a single talk has no limits",
    NoAgreement.TOO_MANY_VALUES: "too many different ratings to count them in pairs",
}


def overlap_words(analysis: Analysis) -> str:
    """What stands beside the share of variance: alpha, or why there is none."""
    found, axes = analysis.overlap, analysis.table.axes
    if not found.talks:
        return (
            "Agreement proper (Krippendorff's alpha) needs talks that several workers rated. Here every talk was rated "
            "by one, so it cannot be told, and this share takes its place: it is small where workers rate alike."
        )
    refused = [
        f"{axis.label}: {why}"
        for axis, alphas in zip(axes, found.alphas, strict=True)
        if (why := WHY_NOT[alphas[METRICS[0]].why])
    ]
    were = "was" if found.talks == 1 else "were"
    return (
        f"{counted(found.talks, 'talk')} {were} rated by several workers, {count(found.workers)} in all. On these "
        "Krippendorff's alpha says how far workers agree: 1 is full agreement, 0 what chance would give; its limits "
        "are from a bootstrap over talks. Intervals elsewhere know that a worker's ratings are alike, not that those "
        "of a talk are." + (f" {'; '.join(refused)}." if refused else "")
    )


def overlap_grids(analysis: Analysis) -> Iterator[Grid]:
    """Alpha of each axis, where there is an overlap."""
    found, axes = analysis.overlap, analysis.table.axes
    if found.talks:
        title = f"Krippendorff's alpha, with {level_text(analysis.options.level)} limits"
        rows = [
            (Shown(f"{metric.capitalize()} distances"), *(_shown(alphas[metric]) for alphas in found.alphas))
            for metric in METRICS
        ]
        talks = (
            Shown("Talks with several raters"),
            *(Shown(count(alphas[METRICS[0]].units)) for alphas in found.alphas),
        )
        yield Grid(title, ("", *(axis.label for axis in axes)), (*rows, talks))


def _shown(alpha: Agreement) -> Shown:
    return Shown(figure(alpha.value), aside=span(alpha.low, alpha.high))


def overlap_table(analysis: Analysis) -> Table:
    """A line an axis and metric."""
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            *(axis.value, metric.value, known(alpha.value), known(alpha.low), known(alpha.high)),
            *(alpha.units, alpha.judgements, WHY_NOT[alpha.why]),
        )
        for axis, alphas in zip(analysis.table.axes, analysis.overlap.alphas, strict=True)
        for metric, alpha in alphas.items()
    )
    return Table("agreement", COLUMNS, rows)
