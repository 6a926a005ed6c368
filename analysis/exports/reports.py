"""The formats of the whole report: each gives files by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.exports import report_csv, report_html, report_json, report_latex, report_markdown
from analysis.writeup.document import Document


class CannotWrite(AnalysisError):
    code = "cannot_write"


#: CSV files stand in a folder of their own.
REPORT_FORMATS: Mapping[str, Callable[[Document], dict[str, str]]] = {
    "html": lambda document: {"report.html": report_html.render(document)},
    "markdown": lambda document: {"report.md": report_markdown.render(document)},
    "latex": lambda document: {"report.tex": report_latex.render(document)},
    "csv": lambda document: {f"csv/{name}": text for name, text in report_csv.files(document).items()},
    "json": lambda document: {"report.json": report_json.render(document)},
}


def write(document: Document, formats: list[str], folder: Path) -> list[Path]:
    """Write the report into a folder, which is made; files of these names are replaced. Raises CannotWrite."""
    written = []
    for form in formats:
        for name, text in REPORT_FORMATS[form](document).items():
            path = folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="")
            except OSError as error:
                raise CannotWrite(f"Cannot write {path}: {error.strerror}.") from error
            written.append(path)
    return written
