"""What Tables 4, 5 and 6 are made of: rows of shares with intervals, beside the paper's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from analysis.statistics import means
from analysis.statistics.means import Gap, Scale, WorkerTable
from modelhub.models import BenchmarkResult, Measurement, ProvenanceResult

#: How tables name the tasks.
TASK_NAMES = {"convai2": "ConvAI2", "wow": "WoW", "ed": "ED", "bst": "BST"}
#: The models of Tables 5 and 6 in the paper's order and by its names.
MODELS = {
    "convai2": "ConvAI2",
    "wow": "WoW",
    "ed": "ED",
    "bst": "BST",
    "random-skill": "Random-Skill",
    "mt-two-stage": "MT Two-Stage",
    "mt-single-skills": "MT Single-Skills",
}
METHOD = "wilson-cr2"
METHOD_SENTENCE = (
    "95 % Wilson score intervals; variance clustered by dialogue (CR2), Satterthwaite's degrees of freedom."
)
TIES_SENTENCE = "Ties count against the label."
GAP_WORDS = {
    Gap.NONE: "",
    Gap.NO_RATINGS: "not measured",
    Gap.ONE_RATING: "no interval: one example",
    Gap.ONE_WORKER: "no interval: one dialogue",
}
NOT_MEASURED = GAP_WORDS[Gap.NO_RATINGS]
#: Of the normal distribution, for averages of tasks.
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Details:
    """How a cell was measured; the figures beside hits@1 are None for shares of sources."""

    reference: str
    task: str
    split: str
    asked: str
    hits_at_5: float | None
    hits_at_10: float | None
    mrr: float | None
    part: bool
    data_sha256: str
    questions_sha256: str
    code_version: str
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """A share from 0 to 1 with its interval; ``paper`` is the paper's figure in per cent, as it was printed.

    ``why`` says why there is no value or no interval. ``alike`` is false where most of the column was asked other
    questions.
    """

    column: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    dialogues: int = 0
    paper: float | None = None
    why: str = NOT_MEASURED
    details: Details | None = None
    alike: bool = True

    @property
    def text(self) -> str:
        """In per cent."""
        return "–" if self.value is None else f"{100 * self.value:.1f}"

    @property
    def interval_text(self) -> str:
        """``28.2–35.1``; empty without an interval."""
        return "" if self.low is None or self.high is None else f"{100 * self.low:.1f}–{100 * self.high:.1f}"

    @property
    def paper_text(self) -> str:
        return "" if self.paper is None else f"{self.paper:.1f}"

    @property
    def low_text(self) -> str:
        return _percent(self.low)

    @property
    def high_text(self) -> str:
        return _percent(self.high)

    @property
    def hits_at_5_text(self) -> str:
        return _percent(self.details.hits_at_5 if self.details else None)

    @property
    def hits_at_10_text(self) -> str:
        return _percent(self.details.hits_at_10 if self.details else None)


@dataclass(frozen=True, slots=True)
class Row:
    """One model, or several that the paper puts into one row; ``reference`` names what was measured."""

    label: str
    reference: str
    cells: tuple[Cell, ...]

    @property
    def measured(self) -> bool:
        return any(cell.value is not None for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a table under a heading of its own."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class BenchmarkTable:
    """The whole table; every row has a cell for each column."""

    number: int
    title: str
    about: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def rows(self) -> list[Row]:
        return [row for section in self.sections for row in section.rows]

    @property
    def measured(self) -> int:
        """Cells that stand on a measurement of their own."""
        return sum(cell.details is not None for row in self.rows for cell in row.cells)

    @property
    def ranks(self) -> bool:
        """Whether cells are hits@1, with more figures of the same ranking."""
        return any(c.details and c.details.mrr is not None for row in self.rows for c in row.cells)

    @property
    def notes(self) -> list[str]:
        """What most of each column was asked, a sentence for columns that were asked the same."""
        found: dict[tuple[str, str], list[str]] = {}
        for section in self.sections:
            for place, column in enumerate(self.columns):
                usual = next((c for row in section.rows if (c := row.cells[place]).details and c.alike), None)
                if usual and usual.details:
                    found.setdefault((section.title, _asked(usual, usual.details)), []).append(column)
        return [
            f"{f'{title}, ' if title else ''}{' and '.join(columns)}: {asked}."
            for (title, asked), columns in found.items()
        ]

    @property
    def alike(self) -> bool:
        return all(cell.alike for row in self.rows for cell in row.cells)


def _asked(cell: Cell, details: Details) -> str:
    part = "a part of " if details.part else ""
    split = f"{part}{TASK_NAMES[details.task]}'s {details.split} split"
    return f"{split}, {cell.n} examples of {cell.dialogues} dialogues, {details.asked}"


def hits_cell(column: str, result: BenchmarkResult | None, paper: float | None) -> Cell:
    """hits@1 of one result."""
    if result is None:
        return Cell(column, paper=paper)
    hits = [sum(rank == 1 for rank in ranks) for ranks in result.ranks_by_dialogue]
    details = _details(result, result.asked_text, result)
    return _cell(column, hits, [len(ranks) for ranks in result.ranks_by_dialogue], paper, details)


def share_cell(column: str, result: ProvenanceResult | None, source: str, paper: float | None) -> Cell:
    """The share of one source among the chosen utterances."""
    if result is None:
        return Cell(column, paper=paper)
    place = result.sources.index(source) if source in result.sources else None
    chosen = [sum(each == place for each in dialogue) for dialogue in result.sources_by_dialogue]
    counts = [len(dialogue) for dialogue in result.sources_by_dialogue]
    return _cell(column, chosen, counts, paper, _details(result, "replies from the model's bank", None))


def average_cell(cells: Sequence[Cell], paper: float | None) -> Cell:
    """The plain mean of tasks, whose dialogues are others; None where one was not measured."""
    known = [cell for cell in cells if cell.value is not None]
    if len(known) < len(cells):
        return Cell("Avg.", paper=paper)
    value = sum(cell.value or 0 for cell in known) / len(known)
    n, dialogues = sum(cell.n for cell in known), sum(cell.dialogues for cell in known)
    if any(cell.low is None or cell.high is None for cell in known):
        return Cell("Avg.", value, n=n, dialogues=dialogues, paper=paper, why="no interval: a task has none")
    # Wilson's half width, in standard errors.
    errors = [((cell.high or 0) - (cell.low or 0)) / 2 / Z for cell in known]
    half = Z * float(np.sqrt(np.square(errors).sum())) / len(known)
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Cell("Avg.", _rounded(value), _rounded(low), _rounded(high), n, dialogues, paper, "")


def compared(section: Section) -> Section:
    """The section with cells marked that were asked other questions than most of their column."""
    rows = [list(row.cells) for row in section.rows]
    for place in range(len(rows[0]) if rows else 0):
        asked = [cells[place].details for cells in rows]
        counts = Counter(details.questions_sha256 for details in asked if details)
        usual = counts.most_common(1)[0][0] if counts else ""
        for cells, details in zip(rows, asked, strict=True):
            if details and details.questions_sha256 != usual:
                cells[place] = replace(cells[place], alike=False)
    marked = (replace(row, cells=tuple(cells)) for row, cells in zip(section.rows, rows, strict=True))
    return replace(section, rows=tuple(marked))


def _rounded(value: float) -> float:
    """Ten decimals: the last bits may differ between machines."""
    return round(float(value), 10)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _cell(
    column: str, totals: Sequence[int], counts: Sequence[int], paper: float | None, details: Details
) -> Cell:
    """Wilson-CR2 as Table 7 has it, with dialogues for workers and a scale from 0 to 1."""
    total = np.array(totals, dtype=float).reshape(-1, 1, 1)
    count = np.array(counts, dtype=float).reshape(-1, 1, 1)
    summary = means.summarise(WorkerTable(count=count, total=total, squares=total))
    intervals = means.wilson_cr2(summary, Scale(0, 1))
    gap = Gap(summary.gap[0, 0])
    known = gap == Gap.NONE
    return Cell(
        column=column,
        value=_rounded(summary.mean[0, 0]),
        low=_rounded(intervals.low[0, 0]) if known else None,
        high=_rounded(intervals.high[0, 0]) if known else None,
        n=int(summary.n[0, 0]),
        dialogues=int(summary.workers[0, 0]),
        paper=paper,
        why=GAP_WORDS[gap],
        details=details,
    )


def _details(result: Measurement, asked: str, ranked: BenchmarkResult | None) -> Details:
    return Details(
        reference=result.reference,
        task=result.task,
        split=result.split,
        asked=asked,
        hits_at_5=ranked.hits_at_5 if ranked else None,
        hits_at_10=ranked.hits_at_10 if ranked else None,
        mrr=ranked.mrr if ranked else None,
        part=bool(result.options["max_examples"]),
        data_sha256=result.data_sha256,
        questions_sha256=result.questions_sha256,
        code_version=result.code_version,
        measured_at=result.created_at,
    )
