"""How many more talks a difference takes."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.inference import Analysis
from analysis.statistics.outlook import MOST, Goal, Outlook
from analysis.statistics.planning import POWER
from analysis.writeup.document import Grid, Section, Shown, Table, Value
from analysis.writeup.power import Planned, power_curves
from analysis.writeup.wording import count, exact, figure, level_text, percent

COLUMNS = (
    "axis sd icc talks_a_worker have detectable detectable_all_pairs difference observed "
    "needed more needed_all_pairs more_all_pairs"
).split()


def planning_section(analysis: Analysis) -> Section:
    """Talks of each model for a difference worth finding, and for the one that was seen."""
    planned = [
        (axis.value, axis.label, each)
        for axis, each in zip(analysis.table.axes, analysis.outlooks, strict=True)
        if each is not None
    ]
    lines = [(value, label, each, goal) for value, label, each in planned for goal in each.goals]
    curves, chances, powers = power_curves(planned, analysis.alpha)
    lacking = [
        f"{axis.label}: without two models and a known variance nothing can be planned."
        for axis, each in zip(analysis.table.axes, analysis.outlooks, strict=True)
        if each is None
    ]
    return Section(
        name="planning",
        title="How many more talks",
        words=(
            f"Talks of each model that find a difference with power {percent(POWER, 0)} at an error rate of "
            f"{level_text(analysis.alpha)}, for one pair by itself and over all pairs (Bonferroni), if the study goes "
            "on as it began: the same spread, the same share of it between workers, as many talks a worker, and models "
            "dealt at random. More is what the model with the fewest talks lacks.",
        ),
        missing=tuple(lacking),
        grids=(*_grids(lines, planned), *chances),
        figures=curves,
        tables=(Table("planning", tuple(COLUMNS), tuple(_row(*line) for line in lines)), powers),
    )


def more(needed: int | None, have: int) -> int | None:
    """What is lacking; 0 where there is enough."""
    return None if needed is None else max(needed - have, 0)


def _row(axis: str, _: str, outlook: Outlook, goal: Goal) -> tuple[Value, ...]:
    return (
        *(axis, outlook.sd, outlook.icc, outlook.talks_a_worker, outlook.have),
        *(outlook.detectable, outlook.detectable_all, goal.difference, goal.observed),
        *(goal.needed, more(goal.needed, outlook.have)),
        *(goal.needed_all, more(goal.needed_all, outlook.have)),
    )


def _grids(lines: list[tuple[str, str, Outlook, Goal]], planned: list[Planned]) -> Iterator[Grid]:
    if not lines:
        return
    yield Grid(
        "Talks of each model",
        ("Axis", "Difference", "There are", "One pair", "All pairs"),
        tuple(_line(label, outlook, goal) for _, label, outlook, goal in lines),
    )
    yield Grid(
        "What the talks that there are can find",
        ("Axis", "Spread (SD)", "Between workers", "Talks a worker", "One pair", "All pairs"),
        tuple(
            tuple(
                map(
                    Shown,
                    (
                        label,
                        figure(each.sd),
                        percent(each.icc),
                        figure(each.talks_a_worker, 1),
                        figure(each.detectable),
                        figure(each.detectable_all),
                    ),
                )
            )
            for _, label, each in planned
        ),
    )


def _line(label: str, outlook: Outlook, goal: Goal) -> tuple[Shown, ...]:
    kind = "between the two highest means" if goal.observed else ""

    def shown(needed: int | None) -> Shown:
        lacking = more(needed, outlook.have)
        if needed is None:
            return Shown(f"over {count(MOST)}")
        return Shown(count(needed), aside=f"({count(lacking)} more)" if lacking else "(enough)")

    return (
        Shown(label),
        Shown(figure(goal.difference) if goal.observed else exact(goal.difference), aside=kind),
        Shown(count(outlook.have)),
        shown(goal.needed),
        shown(goal.needed_all),
    )
