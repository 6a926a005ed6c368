"""A report as its page shows it: the same document that its files are made of, with a drawing for each figure."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.charts import Chart, chart
from analysis.exports.pictures import Picture, pictures
from analysis.plots.cells import Mark, Span, mark, span
from analysis.plots.key import Sign, key
from analysis.plots.parts import PlotlyFigure
from analysis.remembered import Report
from analysis.tables.table7 import Cell, Row, Table7
from analysis.writeup.document import Document, Grid, Section, Shown
from analysis.writeup.report import fact_text

#: The section that the page opens with; its grid is drawn as Table 7 with an interval in each cell.
FIRST = "means"


@dataclass(frozen=True, slots=True)
class PageTable:
    """A grid whose columns know whether they hold words, which begin at their left, or figures."""

    title: str
    detail: bool
    head: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[tuple[Shown, bool], ...], ...]

    @classmethod
    def of(cls, grid: Grid) -> PageTable:
        words = [_wordy([row[place].text for row in grid.rows]) for place in range(len(grid.head))]
        return cls(
            title=grid.title,
            detail=grid.detail,
            head=tuple(zip(grid.head, words, strict=True)),
            rows=tuple(tuple(zip(row, words, strict=True)) for row in grid.rows),
        )


def _wordy(texts: list[str]) -> bool:
    """Whether most fields of a column begin with a letter."""
    return sum(text[:1].isalpha() for text in texts) * 2 > len(texts)


@dataclass(frozen=True, slots=True)
class PagePart:
    """One section; grids that hold what charts draw are folded away beside these."""

    section: Section
    charts: tuple[Chart, ...]
    shown: tuple[PageTable, ...]
    folded: tuple[PageTable, ...]

    @property
    def key(self) -> tuple[Sign, ...]:
        """What the signs of its charts mean."""
        return key(self.section.figures[0]) if self.section.figures else ()


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything that the template needs of the report itself."""

    document: Document
    table: Table7
    span: Span
    rows: list[tuple[Row, list[tuple[Cell, Mark | None]]]]
    first: PagePart
    parts: tuple[PagePart, ...]

    @property
    def compares(self) -> bool:
        """Whether the paper has figures of these models."""
        return self.table.compared

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What it was made of, in words; nothing that is empty."""
        return [(words, text) for _, words, value in self.document.facts if (text := fact_text(value))]

    @property
    def figures(self) -> dict[str, PlotlyFigure]:
        """What plotly draws, by the charts' names."""
        return {each.name: each.drawn for part in (self.first, *self.parts) for each in part.charts}


def report_page(report: Report) -> ReportPage:
    document, table = report.document, report.analysis.table
    shown = span(table)
    named = {id(each.figure): each for each in pictures(document)}
    first, *rest = (_part(section, named) for section in document.sections)
    return ReportPage(
        document=document,
        table=table,
        span=shown,
        rows=[(row, [(cell, mark(cell, shown)) for cell in row.cells]) for row in table.rows],
        first=first,
        parts=tuple(rest),
    )


def _part(section: Section, named: dict[int, Picture]) -> PagePart:
    return PagePart(
        section=section,
        charts=tuple(chart(named[id(figure)]) for figure in section.figures),
        shown=tuple(PageTable.of(grid) for grid in section.grids if not grid.detail),
        folded=tuple(PageTable.of(grid) for grid in section.grids if grid.detail),
    )
