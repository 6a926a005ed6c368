"""A report's figures as pictures to keep: SVG that needs no page around it, and PNG made of that.

Both are light, for papers and slides. PNG is drawn here and not in a browser, so that a command can do it; its letters
are those of a font that is installed with the project, so that it looks the same on every machine. Where that font
lacks a letter, the machine's own are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

import resvg_py

from analysis.exports.svg import drawn
from analysis.exports.svg.shapes import WIDTH, writing
from analysis.writeup.captions import signs
from analysis.writeup.document import Document, Figure
from analysis.writeup.labels import lines

STYLE = Path(__file__).resolve().parent / "picture.css"
FONT, FONT_PACKAGE, FONT_FILES = "Source Sans Pro", "font_source_sans_pro", ("Regular", "Bold")
MARGIN, FIRST_LINE, BELOW_HEAD = 16, 30, 14
#: Kinds of lines above a drawing: the size of their letters, the most lines, and how far these are apart.
TITLE, SIGNS = ("title", 15, 3, 18), ("tick", 12, 2, 16)
#: Characters of a title in the name of a file: with an ending, far from what file systems refuse.
MOST_NAME = 60
#: Pixels of a PNG for each unit of the drawing: 1,536 across.
ZOOM = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure by the name of its files."""

    name: str
    section: str
    figure: Figure
    warning: str

    @property
    def title(self) -> str:
        return f"{self.section} · {self.figure.title}"


def pictures(document: Document) -> tuple[Picture, ...]:
    """All figures of a report; names are those of section and figure, ``means-overall-quality``."""
    found: dict[str, Picture] = {}
    for section in document.sections:
        for place, figure in enumerate(section.figures, start=1):
            words = re.sub(r"[^a-z0-9]+", "-", figure.title.lower()).strip("-")[:MOST_NAME].rstrip("-")
            name = f"{section.name}-{words}" if words else f"{section.name}-{place}"
            name = f"{name}-{place}" if name in found else name
            found[name] = Picture(name, section.title, figure, document.warning.partition(":")[0])
    return tuple(found.values())


def as_svg(picture: Picture) -> str:
    return "\n".join(_svg_lines(picture)) + "\n"


def _svg_lines(picture: Picture) -> Iterator[str]:
    drawing, head = drawn(picture.figure), list(_head(picture))
    top = max(y for _, y, _ in head) + BELOW_HEAD
    width, height = WIDTH + 2 * MARGIN, top + drawing.height + MARGIN
    size = f'viewBox="0 0 {width} {height:g}" width="{width}" height="{height:g}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    yield f"<title>{escape(picture.title)}</title>"
    yield f"<style>{_style()}</style>"
    yield '<rect class="page" width="100%" height="100%"/>'
    yield from (writing(MARGIN, y, words, kind=kind) for kind, y, words in head)
    yield f'<g transform="translate({MARGIN} {top:g})">'
    yield from drawing.elements
    yield from ("</g>", "</svg>")


def _head(picture: Picture) -> Iterator[tuple[str, float, str]]:
    """The lines above the drawing: kind, place and words."""
    marked = f"{picture.warning}. " if picture.warning else ""
    words, y = signs(picture.figure), float(FIRST_LINE)
    said = ((TITLE, picture.title), (SIGNS, f"{marked}{words[:1].upper()}{words[1:]}"))
    for (kind, letters, most, apart), text in said:
        for line in lines(text, WIDTH / letters, most):
            yield kind, y, line
            y += apart


@lru_cache(maxsize=1)
def _style() -> str:
    return STYLE.read_text(encoding="utf-8").strip()


def as_png(picture: Picture) -> bytes:
    return resvg_py.svg_to_bytes(
        svg_string=as_svg(picture),
        zoom=ZOOM,
        font_files=_fonts(),
        font_family=FONT,
        sans_serif_family=FONT,
    )


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Found without importing the package, which looks up its files by code of its own."""
    package = find_spec(FONT_PACKAGE)
    if package is None or package.origin is None:
        return []
    folder = Path(package.origin).parent / "files"
    return [str(folder / f"SourceSansPro-{weight}.ttf") for weight in FONT_FILES]


#: What draws a picture, and its media type, by the ending of its file.
DRAWERS: Mapping[str, tuple[Callable[[Picture], str | bytes], str]] = {
    "svg": (as_svg, "image/svg+xml"),
    "png": (as_png, "image/png"),
}
