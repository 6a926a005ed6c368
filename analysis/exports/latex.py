r"""Table 7 as LaTeX for the booktabs package: ``\input`` it into a paper."""

from __future__ import annotations

from analysis.tables.table7 import BOLD_SENTENCE, Cell, Row, Table7
from analysis.version import code_version

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "−": "$-$",
    "…": r"\ldots{}",
}


def render(table: Table7) -> str:
    lines = [
        *_comments(table),
        r"\begin{table*}",
        r"\centering",
        r"\begin{tabular}{lr" + "c" * len(table.axes) + "}",
        r"\toprule",
        " & ".join(["Model", "$n$", *(escape(axis.label) for axis in table.axes)]) + r" \\",
        r"\midrule",
        *(_line(row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{_caption(table)}}}",
        rf"\label{{tab:{_label(table)}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands, on one line."""
    return "".join(_ESCAPES.get(character, character) for character in " ".join(text.split()))


def _comments(table: Table7) -> list[str]:
    """Escaped too, so that a title cannot end the comment."""
    mark = ["% SIMULATED DATA"] if table.simulated else []
    return [
        *mark,
        f"% Table 7 of the study {escape(table.study)}; needs \\usepackage{{booktabs}}",
        f"% population {table.population}, data sha256 {table.sha256}, code {code_version()}",
    ]


def _line(row: Row) -> str:
    return " & ".join([escape(row.model), str(row.talks), *(_cell(cell) for cell in row.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    mean = escape(cell.mean_text)
    interval = rf" {{\scriptsize [{escape(cell.interval_text)}]}}" if cell.interval_text else ""
    return (rf"\textbf{{{mean}}}" if cell.bold else mean) + interval


def _caption(table: Table7) -> str:
    simulated = r"\textbf{Simulated data.} " if table.simulated else ""
    words = f"{table.title}: means on a scale of {table.scale_text}. {table.method_sentence} {BOLD_SENTENCE}"
    basis = f"{table.population_sentence} {table.talks} talks by {table.workers} workers."
    return simulated + escape(f"{words} {basis}")


def _label(table: Table7) -> str:
    """A study's slug holds letters, digits, hyphens and underscores, all of which a label may."""
    return f"{table.study}-table7" + ("-simulated" if table.simulated else "")
