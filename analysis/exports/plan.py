"""A plan as text, Markdown, JSON and CSV, and its power curve as a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.exports import Format
from analysis.exports.markdown import escape
from analysis.exports.pictures import DRAWERS, Picture
from analysis.planning import wording
from analysis.planning.scenario import LookAhead, Plan, Point
from analysis.version import code_version
from analysis.writeup.power import plan_curve
from analysis.writeup.wording import count, figure, percent

SCHEMA = "colloquy.plan/1"
CURVE_COLUMNS = ("talks", "power", "detectable")
LOOK_HEAD = ("Look", "Talks of each model", "Limit for |Z|", "Found by then", "False alarm by then")
CURVE_HEAD = ("Talks of each model", "Power", "Smallest difference found")
QUESTION_HEAD = ("Question", "Error rate of a pair", "Talks of each model")
BAR = 40


@dataclass(frozen=True, slots=True)
class PlanShown:
    """A plan, and where its spread is from."""

    plan: Plan
    source: str


def sentences(shown: PlanShown) -> list[str]:
    plan = shown.plan
    return [
        wording.headline(plan),
        wording.spent(plan),
        wording.tested(plan.scenario),
        wording.looked_at(plan),
        wording.assumed(plan, shown.source),
    ]


# --- For people --------------------------------------------------------------------------------------------------


def look_row(each: LookAhead) -> tuple[str, ...]:
    return (
        str(each.number),
        count(each.talks),
        figure(each.limit, 3),
        percent(each.found),
        small_percent(each.false_alarm),
    )


def small_percent(share: float) -> str:
    """``1.2 %``; ``< 0.01 %`` below that."""
    return "< 0.01 %" if share < 1e-4 else f"{100 * share:.2g} %"


def curve_row(each: Point) -> tuple[str, ...]:
    return count(each.talks), percent(each.power), figure(each.detectable)


def question_rows(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (wording.QUESTIONS[question], wording.percent_fine(alpha), count(talks))
        for question, alpha, talks in plan.questions
    ]


def as_text(shown: PlanShown) -> str:
    """For a terminal: the curve is drawn with characters."""
    plan = shown.plan
    lines = [*sentences(shown), "", *_columns(QUESTION_HEAD, question_rows(plan))]
    if len(plan.looks) > 1:
        lines += ["", *_columns(LOOK_HEAD, [look_row(each) for each in plan.looks])]
    lines += ["", f"{'talks':>9}  power"]
    for each in plan.curve:
        mark = "  <- the plan" if each.talks == plan.talks else ""
        lines.append(
            f"{count(each.talks):>9}  {percent(each.power):>7} {'#' * round(BAR * each.power)}{mark}"
        )
    return "\n".join(lines) + "\n"


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def standing_text(parts: Mapping[str, Any]) -> str:
    """A study's plan as it stands (analysis.planning.page), for a terminal."""
    lines = list(parts.get("plan_sentences", ["This study has no plan."]))
    lines += [parts["standing"]] if "standing" in parts else []
    for name in ("plan_grid", "look_grid", "live_grid"):
        if grid := parts.get(name):
            words = [parts["live_words"]] if name == "live_grid" else []
            rows = [[" ".join(filter(None, (each.text, each.aside))) for each in row] for row in grid.rows]
            lines += ["", *words, grid.title, *_columns(grid.head, rows)]
    return "\n".join(lines) + "\n"


def as_markdown(shown: PlanShown) -> str:
    plan = shown.plan
    first, *rest = map(escape, sentences(shown))
    lines = ["# Plan", "", f"**{first}**", "", " ".join(rest), "", *_grid(QUESTION_HEAD, question_rows(plan))]
    if len(plan.looks) > 1:
        lines += ["", *_grid(LOOK_HEAD, [look_row(each) for each in plan.looks])]
    lines += ["", *_grid(CURVE_HEAD, [curve_row(each) for each in plan.curve])]
    return "\n".join([*lines, "", f"Code `{code_version()}`."]) + "\n"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(escape, head))} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(escape, row))} |"


# --- For programs ------------------------------------------------------------------------------------------------


def as_json(shown: PlanShown) -> str:
    """Everything; figures to ten decimals."""
    plan = shown.plan
    told = {
        "schema": SCHEMA,
        "code_version": code_version(),
        "scenario": {**asdict(plan.scenario), "spread_source": shown.source},
        "alpha_of_a_pair": plan.scenario.alpha_of_a_pair,
        "talks_per_model": plan.talks,
        "talks_per_model_with_one_look": plan.alone,
        "talks": plan.total,
        "workers": plan.workers,
        "cost": plan.cost,
        "days": plan.days,
        "expected_talks_per_model": plan.expected,
        "expected_talks_per_model_without_difference": plan.expected_without,
        "looks": [asdict(each) for each in plan.looks],
        "curve": [asdict(each) for each in plan.curve],
        "questions": [
            {"question": question, "alpha_of_a_pair": alpha, "talks_per_model": talks}
            for question, alpha, talks in plan.questions
        ],
    }
    return json.dumps(_rounded(told), ensure_ascii=False, indent=2) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 10)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def as_csv(shown: PlanShown) -> str:
    """The curve."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CURVE_COLUMNS)
    for each in shown.plan.curve:
        writer.writerow([each.talks, f"{each.power:.6f}", f"{each.detectable:.6f}"])
    return text.getvalue()


PLAN_FORMATS: tuple[Format[PlanShown], ...] = (
    Format("text", "Text", "txt", "text/plain; charset=utf-8", as_text),
    Format("markdown", "Markdown", "md", "text/markdown; charset=utf-8", as_markdown),
    Format("json", "JSON", "json", "application/json", as_json),
    Format("csv", "CSV", "csv", "text/csv; charset=utf-8", as_csv),
)


# --- As files ----------------------------------------------------------------------------------------------------

#: Endings of a plan's files by the names of their formats; pictures are of its curve.
ENDINGS = {each.name: each.ending for each in PLAN_FORMATS} | {ending: ending for ending in DRAWERS}


def curve_picture(shown: PlanShown) -> Picture:
    return Picture("power", "Plan", plan_curve(shown.plan), warning="")


def file(shown: PlanShown, ending: str) -> tuple[str | bytes, str]:
    """The file of one of the endings, and its media type."""
    if ending in DRAWERS:
        draw, media_type = DRAWERS[ending]
        return draw(curve_picture(shown)), media_type
    form = next(each for each in PLAN_FORMATS if each.ending == ending)
    return form.render(shown), form.media_type
