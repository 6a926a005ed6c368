"""The whole report as one page that needs nothing else: style inside, figures drawn in it, no script, no address.

Its content policy forbids everything but its own style, so that no name in the data could fetch anything either.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from pathlib import Path

from analysis.exports.svg import svg
from analysis.writeup.captions import caption
from analysis.writeup.document import Document, Figure, Grid, Section, Shown
from analysis.writeup.report import fact_text

STYLE = Path(__file__).resolve().parent / "report.css"
#: Characters of a field that is never broken.
MOST_IN_LINE = 24
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(document: Document) -> str:
    return "\n".join(_lines(document)) + "\n"


@lru_cache(maxsize=1)
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def _lines(document: Document) -> Iterator[str]:
    yield from ("<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">')
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(document.title)}</title>"
    yield from ("<style>", _style().rstrip(), "</style>", "</head>", "<body>", "<main>")
    yield f"<h1>{escape(document.title)}</h1>"
    if document.warning:
        yield f'<p class="warning">{escape(document.warning)}</p>'
    yield from _answer(document)
    yield from _contents(document)
    for section in document.sections:
        yield from _section(section)
    yield from _facts(document)
    yield from ("</main>", "</body>", "</html>")


def _answer(document: Document) -> Iterator[str]:
    yield f'<div class="answer"><h2>{escape(document.answer.title)}</h2><dl>'
    for question, said in document.answer.questions:
        yield f"<div><dt>{escape(question)}</dt><dd>{escape(said)}</dd></div>"
    yield "</dl></div>"


def _contents(document: Document) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ul>'
    for section in document.sections:
        yield f'<li><a href="#{section.name}">{escape(section.title)}</a></li>'
    yield '<li><a href="#basis">What this was made of</a></li></ul></nav>'


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{section.name}" aria-labelledby="{section.name}-title">'
    yield f'<h2 id="{section.name}-title">{escape(section.title)}</h2>'
    yield from (f"<p>{escape(words)}</p>" for words in section.words)
    if section.missing:
        yield '<ul class="missing">'
        yield from (f"<li>{escape(words)}</li>" for words in section.missing)
        yield "</ul>"
    if section.figures:
        yield '<div class="figures">'
        for place, figure in enumerate(section.figures, start=1):
            yield from _figure(figure, f"{section.name}-figure-{place}")
        yield "</div>"
    for place, grid in enumerate(section.grids, start=1):
        shown = _folded if grid.detail else _grid
        yield from shown(grid, section.name, place)
    if section.sources:
        yield '<ul class="sources">'
        yield from (f"<li>{escape(source)}</li>" for source in section.sources)
        yield "</ul>"
    yield "</section>"


def _figure(figure: Figure, name: str) -> Iterator[str]:
    """Its figures are in the section's tables, which follow it."""
    yield f'<figure><figcaption id="{name}">{escape(caption(figure))}</figcaption>'
    yield f"{svg(figure, name)}</figure>"


def _folded(grid: Grid, section: str, place: int) -> Iterator[str]:
    """What figures draw already."""
    yield f"<details><summary>Figures as a table: {escape(grid.title)}</summary>"
    yield from _grid(grid, section, place)
    yield "</details>"


def _grid(grid: Grid, section: str, place: int) -> Iterator[str]:
    """A region that the keyboard reaches, because wide tables scroll; called by its section too, as axes come again."""
    name = f"{section}-table-{place}"
    yield f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{section}-title {name}">'
    yield f'<table><caption id="{name}">{escape(grid.title)}</caption>'
    head = "".join(f'<th scope="col">{escape(text)}</th>' if text else "<td></td>" for text in grid.head)
    yield f"<thead><tr>{head}</tr></thead><tbody>"
    for first, *rest in grid.rows:
        fields = "".join(f"<td{_kind(shown)}>{_field(shown)}</td>" for shown in rest)
        yield f'<tr><th scope="row">{_field(first)}</th>{fields}</tr>'
    yield "</tbody></table></div>"


def _kind(shown: Shown) -> str:
    """Figures stay in one line; words may take several."""
    return ' class="long"' if max(len(shown.text), len(shown.aside)) > MOST_IN_LINE else ""


def _field(shown: Shown) -> str:
    text = escape(shown.text)
    aside = f" <small>{escape(shown.aside)}</small>" if shown.aside else ""
    return (f"<strong>{text}</strong>" if shown.strong else text) + aside


def _facts(document: Document) -> Iterator[str]:
    yield '<section id="basis" aria-labelledby="basis-title">'
    yield '<h2 id="basis-title">What this was made of</h2><dl>'
    for _, words, value in document.facts:
        if text := fact_text(value):
            yield f"<dt>{escape(words)}</dt><dd>{escape(text)}</dd>"
    yield "</dl></section>"
