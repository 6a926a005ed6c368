"""The formats there are. One that is added here is offered by the command and the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.errors import UnknownFormat
from analysis.exports.data.bundles import MANIFEST
from analysis.exports.data.bundles import SCHEMA as BUNDLE_SCHEMA
from analysis.exports.data.folder import ABOUT
from analysis.exports.data.formats import bundle, csv, huggingface, jsonl, model_chat, parlai, parquet
from analysis.exports.data.job import Job


@dataclass(frozen=True, slots=True)
class Form:
    """Of ``by_kind`` formats some kinds of record may be chosen; ``plain`` ones are nothing but their files, of which
    each can be had alone. ``about`` is the file that says what the export is.
    """

    name: str
    label: str
    purpose: str
    write: Callable[[Job], None]
    by_kind: bool = False
    plain: bool = False
    about: str = ABOUT
    schema: str = "colloquy.export/1"


def _plain(name: str, label: str, purpose: str, write: Callable[[Job], None]) -> Form:
    return Form(name, label, purpose, write, by_kind=True, plain=True)


FORMS: tuple[Form, ...] = (
    _plain("jsonl", "JSON Lines", "One object a line, messages inside their talk.", jsonl.write),
    _plain("csv", "CSV", "Tables for spreadsheets and R; messages in one of their own.", csv.write),
    _plain("parquet", "Parquet", "Typed columns for pandas, Polars and DuckDB.", parquet.write),
    Form(
        "parlai",
        "ParlAI conversations",
        "Complete talks, a file a model, as ACUTE-Eval reads them.",
        parlai.write,
    ),
    Form(
        "model_chat",
        "ParlAI model_chat",
        "Complete, rated talks, a folder an axis, as ParlAI's compile_results reads them.",
        model_chat.write,
    ),
    Form(
        "huggingface",
        "Hugging Face data set",
        "Parquet with a card, to be put on the Hub.",
        huggingface.write,
        by_kind=True,
    ),
    Form(
        "bundle",
        "Frozen study",
        "Everything with its hashes, from which one command makes the same tables again.",
        bundle.write,
        about=MANIFEST,
        schema=BUNDLE_SCHEMA,
    ),
)


def form_named(name: str) -> Form:
    """Raises UnknownFormat."""
    for form in FORMS:
        if form.name == name:
            return form
    raise UnknownFormat(f"There is no format {name!r}; known: {', '.join(form.name for form in FORMS)}.")
