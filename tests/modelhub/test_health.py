"""A model's circuit breaker, and who gets no new talk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from modelhub import registry
from modelhub.errors import EngineTimeout, NoCandidateLeft
from modelhub.models import ModelHealth, Revision, ServedModel, ServingWorker
from modelhub.serving import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def revision(settings) -> Revision:
    settings.SERVING_BREAKER_FAILURES = 3
    health._failed_here.clear()
    return registry.register("one", "One", "scripted", None, {"replies": ["a"]})


def fail(revision: Revision, times: int) -> None:
    for _ in range(times):
        health.failed(revision.pk, "engine_timeout")


def unavailable() -> dict[int, str]:
    health.forget()
    return dict(health.unavailable())


def due_for_a_probe(revision: Revision) -> None:
    ModelHealth.objects.filter(pk=revision.pk).update(probe_at=timezone.now())


def test_failures_in_a_row_open_the_breaker(revision) -> None:
    fail(revision, 2)
    assert unavailable() == {}
    fail(revision, 1)
    assert unavailable() == {revision.pk: "paused after failures: engine_timeout"}


def test_what_a_talk_has_used_up_is_not_the_models_failure(revision) -> None:
    for _ in range(5):
        health.attempt_failed(revision.pk, NoCandidateLeft("all was said"))
    assert unavailable() == {}
    for _ in range(3):
        health.attempt_failed(revision.pk, EngineTimeout("hangs"))
    assert unavailable() == {revision.pk: "paused after failures: engine_timeout"}


def test_a_success_between_begins_the_count_anew(revision) -> None:
    fail(revision, 2)
    health.succeeded(revision.pk)
    fail(revision, 2)
    assert unavailable() == {}


def test_a_success_of_a_healthy_model_asks_nothing(revision, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        health.succeeded(revision.pk)


def test_a_late_success_does_not_close_an_open_breaker(revision) -> None:
    fail(revision, 3)
    health.succeeded(revision.pk)
    assert revision.pk in unavailable()


def test_one_of_two_workers_probes_and_only_after_the_pause(revision) -> None:
    fail(revision, 3)
    assert not health.claim_probe(revision.pk)
    due_for_a_probe(revision)
    assert [health.claim_probe(revision.pk), health.claim_probe(revision.pk)] == [True, False]


def test_closing_gives_talks_again(revision) -> None:
    fail(revision, 3)
    health.close(revision.pk)
    assert unavailable() == {}


def test_a_model_that_only_probes_well_pauses_longer_each_time(revision) -> None:
    pauses = []
    for _ in range(3):
        fail(revision, 3)
        row = ModelHealth.objects.get(pk=revision.pk)
        pauses.append(round((row.probe_at - row.opened_at).total_seconds()))
        health.close(revision.pk)
    assert pauses == [30, 60, 120]


def test_an_answered_turn_makes_the_pause_short_again(revision) -> None:
    fail(revision, 3)
    health.close(revision.pk)
    health.succeeded(revision.pk)
    assert ModelHealth.objects.get(pk=revision.pk).openings == 0


def test_a_pause_has_an_end() -> None:
    assert health.pause(50) == timedelta(minutes=10)


# --- Refused by workers ---


def worker(revision: Revision, state: str, silent_s: float = 0) -> None:
    seen_at = timezone.now() - timedelta(seconds=silent_s)
    row = ServingWorker.objects.create(name="here:1", device="cpu", state="ready", seen_at=seen_at)
    detail = "it needs 9 MB" if state == "refused" else ""
    ServedModel.objects.create(worker=row, revision=revision, state=state, detail=detail, changed_at=seen_at)


def test_a_model_that_every_worker_refused_gets_no_talk(revision) -> None:
    worker(revision, "refused")
    assert unavailable() == {revision.pk: "refused: it needs 9 MB"}


@pytest.mark.parametrize("other", ["ready", "loading", "waiting"])
def test_one_that_holds_it_or_is_about_to_is_enough(revision, other) -> None:
    worker(revision, "refused")
    worker(revision, other)
    assert unavailable() == {}


def test_what_a_worker_said_that_is_gone_counts_no_more(revision) -> None:
    worker(revision, "refused", silent_s=20)
    assert unavailable() == {}
