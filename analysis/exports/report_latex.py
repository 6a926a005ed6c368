r"""The whole report's tables as LaTeX, each an environment to ``\input`` or to cut out; the words stand in comments.

Needs the packages booktabs and, for tables of more than a page, longtable.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from analysis.exports.latex import engines, escape
from analysis.writeup.document import Document, Grid, Section, Shown
from analysis.writeup.report import fact_text

#: A page of a paper holds no more in footnote size.
MOST_ROWS = 45
COMMENT_CHARACTERS = 110


def render(document: Document) -> str:
    lines = list(_lines(document))
    needed = engines("".join(lines))
    return "\n".join([*_comment(needed), *lines]) + "\n"


def _lines(document: Document) -> Iterator[str]:
    facts = {name: fact_text(value) for name, _, value in document.facts}
    yield from _comment(f"{document.title}; needs the packages booktabs and longtable")
    yield from _comment(document.warning)
    yield from _comment(f"{document.answer.title}. {' '.join(document.answer.sentences)}")
    for _, words, value in document.facts:
        if text := fact_text(value):
            yield from _comment(f"{words}: {text}")
    for section in document.sections:
        yield from ("", f"% {escape(section.title)}")
        for words in (*section.words, *section.missing, *section.sources):
            yield from _comment(words)
        for place, grid in enumerate(section.grids, start=1):
            label = f"tab:{facts['data_sha256'][:8]}-{section.name}-{place}"
            yield from ("", *_table(section, grid, label, document.warning))


def _comment(words: str) -> Iterator[str]:
    """Escaped too, so that a title cannot end the comment."""
    yield from (f"% {line}" for line in textwrap.wrap(escape(words), COMMENT_CHARACTERS))


def _table(section: Section, grid: Grid, label: str, warning: str) -> Iterator[str]:
    """A floating table; a long one runs over pages."""
    head = " & ".join(map(escape, grid.head)) + r" \\"
    columns = "l" + "c" * (len(grid.head) - 1)
    mark = rf"\textbf{{{escape(warning.partition(':')[0])}.}} " if warning else ""
    words = f"{section.title}. {grid.title}. {' '.join(section.words)}"
    caption = rf"\caption{{{mark}{escape(words)}}}\label{{{label}}}"
    body = [" & ".join(map(_field, row)) + r" \\" for row in grid.rows]
    if len(grid.rows) > MOST_ROWS:
        yield from (r"{\footnotesize", rf"\begin{{longtable}}{{{columns}}}", rf"{caption} \\", r"\toprule")
        yield from (head, r"\midrule", r"\endfirsthead", r"\toprule", head, r"\midrule", r"\endhead")
        yield from (*body, r"\bottomrule", r"\end{longtable}", "}")
    else:
        yield from (r"\begin{table*}", r"\centering\footnotesize", rf"\begin{{tabular}}{{{columns}}}")
        yield from (r"\toprule", head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}")
        yield from (caption, r"\end{table*}")


def _field(shown: Shown) -> str:
    text = escape(shown.text)
    aside = rf" {{\scriptsize {escape(shown.aside)}}}" if shown.aside else ""
    # Braces, or a bracket at the start of a field would be read as an argument of the line's end before it.
    return "{" + (rf"\textbf{{{text}}}" if shown.strong else text) + aside + "}"
