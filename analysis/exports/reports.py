"""The formats of the whole report, and of its pictures: each gives files by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.exports import (
    report_csv,
    report_html,
    report_json,
    report_latex,
    report_markdown,
    report_pictures,
)
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
#: Each figure by itself.
PICTURE_FORMATS: Mapping[str, Callable[[Document], dict[str, bytes]]] = {
    "svg": lambda document: {
        f"pictures/{each.name}.svg": report_pictures.as_svg(each).encode()
        for each in report_pictures.pictures(document)
    },
    "png": lambda document: {
        f"pictures/{each.name}.png": report_pictures.as_png(each)
        for each in report_pictures.pictures(document)
    },
}


def files(document: Document, form: str) -> dict[str, bytes]:
    """The files of any of the formats above."""
    if form in PICTURE_FORMATS:
        return PICTURE_FORMATS[form](document)
    return {name: text.encode() for name, text in REPORT_FORMATS[form](document).items()}


def write(document: Document, formats: Sequence[str], folder: Path) -> list[Path]:
    """Write the report into a folder, which is made; files of these names are replaced. Raises CannotWrite."""
    written = []
    for form in formats:
        for name, content in files(document, form).items():
            path = folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError as error:
                raise CannotWrite(f"Cannot write {path}: {error.strerror}.") from error
            written.append(path)
    return written
