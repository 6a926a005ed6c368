"""Table 4: which skills models choose on BST (Smith et al. 2020, section 4.2)."""

from __future__ import annotations

from analysis.tables.benchmark_table import TASK_NAMES, BenchmarkTable, Row, Section, compared, share_cell
from analysis.tables.measured import MeasuredSystem
from analysis.tables.paper import table4_shares
from modelhub.dialogue import Skill

SOURCES = {skill: TASK_NAMES[skill] for skill in (Skill.CONVAI2, Skill.WOW, Skill.ED)}
ROWS = {
    "mt-single-skills-original": "MT Single-Skills, original",
    "mt-single-skills": "MT Single-Skills, debiased",
    "mt-single-skills-original-bst": "MT Single-Skills +BST, original",
    "mt-single-skills-bst": "MT Single-Skills +BST, debiased",
}
ABOUT = (
    "Of the utterances that a model chooses on BlendedSkillTalk's dialogues, the share in per cent that comes from "
    "each data set. A reply is chosen as in a talk: the best of the model's bank that was not said yet."
)


def table4(systems: dict[str, MeasuredSystem]) -> BenchmarkTable:
    """The paper's four rows, then other systems with shares of their own."""
    measured = {slug: system for slug, system in systems.items() if system.sources}
    seen = {source for system in measured.values() if system.sources for source in system.sources.sources}
    sources = SOURCES | ({Skill.BST: TASK_NAMES[Skill.BST]} if Skill.BST in seen else {})
    others = {slug: system.name for slug, system in measured.items() if slug not in ROWS}
    rows = tuple(_row(slug, label, measured.get(slug), sources) for slug, label in (ROWS | others).items())
    return BenchmarkTable(
        4, "Skills chosen, by provenance", ABOUT, tuple(sources.values()), (compared(Section("", rows)),)
    )


def _row(slug: str, label: str, system: MeasuredSystem | None, sources: dict[Skill, str]) -> Row:
    result = system.sources if system else None
    printed = dict(zip(SOURCES, table4_shares(slug), strict=True))
    cells = (share_cell(name, result, source.value, printed.get(source)) for source, name in sources.items())
    return Row(label, result.reference if result else "", tuple(cells))
