"""docs/exports.md says what the code writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.exports.data import FORMS, KINDS, Form, Kind
from analysis.exports.data.schema import documented

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_stands_in_the_documentation_with_its_meaning(kind: Kind) -> None:
    section = TEXT.split(f"### {kind.name}: `{kind.schema}`\n")[1].split("\n### ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == list(documented(kind.fields))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_format_stands_in_the_documentation(form: Form) -> None:
    assert f"\n| `{form.name}` | " in TEXT
