"""One worker's way through a study."""

import hashlib
import re

import pytest

from chat import assignment, endings, participation, studies, turns
from chat.errors import BadToken, NoCodeYet, StudyNotOpen, WrongStep
from chat.identity import cookie_value, worker_of
from chat.models import Conversation, Participation, Study, Worker
from chat.participation import StepKind, completion_code, next_step

pytestmark = pytest.mark.django_db


def kind(of: Participation) -> StepKind:
    return next_step(of).kind


def rated(of: Participation) -> Conversation:
    """A whole talk, by hand."""
    talk = assignment.start_talk(of)
    Conversation.objects.filter(pk=talk.pk).update(state=Conversation.State.RATING)
    endings.complete(talk.pk)
    return talk


def test_the_way_leads_from_consent_to_the_first_talk_and_its_rating(study):
    mine = participation.enter(study, None)
    assert kind(mine) == StepKind.CONSENT
    participation.consent(mine)
    assert kind(mine) == StepKind.START
    talk = assignment.start_talk(mine)
    assert next_step(mine) == participation.Step(StepKind.TALK, 0, talk)
    Conversation.objects.update(state=Conversation.State.RATING)
    assert kind(mine) == StepKind.RATE
    endings.complete(talk.pk)
    assert next_step(mine) == participation.Step(StepKind.START, 1)


def test_entering_again_finds_the_same_participation(study):
    first = participation.enter(study, None)
    assert participation.enter(study, first.worker) == first
    assert Participation.objects.count() == 1


def test_consent_keeps_the_hash_of_the_text_that_was_shown(participation, study):
    assert participation.consent_sha256 == hashlib.sha256(study.consent_text.encode()).hexdigest()
    assert participation.consented_at


def test_who_declined_may_think_again_but_not_talk_before(study):
    mine = participation.enter(study, None)
    participation.decline(mine)
    assert kind(mine) == StepKind.DECLINED
    with pytest.raises(WrongStep):
        assignment.start_talk(mine)
    participation.consent(mine)
    assert kind(mine) == StepKind.START


def test_who_left_cannot_consent_or_talk_again(study, join):
    mine = join(study)
    participation.leave(mine)
    for forbidden in (participation.consent, participation.decline, assignment.start_talk):
        with pytest.raises(WrongStep):
            forbidden(mine)
    assert kind(mine) == StepKind.LEFT


def test_leaving_withdraws_the_live_talk_and_gives_its_slot_back(study, join):
    mine = join(study)
    talk = assignment.start_talk(mine)
    participation.leave(mine)
    participation.leave(mine)
    talk.refresh_from_db()
    assert talk.state == Conversation.State.WITHDRAWN
    assert study.arms.get().taken == 0
    assert mine.state == Participation.State.LEFT


@pytest.mark.parametrize(("state", "step"), [("paused", StepKind.PAUSED), ("closed", StepKind.CLOSED)])
def test_a_study_that_is_not_open_lets_no_talk_begin(study, join, state, step):
    mine = join(study)
    Study.objects.update(state=state)
    assert kind(mine) == step
    with pytest.raises(StudyNotOpen):
        assignment.start_talk(mine)
    with pytest.raises(StudyNotOpen):
        participation.enter(study, None)
    assert participation.enter(study, mine.worker) == mine


def test_a_talk_under_way_goes_on_when_the_study_closes(study, join):
    mine = join(study)
    talk = assignment.start_talk(mine)
    studies.close(study)
    assert next_step(mine).conversation == talk


def test_a_full_study_says_so(make_study, join):
    study = make_study(target=1)
    assignment.start_talk(join(study))
    assert kind(join(study)) == StepKind.FULL


def test_who_finished_all_their_talks_is_thanked(make_study, join):
    mine = join(make_study(conversations_per_worker=1))
    rated(mine)
    assert kind(mine) == StepKind.THANKS
    assert mine.state == Participation.State.CONSENTED
    mine.refresh_from_db()
    assert mine.state == Participation.State.DONE


def test_who_used_up_their_talks_without_finishing_one_has_nothing_left(make_study, join):
    mine = join(make_study(conversations_per_worker=1))
    endings.end(assignment.start_talk(mine).pk, Conversation.State.ABANDONED)
    assert kind(mine) == StepKind.LEFT


def test_who_finished_some_talks_is_thanked_when_the_study_is_full(make_study, join):
    study = make_study(target=1)
    mine = join(study)
    rated(mine)
    assert kind(mine) == StepKind.THANKS


# --- Talks that failed by the site's fault ------------------------------------------------------------------------


def failed(of: Participation, said: str = "Is anybody there?") -> Conversation:
    """A talk whose partner could not be reached."""
    talk = assignment.start_talk(of)
    if said:
        turns.say(talk.pk, of.pk, said, "c1")
    endings.end(talk.pk, Conversation.State.FAILED)
    return talk


def test_who_only_had_a_failed_talk_gets_a_code(study, join):
    mine = join(study)
    failed(mine)
    participation.leave(mine)
    assert kind(mine) == StepKind.THANKS
    assert participation.is_code_of(mine, completion_code(mine))


def test_a_failed_talk_in_which_nothing_was_said_is_not_paid(study, join):
    mine = join(study)
    failed(mine, said="")
    participation.leave(mine)
    assert kind(mine) == StepKind.LEFT
    with pytest.raises(NoCodeYet):
        completion_code(mine)


def test_a_failed_talk_takes_none_of_the_workers_talks(make_study, join):
    mine = join(make_study(conversations_per_worker=1))
    first = failed(mine)
    assert next_step(mine) == participation.Step(StepKind.START, completed=0, failed=1)
    second = rated(mine)
    assert (first.ordinal, second.ordinal) == (1, 2)
    assert participation.talk_number(second) == 1
    assert next_step(mine) == participation.Step(StepKind.THANKS, completed=1, failed=1)


def test_when_the_study_is_full_after_a_failed_talk_the_code_is_due(make_study, join):
    study = make_study(target=1)
    mine = join(study)
    failed(mine)
    assignment.start_talk(join(study))
    assert kind(mine) == StepKind.THANKS


@pytest.mark.parametrize("state", [Conversation.State.ABANDONED, Conversation.State.WITHDRAWN])
def test_a_talk_that_ended_otherwise_is_neither_paid_nor_given_back(study, join, state):
    mine = join(study)
    talk = assignment.start_talk(mine)
    turns.say(talk.pk, mine.pk, "I have to go.", "c1")
    endings.end(talk.pk, state)
    assert next_step(mine) == participation.Step(StepKind.START, completed=0)
    assert mine.talks_taken == 1


# --- The code -----------------------------------------------------------------------------------------------------


def test_there_is_no_code_before_the_end(study, join):
    mine = join(study)
    rated(mine)
    with pytest.raises(NoCodeYet):
        completion_code(mine)


def test_there_is_no_code_for_who_left_without_a_finished_talk(study, join):
    mine = join(study)
    assignment.start_talk(mine)
    participation.leave(mine)
    with pytest.raises(NoCodeYet):
        completion_code(mine)


def test_the_code_is_the_same_at_each_return_and_has_a_hundred_bits(study, join):
    mine = join(study)
    rated(mine)
    participation.leave(mine)
    code = completion_code(mine)
    assert re.fullmatch(r"[A-Z2-7]{5}(-[A-Z2-7]{5}){3}", code)
    assert completion_code(Participation.objects.get()) == code


def test_one_persons_code_is_no_use_to_another(study, join):
    mine, other = join(study), join(study)
    for each in (mine, other):
        rated(each)
        participation.leave(each)
    assert participation.is_code_of(mine, completion_code(mine).lower())
    assert not participation.is_code_of(other, completion_code(mine))


def test_a_true_code_is_not_taken_before_the_end(study, join):
    mine = join(study)
    rated(mine)
    assert not participation.is_code_of(mine, participation._code(mine))


def test_the_code_depends_on_the_sites_key(study, join, settings):
    mine = join(study)
    before = participation._code(mine)
    settings.SECRET_KEY = "another"
    assert participation._code(mine) != before


# --- Who somebody is ----------------------------------------------------------------------------------------------


def test_the_cookie_names_its_worker(worker, settings):
    assert worker_of({settings.WORKER_COOKIE_NAME: cookie_value(worker)}) == worker


@pytest.mark.parametrize("forged", ["", "x", "x:y:z", "{id}", "{cookie}x"])
def test_a_forged_cookie_names_nobody(worker, settings, forged):
    value = forged.format(id=worker.id, cookie=cookie_value(worker))
    assert worker_of({settings.WORKER_COOKIE_NAME: value}) is None
    assert worker_of({}) is None


def test_a_cookie_of_another_purpose_names_nobody(worker, settings):
    from django.core import signing

    assert worker_of({settings.WORKER_COOKIE_NAME: signing.dumps(str(worker.id), salt="other")}) is None


def test_a_simulations_link_makes_a_simulated_worker(study):
    behaviour = participation.behaviour_of(participation.simulation_token("hasty"))
    made = participation.enter(study, None, simulated_as=behaviour).worker
    assert (made.simulated, made.behaviour) == (True, "hasty")


def test_a_person_never_turns_into_a_simulated_worker(study, worker):
    made = participation.enter(study, worker, simulated_as="hasty").worker
    worker.refresh_from_db()
    assert made != worker
    assert not worker.simulated
    assert Worker.objects.filter(simulated=True).count() == 1


def test_a_forged_simulation_token_is_refused():
    with pytest.raises(BadToken):
        participation.behaviour_of("hasty:forged")
