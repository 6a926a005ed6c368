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
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "–": "--",
    "−": "$-$",
    "…": r"\ldots{}",
}
#: Signs of which two make another one.
_PAIRED = "-',"
#: pdfLaTeX knows the letters of Latin alphabets before this one.
FIRST_FOREIGN = 0x180


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
    line = " ".join(text.split())
    return "".join(_escaped(*pair) for pair in zip(line, f"{line[1:]} ", strict=False))


def _escaped(character: str, following: str) -> str:
    """Two of some signs would be printed as another: hyphens as a dash."""
    if character in _PAIRED and character == following:
        return f"{character}{{}}"
    return _ESCAPES.get(character, character)


def engines(text: str) -> str:
    """What it takes to print letters that pdfLaTeX stops at; empty where there are none."""
    if all(ord(character) < FIRST_FOREIGN for character in text):
        return ""
    return "Names hold letters that pdfLaTeX does not know: use LuaLaTeX or XeLaTeX with a font that has them"


def _comments(table: Table7) -> list[str]:
    """Escaped too, so that a title cannot end the comment."""
    mark = ["% SIMULATED DATA"] if table.simulated else []
    needed = engines("".join([table.title, *(row.model for row in table.rows)]))
    return [
        *mark,
        *([f"% {needed}"] if needed else []),
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
