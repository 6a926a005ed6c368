"""What Table 7 says, in a sentence, no more strongly than its numbers allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.statistics.means import Gap
from analysis.tables.table7 import Cell, Row, Table7
from ratings.axes import Axis

#: The smallest number of talks a model at which the coverage of the intervals was checked by simulation.
CHECKED_FROM = 20


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer and what it rests on."""

    title: str
    detail: str


def headline(table: Table7) -> Headline:
    """Which model leads on overall quality, and whether that is clear."""
    said = _too_few(table) or _leader(table)
    prefix = "Simulated data: " if table.simulated else ""
    return Headline(title=prefix + said.title, detail=said.detail)


def _too_few(table: Table7) -> Headline | None:
    """What is missing before models can be compared; None where every model has an interval."""
    if not table.rows:
        return Headline("This study has no models", "Table 7 has a row for each of the study's models.")
    lacking = [row for row in table.rows if _overall(row).gap != Gap.NONE]
    alike = [row for row in lacking if _overall(row).gap == Gap.NO_SPREAD]
    need = "An interval takes ratings by at least two workers."
    if table.talks == 0:
        return Headline("No ratings yet", f"No talk has been finished and rated. {need}")
    if not lacking:
        return None
    if len(alike) == len(lacking):
        return Headline("These intervals do not compare the models", _without_spread(alike))
    named = [row.model for row in lacking if row not in alike]
    names, verb = _listed(named), "has" if len(named) == 1 else "have"
    title = "Too few ratings to compare the models"
    if len(table.rows) - len(lacking) >= 2:
        title = "Too few ratings to compare all models"
    return Headline(title, f"{names} {verb} no interval on overall quality yet. {need}")


def _without_spread(rows: list[Row]) -> str:
    names, verb = _listed([row.model for row in rows]), "has" if len(rows) == 1 else "have"
    return (
        f"{names} {verb} no interval on overall quality: whichever workers are drawn, the mean is the same."
    )


def _leader(table: Table7) -> Headline:
    """Decided by who else reaches the lower limit of the leader's interval."""
    ranked = sorted(table.rows, key=lambda row: -(_overall(row).mean or 0))
    top, rest = ranked[0], ranked[1:]
    early = _early(table)
    if not rest:
        return Headline(f"{top.model} has a mean of {_figures(top)} overall", " ".join(early))
    near = [row for row in rest if _overall(row).bold]
    title = _title(table, ranked, near)
    first = _figures(top) if title.startswith(f"{top.model} leads") else f"{top.model} has {_figures(top)}"
    detail = f"{first} against {_figures(rest[0])} for {rest[0].model}: {_distance(top, near)}"
    return Headline(title, " ".join([detail, *early]))


def _title(table: Table7, ranked: list[Row], near: list[Row]) -> str:
    top, so_far = ranked[0], " so far" if _early(table) else ""
    shared = [row.model for row in ranked if _overall(row).mean == _overall(top).mean]
    if len(shared) > 1:
        return f"{_listed(shared)} share the highest mean overall{so_far}"
    if not near:
        return f"{top.model} leads overall{so_far}"
    if len(near) == len(ranked) - 1 > 1:
        return f"No model stands out overall{so_far}"
    return f"{top.model} leads overall{so_far}, but not clearly"


def _distance(top: Row, near: list[Row]) -> str:
    if not near:
        return f"no other model's mean reaches the interval of {top.model}."
    others = "1 other model's mean is" if len(near) == 1 else f"{len(near)} other models' means are"
    return f"{others} within the interval of {top.model}, so these talks do not show which is best."


def _early(table: Table7) -> list[str]:
    fewest = min(table.rows, key=lambda row: row.talks)
    if fewest.talks >= CHECKED_FROM:
        return []
    talks = "1 talk" if fewest.talks == 1 else f"{fewest.talks} talks"
    return [
        f"Early figures: {fewest.model} has {talks}; the intervals were checked from {CHECKED_FROM} a model."
    ]


def _figures(row: Row) -> str:
    cell = _overall(row)
    return f"{cell.mean_text} ({cell.interval_text})"


def _overall(row: Row) -> Cell:
    return row.cell(Axis.OVERALL)


def _listed(names: Sequence[str], most: int = 3) -> str:
    """``A``, ``A and B``, ``A, B and C``, ``A, B, C and 2 more``."""
    shown = list(names[:most]) + ([f"{len(names) - most} more"] if len(names) > most else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
