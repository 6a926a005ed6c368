"""The formats of the whole report, and of its pictures: each gives files by their names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.exports import (
    pictures,
    report_csv,
    report_html,
    report_json,
    report_latex,
    report_markdown,
)
from analysis.exports.alone import alone
from analysis.writeup.document import Document

#: Where files stand until all are written.
UNFINISHED = ".report.unfinished"
#: What a report of either kind may write into its folder.
OURS = (
    *(f"{kind}.{ending}" for kind in ("report", "agreement") for ending in ("html", "md", "tex", "json")),
    "csv/*.csv",
    "pictures/*.svg",
    "pictures/*.png",
)


class CannotWrite(AnalysisError):
    code = "cannot_write"


#: CSV files stand in a folder of their own.
REPORT_FORMATS: Mapping[str, Callable[[Document], dict[str, str]]] = {
    "html": lambda document: {f"{document.kind}.html": report_html.render(document)},
    "markdown": lambda document: {f"{document.kind}.md": report_markdown.render(document)},
    "latex": lambda document: {f"{document.kind}.tex": report_latex.render(document)},
    "csv": lambda document: {f"csv/{name}": text for name, text in report_csv.files(document).items()},
    "json": lambda document: {f"{document.kind}.json": report_json.render(document)},
}
#: Each figure by itself.
PICTURE_FORMATS: Mapping[str, Callable[[Document], dict[str, bytes]]] = {
    "svg": lambda document: {
        f"pictures/{each.name}.svg": pictures.as_svg(each).encode() for each in pictures.pictures(document)
    },
    "png": lambda document: {
        f"pictures/{each.name}.png": pictures.as_png(each) for each in pictures.pictures(document)
    },
}


WHOLE_FORMATS = (*REPORT_FORMATS, *PICTURE_FORMATS)


def files(document: Document, form: str) -> dict[str, bytes]:
    """The files of any of the formats above."""
    if form in PICTURE_FORMATS:
        return PICTURE_FORMATS[form](document)
    return {name: text.encode() for name, text in REPORT_FORMATS[form](document).items()}


def write(document: Document, formats: Sequence[str], folder: Path) -> list[Path]:
    """Write the report into a folder, which is made; files of these names are replaced once all are written.

    Raises CannotWrite, FolderBusy.
    """
    contents = {name: content for form in formats for name, content in files(document, form).items()}
    with _errors_of(folder), alone(folder):
        aside = folder / UNFINISHED
        try:
            for name, content in contents.items():
                with _errors_of(folder / name):
                    _place_for(aside / name).write_bytes(content)
            for name in contents:
                with _errors_of(folder / name):
                    os.replace(aside / name, _place_for(folder / name))
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return [folder / name for name in contents]


def left_over(folder: Path, written: Collection[Path]) -> list[str]:
    """Files of an earlier report that stand beside those that were written."""
    there = sorted(path for pattern in OURS for path in folder.glob(pattern))
    return [path.relative_to(folder).as_posix() for path in there if path not in written]


def _place_for(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"Cannot write {path}: {error.strerror}.") from error
