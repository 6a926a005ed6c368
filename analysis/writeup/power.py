"""What more talks would buy: the chance of finding a difference, by the number of talks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.planning.scenario import Plan
from analysis.statistics.outlook import Outlook
from analysis.statistics.planning import POWER, pairs_of, power
from analysis.writeup.document import Curve, Grid, Line, Shown, Table
from analysis.writeup.wording import count, counted, exact, percent

COLUMNS = ("axis", "difference", "talks", "power", "power_all_pairs")
#: Steps of the drawn line, and of the table beside it.
DRAWN, TABLED = 60, 10
#: The figure ends this much behind the talks that are needed, or that there are.
BEYOND = 1.1

#: An axis' name in data, its words, and what is expected of it.
Planned = tuple[str, str, Outlook]


def power_curves(planned: list[Planned], alpha: float) -> tuple[tuple[Curve, ...], tuple[Grid, ...], Table]:
    """A curve for each axis, for the difference worth finding, and their figures."""
    rows = [(*line, row) for line in planned for row in _tabled(line[2], alpha)]
    table = Table(
        "power",
        COLUMNS,
        tuple((axis, _wanted(each), *row) for axis, _, each, row in rows),
    )
    curves = tuple(_curve(label, each, alpha) for _, label, each in planned)
    if not rows:
        return curves, (), table
    grid = Grid(
        _what(planned[0][2]),
        ("Axis", "Talks of each model", "One pair", "All pairs"),
        tuple(
            (Shown(label), Shown(count(talks)), Shown(percent(one, 0)), Shown(percent(every, 0)))
            for _, label, _, (talks, one, every) in rows
        ),
        detail=True,
    )
    return curves, (grid,), table


def _wanted(outlook: Outlook) -> float:
    """The difference worth finding, which every outlook begins with."""
    return outlook.goals[0].difference


def _what(outlook: Outlook) -> str:
    return f"Power to find a difference of {exact(_wanted(outlook))}"


def _end(outlook: Outlook) -> int:
    """Where the axis of talks ends: two digits and zeros."""
    furthest = BEYOND * max(outlook.have, outlook.goals[0].needed_all or 0, DRAWN)
    unit = 10 ** max(math.floor(math.log10(furthest)) - 1, 0)
    return math.ceil(furthest / unit) * unit


def _chance(outlook: Outlook, talks: float, comparisons: int, alpha: float) -> float:
    return power(outlook.design, _wanted(outlook), talks, alpha=alpha, comparisons=comparisons)


def _tabled(outlook: Outlook, alpha: float) -> Iterator[tuple[int, float, float]]:
    """Talks of each model, and the power for one pair and over all pairs."""
    end, pairs = _end(outlook), pairs_of(outlook.models)
    steps = {max(round(end * step / TABLED), 2) for step in range(1, TABLED + 1)} | {max(outlook.have, 1)}
    for talks in sorted(steps):
        yield talks, _chance(outlook, talks, 1, alpha), _chance(outlook, talks, pairs, alpha)


def _curve(label: str, outlook: Outlook, alpha: float) -> Curve:
    end, pairs = _end(outlook), pairs_of(outlook.models)
    steps = [end * step / DRAWN for step in range(1, DRAWN + 1)]

    def line(name: str, comparisons: int, strong: bool) -> Line:
        return Line(name, tuple((n, _chance(outlook, n, comparisons, alpha)) for n in steps), strong)

    lines = [line("one pair", 1, pairs == 1)] + ([line("all pairs", pairs, True)] if pairs > 1 else [])
    return Curve(label, _what(outlook), "Talks of each model", tuple(lines), end, POWER, outlook.have)


# --- Of a study that is planned ----------------------------------------------------------------------------------


def plan_curve(plan: Plan) -> Curve:
    """The chance that the plan's looks find its difference, by the talks of each model at the last of them."""
    points = tuple((float(point.talks), point.power) for point in plan.curve)
    return Curve(
        title="Power against talks",
        what=f"Power to find a difference of {exact(plan.scenario.difference)}",
        over="Talks of each model",
        lines=(Line(f"{counted(len(plan.looks), 'look')}", points, strong=True),),
        end=points[-1][0],
        wanted=plan.scenario.power,
        now=plan.talks,
        mark="the plan",
    )
