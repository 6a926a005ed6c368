"""A large study's workers are looked at by processes of their own, which find what one process finds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from chat.models import Participation
from ratings.models import Finding, Judgement
from ratings.quality import judging, looking

from .conftest import LINES

pytestmark = pytest.mark.django_db(transaction=True)
STORY = [f"{line} And that is the whole of my long story about it." for line in LINES]


@pytest.fixture
def crowd(worked: Callable[..., Participation], monkeypatch: pytest.MonkeyPatch) -> Participation:
    """One of seven workers, in batches of two; two tell the same story."""
    monkeypatch.setattr(judging.reading, "WORKERS_AT_ONCE", 2)
    person, *_ = [worked([said]) for said in ([*STORY], ["ok", "yes", "no", "fine"], *[LINES] * 4, [*STORY])]
    return person


def found() -> list[Any]:
    rows = Finding.objects.filter(cleared_at=None).order_by("participation", "rule", "pk")
    return list(rows.values_list("participation", "rule", "numbers", "places", "null_probability"))


def judge(person: Participation, **options: Any) -> judging.Judged:
    return judging.judge_study(person.study, simulated=False, **options)


def test_processes_find_what_one_finds(crowd: Participation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    pool = looking.ProcessPoolExecutor
    monkeypatch.setattr(looking, "MOST_PROCESSES", 1)
    alone = (judge(crowd), found())
    Finding.objects.all().delete()
    Judgement.objects.all().delete()
    monkeypatch.setattr(looking, "MOST_PROCESSES", 2)
    monkeypatch.setattr(looking, "ProcessPoolExecutor", lambda *given: asked.append(given[0]) or pool(*given))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    told: list[tuple[int, int]] = []
    together = (judge(crowd, on_progress=lambda done, of: told.append((done, of))), found())
    assert asked == [2]
    assert alone == together
    assert [rule for _, rule, *_ in alone[1]].count("copied_text") == 2
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert Judgement.objects.count() == 7


def test_what_goes_wrong_in_a_process_ends_the_run(
    crowd: Participation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    monkeypatch.setattr(looking, "_database_name", lambda: "/nowhere/at-all")
    with pytest.raises(DatabaseError):
        judge(crowd)
    assert not Judgement.objects.exists()


def test_few_workers_are_looked_at_without(crowd: Participation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging.reading, "WORKERS_AT_ONCE", 3)
    monkeypatch.setattr(looking, "ProcessPoolExecutor", None)
    assert judge(crowd).workers == 7
