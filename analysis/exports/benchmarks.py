r"""Tables 4, 5 and 6 as Markdown, CSV, JSON and LaTeX (for the booktabs package)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict

from analysis.benchmarks import Benchmarks
from analysis.exports.latex import escape as latex_escape
from analysis.exports.markdown import escape as markdown_escape
from analysis.tables.benchmark_table import (
    METHOD,
    METHOD_SENTENCE,
    TIES_SENTENCE,
    BenchmarkTable,
    Cell,
)
from analysis.version import code_version
from ratings.spreadsheet import safe

#: Grows when a reader of the old form could misread the new one.
SCHEMA = "colloquy.benchmarks/1"
NOTHING = "Nothing was measured yet."
OTHER_QUESTIONS = "* asked other questions than the rest of its column."
COLUMNS = (
    "table section model reference column value low high examples dialogues paper_percent note asked split part "
    "same_questions hits_at_5 hits_at_10 mrr method data_folder data_sha256 questions_sha256 measured_at measured_by "
    "code_version"
).split()


def as_markdown(shown: Benchmarks) -> str:
    """A heading and a grid a table; the paper's figures in brackets."""
    if shown.data is None:
        return f"{NOTHING}\n"
    lines = [f"Measured on {markdown_escape(shown.data.label)}, code `{code_version()}`."]
    for table in shown.tables:
        lines += ["", f"## Table {table.number}: {table.title}", "", table.about, "", *_grid(table)]
        lines += ["", *(f"- {markdown_escape(note)}" for note in table.notes)] if table.notes else []
    lines += ["", " ".join([METHOD_SENTENCE, TIES_SENTENCE, "The paper's own figure stands in brackets."])]
    if not all(table.alike for table in shown.tables):
        lines += ["", markdown_escape(OTHER_QUESTIONS)]
    return "\n".join(lines) + "\n"


def as_csv(shown: Benchmarks) -> str:
    """A line a cell; shares from 0 to 1."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    folder = shown.data.path if shown.data else ""
    for table in shown.tables:
        for section in table.sections:
            for row in section.rows:
                for cell in row.cells:
                    where = {"table": table.number, "section": section.title, "data_folder": safe(folder)}
                    named = {"model": safe(row.label), "reference": safe(row.reference)}
                    writer.writerow({**where, **named, **_fields(cell)})
    return text.getvalue()


def as_json(shown: Benchmarks) -> str:
    """Everything that says how the figures were made."""
    document = {
        "schema": SCHEMA,
        "data_folder": shown.data.path if shown.data else None,
        "method": {"name": METHOD, "level": 0.95, "text": f"{METHOD_SENTENCE} {TIES_SENTENCE}"},
        "code_version": code_version(),
        "tables": [asdict(table) for table in shown.tables],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=lambda value: value.isoformat()) + "\n"


def as_latex(shown: Benchmarks) -> str:
    """A table environment each."""
    if shown.data is None:
        return f"% {NOTHING}\n"
    lines = [
        rf"% Measured on {latex_escape(shown.data.label)}, code {code_version()}; needs \usepackage{{booktabs}}"
    ]
    for table in shown.tables:
        lines += ["", *_latex(table)]
    return "\n".join(lines) + "\n"


def _grid(table: BenchmarkTable) -> Iterator[str]:
    yield f"| Model | {' | '.join(table.columns)} |"
    yield f"|---|{':-:|' * len(table.columns)}"
    for section in table.sections:
        if section.title:
            yield f"| **{section.title}** |{' |' * len(table.columns)}"
        for row in section.rows:
            yield f"| {markdown_escape(row.label)} | {' | '.join(map(_markdown_cell, row.cells))} |"


def _markdown_cell(cell: Cell) -> str:
    value = cell.text + ("" if cell.alike else r"\*")
    interval = cell.interval_text or (f"({cell.why})" if cell.value is not None else "")
    return " ".join(filter(None, [value, interval, f"[{cell.paper_text}]" if cell.paper_text else ""]))


def _fields(cell: Cell) -> dict[str, object]:
    """A cell's columns; those of a measurement are empty where there was none."""
    fields: dict[str, object] = {
        "column": cell.column,
        "value": _figure(cell.value),
        "low": _figure(cell.low),
        "high": _figure(cell.high),
        "examples": cell.n,
        "dialogues": cell.dialogues,
        "paper_percent": cell.paper_text,
        "note": cell.why,
        "method": METHOD,
        "code_version": code_version(),
    }
    if details := cell.details:
        fields |= {
            "asked": details.asked,
            "split": details.split,
            "part": str(details.part).lower(),
            "same_questions": str(cell.alike).lower(),
            "hits_at_5": _figure(details.hits_at_5),
            "hits_at_10": _figure(details.hits_at_10),
            "mrr": _figure(details.mrr),
            "data_sha256": details.data_sha256,
            "questions_sha256": details.questions_sha256,
            "measured_at": details.measured_at.isoformat(timespec="seconds"),
            "measured_by": details.code_version,
        }
    return fields


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _latex(table: BenchmarkTable) -> list[str]:
    width = len(table.columns) + 1
    lines = [r"\begin{table*}", r"\centering", rf"\begin{{tabular}}{{l{'c' * (width - 1)}}}", r"\toprule"]
    lines.append(" & ".join(["Model", *map(latex_escape, table.columns)]) + r" \\")
    for section in table.sections:
        lines.append(r"\midrule")
        if section.title:
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{latex_escape(section.title)}}}}} \\")
        lines += [
            " & ".join([latex_escape(row.label), *map(_latex_cell, row.cells)]) + r" \\"
            for row in section.rows
        ]
    caption = latex_escape(
        f"{table.title}. {table.about} {METHOD_SENTENCE} {TIES_SENTENCE} In brackets: the paper."
    )
    lines += [r"\bottomrule", r"\end{tabular}", rf"\caption{{{caption}}}"]
    return [*lines, rf"\label{{tab:benchmarks-{table.number}}}", r"\end{table*}"]


def _latex_cell(cell: Cell) -> str:
    interval = rf" {{\scriptsize {latex_escape(cell.interval_text)}}}" if cell.interval_text else ""
    paper = rf" [{cell.paper_text}]" if cell.paper_text else ""
    # Braces, or a bracket at the start of a cell would be read as an argument of the line's end before it.
    return "{" + latex_escape(cell.text) + ("" if cell.alike else "*") + interval + paper + "}"
