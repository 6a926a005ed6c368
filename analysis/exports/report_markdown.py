"""The whole report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.exports.markdown import escape
from analysis.writeup.document import Document, Grid, Section, Shown
from analysis.writeup.report import fact_text


def render(document: Document) -> str:
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {escape(document.title)}"
    if document.warning:
        yield from ("", f"> **{escape(document.warning)}**")
    yield from ("", f"**{escape(document.answer.title)}.** {escape(' '.join(document.answer.sentences))}")
    for section in document.sections:
        yield from _section(section)
    yield from ("", "## What this was made of", "")
    for _, words, value in document.facts:
        if text := fact_text(value):
            yield f"- {escape(words)}: {escape(text)}"


def _section(section: Section) -> Iterator[str]:
    yield from ("", f"## {escape(section.title)}")
    for words in section.words:
        yield from ("", escape(words))
    if section.missing:
        yield ""
        yield from (f"- {escape(words)}" for words in section.missing)
    for grid in section.grids:
        yield from _grid(grid)
    if section.sources:
        yield ""
        yield from (f"- {escape(source)}" for source in section.sources)


def _grid(grid: Grid) -> Iterator[str]:
    yield from ("", f"### {escape(grid.title)}", "")
    yield _joined([escape(name) for name in grid.head])
    yield _joined(["---", *("---:" for _ in grid.head[1:])])
    yield from (_joined([_field(shown) for shown in row]) for row in grid.rows)


def _field(shown: Shown) -> str:
    text = escape(shown.text)
    return " ".join(filter(None, [f"**{text}**" if shown.strong else text, escape(shown.aside)]))


def _joined(fields: list[str]) -> str:
    return f"| {' | '.join(fields)} |"
