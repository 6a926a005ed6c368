"""What a worker tells about itself, and how it keeps loaded what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from modelhub import registry, serving
from modelhub.errors import AgentFailed
from modelhub.models import ModelHealth, Revision, ServedModel, ServingWorker
from modelhub.serving import health
from modelhub.serving.engine import Engine
from modelhub.serving.keeper import Keeper, wanted_revisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def models(monkeypatch) -> list[Revision]:
    found = [registry.register(f"m{n}", f"M{n}", "scripted", None, {"replies": ["a", "b"]}) for n in range(3)]
    monkeypatch.setattr(serving, "wanted", [lambda: [model.pk for model in found]])
    return found


@pytest.fixture
def keeper(models) -> Iterator[Keeper]:
    keeper = Keeper(Engine(), "cpu", lambda: (300, 7000))
    yield keeper
    keeper.engine.close()


def states() -> dict[str, str]:
    return dict(ServedModel.objects.values_list("revision__model__slug", "state"))


def test_loading_is_seen_from_waiting_to_ready(keeper, models, monkeypatch) -> None:
    seen: list[tuple[str, str]] = []
    note = keeper.entry.note
    monkeypatch.setattr(
        keeper.entry,
        "note",
        lambda revision, state, *rest: (seen.append((revision, state)), note(revision, state)),
    )
    keeper.load_wanted()
    of_one = [state for revision, state in seen if revision == models[1].pk]
    assert of_one == ["waiting", "loading", "warming", "ready"]
    assert states() == {"m0": "ready", "m1": "ready", "m2": "ready"}


def test_a_pulse_tells_the_time_and_the_memory(keeper) -> None:
    ServingWorker.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    keeper.pulse()
    row = ServingWorker.objects.get()
    assert (row.memory_mb, row.memory_free_mb, row.device, row.group) == (300, 7000, "cpu", "")
    assert (timezone.now() - row.seen_at).total_seconds() < 5


def test_a_row_that_was_taken_away_comes_back_with_the_next_pulse(keeper) -> None:
    ServingWorker.objects.all().delete()
    keeper.pulse()
    assert ServingWorker.objects.get().pk == keeper.entry.id


def test_a_round_loads_what_became_wanted(keeper, models, monkeypatch) -> None:
    late = registry.register("late", "Late", "scripted", None, {"replies": ["a"]})
    keeper.load_wanted()
    monkeypatch.setattr(serving, "wanted", [lambda: [late.pk]])
    keeper.keep_up()
    assert late.pk in keeper.engine.loaded


def test_what_nobody_wants_is_unloaded_after_a_while(keeper, models, monkeypatch, settings) -> None:
    keeper.load_wanted()
    monkeypatch.setattr(serving, "wanted", [lambda: [models[0].pk]])
    keeper.keep_up()
    assert len(keeper.engine.loaded) == 3
    settings.SERVING_UNLOAD_AFTER_S = 0
    keeper.keep_up()
    assert keeper.engine.loaded == [models[0].pk]
    assert states() == {"m0": "ready"}


def test_parts_of_what_is_wanted_stay(keeper, models, monkeypatch, settings) -> None:
    settings.SERVING_UNLOAD_AFTER_S = 0
    whole = registry.register("whole", "Whole", "random_skill", None, {}, models)
    monkeypatch.setattr(serving, "wanted", [lambda: [whole.pk]])
    keeper.load_wanted()
    keeper.keep_up()
    assert keeper.engine.loaded == sorted([whole.pk, *(model.pk for model in models)])


def test_a_worker_for_some_models_wants_their_latest_and_those_in_use(models, monkeypatch, settings) -> None:
    newer = registry.register("m1", "M1", "scripted", None, {"replies": ["newer"]})
    assert wanted_revisions(["m1"]) == [newer.pk, models[1].pk]
    settings.SERVING_MODELS = ["m1"]
    assert Keeper(Engine(), "cpu").entry.group == "m1"


def test_a_worker_for_everything_leaves_to_groups_what_they_hold(keeper, models) -> None:
    other = ServingWorker.objects.create(
        name="there:1", group="m2", device="cpu", state="ready", seen_at=timezone.now()
    )
    ServedModel.objects.create(worker=other, revision=models[2], state="ready", changed_at=timezone.now())
    keeper.load_wanted()
    assert keeper.engine.loaded == [models[0].pk, models[1].pk]


def test_what_cannot_be_loaded_is_refused_with_its_sentence(keeper, models, monkeypatch) -> None:
    broken = registry.register("broken", "Broken", "scripted", None, {"replies": []})
    monkeypatch.setattr(serving, "wanted", [lambda: [broken.pk, models[0].pk]])
    keeper.load_wanted()
    row = ServedModel.objects.get(revision=broken)
    assert row.state == "refused" and "a list of sentences" in row.detail
    assert keeper.engine.loaded == [models[0].pk]


def open_breaker(revision: Revision) -> None:
    now = timezone.now()
    ModelHealth.objects.create(revision=revision, is_open=True, opened_at=now, probe_at=now, openings=1)


def test_a_sick_model_is_tried_and_taken_back(keeper, models) -> None:
    keeper.load_wanted()
    open_breaker(models[0])
    keeper.keep_up()
    assert not ModelHealth.objects.get().is_open


def test_a_model_that_fails_its_probe_stays_away_and_longer(keeper, models, monkeypatch) -> None:
    keeper.load_wanted()
    open_breaker(models[0])

    def failing(*_: object) -> None:
        raise AgentFailed("no")

    monkeypatch.setattr(keeper.engine, "probe", failing)
    keeper.keep_up()
    row = ModelHealth.objects.get()
    assert row.is_open and row.openings == 2 and row.probe_at > timezone.now()


def test_a_model_that_was_loaded_anew_is_taken_back(keeper, models) -> None:
    open_breaker(models[0])
    keeper.load_wanted()
    health.forget()
    assert health.unavailable() == {}


def test_leaving_takes_the_rows_away(keeper) -> None:
    keeper.load_wanted()
    keeper.end()
    assert not ServingWorker.objects.exists() and not ServedModel.objects.exists()


@pytest.fixture
def fast_heartbeat(settings) -> None:
    settings.SERVING_HEARTBEAT_S = 0.01


def test_a_database_that_is_away_does_not_end_the_pulse(
    models, monkeypatch, fast_heartbeat, eventually
) -> None:
    pulses: list[int] = []

    def failing(_: Keeper) -> None:
        pulses.append(1)
        raise connection.Database.OperationalError("away")

    monkeypatch.setattr(Keeper, "pulse", failing)
    keeper = Keeper(Engine(), "cpu")
    keeper.begin_pulse()
    eventually(lambda: len(pulses) > 2, "a third pulse")
    keeper._stopped.set()


def test_a_worker_says_that_it_lives_while_it_loads_a_large_model(
    models, monkeypatch, fast_heartbeat, eventually
) -> None:
    pulses: list[int] = []
    monkeypatch.setattr(Keeper, "pulse", lambda _: pulses.append(1))

    def load(revision_id: int, part_of: object) -> None:
        before = len(pulses)
        eventually(lambda: len(pulses) > before + 2, "a pulse while a model is loaded")
        raise AgentFailed("large")

    keeper = Keeper(Engine(load), "cpu")
    keeper.begin_pulse()
    keeper.load_wanted()
    keeper._stopped.set()
    assert set(states().values()) == {"refused"}
