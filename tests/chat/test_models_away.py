"""Models that are sick, refused or overloaded get no new talk, and the quotas stay balanced."""

from __future__ import annotations

import pytest
from django.utils import timezone

from chat import assignment, load, replies
from chat.errors import PartnersAway, StudyFull
from chat.models import Arm, Study, Turn
from chat.participation import StepKind, next_step
from modelhub.models import ModelHealth, ServedModel, ServingWorker
from modelhub.serving import health

pytestmark = pytest.mark.django_db


def sicken(arm: Arm) -> None:
    ModelHealth.objects.update_or_create(
        revision=arm.revision, defaults={"is_open": True, "reason": "engine_timeout"}
    )
    health.forget()


def heal(arm: Arm) -> None:
    health.close(arm.revision_id)


def taken(study: Study) -> list[int]:
    return list(study.arms.order_by("position").values_list("taken", flat=True))


def test_a_sick_model_gets_no_new_talk(make_study, join) -> None:
    study = make_study(arms=2)
    sicken(study.arms.get(position=1))
    got = {assignment.start_talk(join(study)).arm.position for _ in range(6)}
    assert got == {2}


def test_quotas_end_as_planned_although_a_model_was_away_for_a_while(make_study, join) -> None:
    study = make_study(arms=4, target=10)
    sick = study.arms.get(position=3)
    for _ in range(8):
        assignment.start_talk(join(study))
    sicken(sick)
    for _ in range(12):
        assignment.start_talk(join(study))
        others = [n for place, n in enumerate(taken(study), 1) if place != 3]
        assert max(others) - min(others) <= 1
    assert taken(study)[2] == 2
    heal(sick)
    for _ in range(20):
        assignment.start_talk(join(study))
    assert taken(study) == [10] * 4
    with pytest.raises(StudyFull):
        assignment.start_talk(join(study))


def test_a_model_that_is_back_is_due_first(make_study, join) -> None:
    study = make_study(arms=2)
    sick = study.arms.get(position=1)
    sicken(sick)
    for _ in range(3):
        assignment.start_talk(join(study))
    heal(sick)
    assert [assignment.start_talk(join(study)).arm.position for _ in range(3)] == [1, 1, 1]


def test_where_every_model_is_away_people_wait_and_no_slot_is_lost(study, participation) -> None:
    sicken(study.arms.get())
    with pytest.raises(PartnersAway):
        assignment.start_talk(participation)
    participation.refresh_from_db()
    assert (taken(study), participation.talks_taken) == ([0], 0)
    assert next_step(participation).kind == StepKind.WAIT
    heal(study.arms.get())
    assert next_step(participation).kind == StepKind.START


def test_a_study_without_room_is_full_however_its_models_are(study, join) -> None:
    study.arms.update(taken=10)
    sicken(study.arms.get())
    assert next_step(join(study)).kind == StepKind.FULL


def test_a_model_that_no_worker_could_hold_gets_no_talk(make_study, join) -> None:
    study = make_study(arms=2)
    worker = ServingWorker.objects.create(name="here:1", device="cpu", state="ready", seen_at=timezone.now())
    refused = study.arms.get(position=2).revision
    ServedModel.objects.create(worker=worker, revision=refused, state="refused", changed_at=timezone.now())
    health.forget()
    assert {assignment.start_talk(join(study)).arm.position for _ in range(4)} == {1}


def test_a_model_that_owes_too_much_gets_no_talk(make_study, join, settings) -> None:
    study = make_study(arms=2)
    settings.MODEL_QUEUE_LIMIT = 1
    busy = assignment.start_talk(join(study))
    busy.turns.create(position=2)
    load.forget()
    got = {assignment.start_talk(join(study)).arm_id for _ in range(4)}
    assert busy.arm_id not in got


# --- Turns that a worker had no room for --------------------------------------------------------------------------


def test_a_turn_that_is_put_back_loses_no_attempt(talk, monkeypatch) -> None:
    asked: list[tuple[int, float]] = []
    monkeypatch.setattr("chat.asking.ask", lambda turn_id, _, after_s=0: asked.append((turn_id, after_s)))
    turn = talk.turns.create(position=2)
    claimed = replies.claim(turn.pk)
    assert claimed and claimed.attempt == 1
    replies.put_back(claimed)
    turn.refresh_from_db()
    assert (turn.state, turn.attempt) == (Turn.State.ASKED, 0)
    assert asked == [(turn.pk, replies.PUT_BACK_S)]
