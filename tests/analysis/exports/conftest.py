"""What every test of exports starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.exports.data import Exported, export
from tests.analysis.exports.collected import Collected, collected_study


@pytest.fixture
def collected(db: None) -> Collected:
    """A study with people's talks, ratings, findings and decisions, and a simulated worker's talk."""
    return collected_study()


@pytest.fixture
def many(collected: Collected) -> Collected:
    """So many talks that every cell has an interval."""
    for number in range(60):
        scores = tuple(1 + (number * step + number // 7) % 5 for step in (1, 2, 3, 4))
        collected.talk(f"many {number % 11}", number % 3, scores=scores, texts=())
    return collected


@pytest.fixture
def exported(collected: Collected, tmp_path: Path) -> Callable[..., Exported]:
    """``exported("csv", what=[...])``: the collected study in a folder of the format's name."""

    def make(form: str, **options: object) -> Exported:
        return export(collected.study, tmp_path / form, form=form, **options)  # type: ignore[arg-type]

    return make
