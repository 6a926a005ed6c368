"""Table 5: hits@1 on the single-skill benchmarks (Smith et al. 2020, section 4.3)."""

from __future__ import annotations

from analysis.tables.benchmark_table import (
    MODELS,
    TASK_NAMES,
    BenchmarkTable,
    Cell,
    Row,
    Section,
    average_cell,
    compared,
    hits_cell,
)
from analysis.tables.measured import MeasuredSystem, Variant
from analysis.tables.paper import table5_hits
from modelhub.dialogue import Skill

TASKS = {skill: TASK_NAMES[skill] for skill in (Skill.CONVAI2, Skill.WOW, Skill.ED)}
AVERAGE = "Avg."
TITLES = {
    Variant.PLAIN: "Each task as it is",
    Variant.ADDED_CONTEXT: "Added context",
    Variant.MIXED: "Mixed candidates",
}
#: Each single-skill model on its own task.
SINGLE_TASK = "single-task"
#: Figures that the paper took from others.
REPORTED = "reported"
ROWS = {
    Variant.PLAIN: {REPORTED: "Best reported before", **MODELS},
    Variant.ADDED_CONTEXT: {"mt-single-skills": "MT Single-Skills"},
    Variant.MIXED: {
        SINGLE_TASK: "Single-task (three models)",
        "mt-two-stage": "MT Two-Stage",
        "mt-single-skills": "MT Single-Skills",
    },
}
ABOUT = (
    "hits@1 in per cent: how often what a person really said ranks above all other candidates. The paper ranks 20 "
    "candidates for ConvAI2 (valid) and 100 for WoW and ED (test). Added context gives every dialogue a persona and a "
    "topic; mixed candidates are three times as many, the rest from the other two tasks."
)


def table5(systems: dict[str, MeasuredSystem]) -> BenchmarkTable:
    """The paper's three sections; other systems follow its rows in each."""
    sections = tuple(compared(_section(variant, systems)) for variant in Variant)
    return BenchmarkTable(5, "Single-skill benchmarks", ABOUT, (*TASKS.values(), AVERAGE), sections)


def _section(variant: Variant, systems: dict[str, MeasuredSystem]) -> Section:
    others = {
        slug: system.name
        for slug, system in systems.items()
        if slug not in ROWS[variant] and _stands_alone(system, variant)
    }
    rows = (_row(variant, slug, label, systems) for slug, label in (ROWS[variant] | others).items())
    return Section(TITLES[variant], tuple(rows))


def _stands_alone(system: MeasuredSystem, variant: Variant) -> bool:
    """Whether there is anything that the row of three models does not show already."""
    tasks = {task for task, how in system.hits if how is variant and task != Skill.BST}
    return bool(tasks - ({system.slug} if variant is Variant.MIXED else set()))


def _row(variant: Variant, slug: str, label: str, systems: dict[str, MeasuredSystem]) -> Row:
    *printed, average = table5_hits(variant.value, slug)
    of = {task: systems.get(task.value if slug == SINGLE_TASK else slug) for task in TASKS}
    found = {task: system.hits.get((task.value, variant)) if system else None for task, system in of.items()}
    cells: list[Cell] = [
        hits_cell(name, found[task], figure)
        for (task, name), figure in zip(TASKS.items(), printed, strict=True)
    ]
    references = dict.fromkeys(result.reference for result in found.values() if result)
    return Row(label, " · ".join(references), (*cells, average_cell(cells, average)))
