"""The whole report as JSON: the answer, what it was made of and how, the words, and every table's figures."""

from __future__ import annotations

import json

from analysis.writeup.document import Document, Section, Table, Value

#: Grows when a reader of the old form could misread the new one.
FORM = 1


def render(document: Document) -> str:
    content = {
        "schema": f"colloquy.{document.kind}/{FORM}",
        "title": document.title,
        "warning": document.warning,
        "answer": {"title": document.answer.title, "sentences": document.answer.sentences},
        **{name: _value(value) for name, _, value in document.facts},
        "sections": [_section(section) for section in document.sections],
        "tables": {table.name: _rows(table) for table in document.tables()},
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _section(section: Section) -> dict[str, object]:
    return {
        "name": section.name,
        "title": section.title,
        "words": section.words,
        "missing": section.missing,
        "sources": section.sources,
        "tables": [table.name for table in section.tables],
    }


def _rows(table: Table) -> list[dict[str, Value]]:
    return [dict(zip(table.columns, map(_value, row), strict=True)) for row in table.rows]


def _value(value: Value) -> Value:
    """Ten decimals: the last bits may differ between machines."""
    return round(value, 10) if isinstance(value, float) else value
