"""Table 6: hits@1 on BST, with and without training on it (Smith et al. 2020, section 4.4)."""

from __future__ import annotations

from analysis.tables.benchmark_table import MODELS, BenchmarkTable, Row, Section, compared, hits_cell
from analysis.tables.measured import MeasuredSystem, Variant
from analysis.tables.paper import table6_hits
from modelhub.dialogue import Skill
from modelhub.models import BenchmarkResult

COLUMNS = ("BST, zero-shot", "+BST, fine-tuned")
BST = Skill.BST.value
#: How the slug of a model that was trained further on BST ends.
TUNED = "-bst"
ABOUT = (
    "hits@1 in per cent on BlendedSkillTalk's test split: of models that never saw it, and of models trained on it. "
    "The paper ranks the 20 candidates that the official file lists."
)


def table6(systems: dict[str, MeasuredSystem]) -> BenchmarkTable:
    """The paper's rows, then other systems."""
    bases = [slug for slug in systems if slug not in MODELS and not _is_tuned(slug, systems)]
    others = {slug: systems[slug].name for slug in bases if _on_bst(systems.get(slug))}
    rows = tuple(_row(slug, label, systems) for slug, label in (MODELS | others).items())
    return BenchmarkTable(6, "BlendedSkillTalk", ABOUT, COLUMNS, (compared(Section("", rows)),))


def _is_tuned(slug: str, systems: dict[str, MeasuredSystem]) -> bool:
    base = slug.removesuffix(TUNED)
    return slug != base and (base in MODELS or base in systems)


def _row(slug: str, label: str, systems: dict[str, MeasuredSystem]) -> Row:
    """What was trained on BST alone stands among the fine-tuned."""
    own = _on_bst(systems.get(slug))
    found = (None, own) if slug == BST else (own, _on_bst(systems.get(slug + TUNED)))
    cells = (
        hits_cell(column, result, printed)
        for column, result, printed in zip(COLUMNS, found, table6_hits(slug), strict=True)
    )
    return Row(label, " · ".join(result.reference for result in found if result), tuple(cells))


def _on_bst(system: MeasuredSystem | None) -> BenchmarkResult | None:
    return system.hits.get((BST, Variant.PLAIN)) if system else None
