"""A worker's talks go out and come back; slots with them, as far as there is room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat import assignment, endings, exclusion, replies, turns
from chat import participation as participations
from chat.errors import AlreadyExcluded, NotExcluded, WrongStep
from chat.models import Arm, Conversation, Message, Participation, Study
from chat.participation import StepKind
from chat.standing import EXCLUDED, ending_words
from modelhub.dialogue import Reply

pytestmark = pytest.mark.django_db


def finish(person: Participation) -> Conversation:
    """A talk of this person's, from its start to its ratings."""
    talk = assignment.start_talk(person)
    for n in range(person.study.min_turns):
        turns.say(talk.id, person.id, f"This is message {n}.", f"c{n}")
        replies.answer(talk.turns.latest("position").id, Reply(f"Reply {n}."), 1, 2)
    turns.finish(talk.id, person.id)
    endings.complete(talk.id)
    return talk


def taken(study: Study) -> list[int]:
    return list(Arm.objects.filter(study=study).order_by("position").values_list("taken", flat=True))


def test_finished_talks_give_their_slots_back_and_nothing_is_deleted(
    study: Study, participation: Participation
) -> None:
    finish(participation), finish(participation)
    said = Message.objects.count()
    assert exclusion.take_out(participation.pk) == exclusion.Moved(talks=2, slots=2)
    assert taken(study) == [0]
    assert Message.objects.count() == said
    assert participation.conversations.filter(state="complete").count() == 2


def test_a_live_talk_ends_and_no_new_one_begins(study: Study, participation: Participation) -> None:
    finish(participation)
    live = assignment.start_talk(participation)
    exclusion.take_out(participation.pk)
    live = Conversation.objects.select_related("participation__study").get(pk=live.pk)
    assert (live.state, taken(study)) == (Conversation.State.WITHDRAWN, [0])
    assert ending_words(live) == EXCLUDED
    with pytest.raises(WrongStep):
        assignment.start_talk(participation)


def test_who_finished_something_still_gets_the_code(participation: Participation) -> None:
    finish(participation)
    exclusion.take_out(participation.pk)
    assert participations.next_step(participation).kind == StepKind.THANKS
    assert participations.completion_code(participation)


def test_who_finished_nothing_is_at_the_end_too_even_while_the_study_pauses(
    study: Study, participation: Participation
) -> None:
    exclusion.take_out(participation.pk)
    Study.objects.filter(pk=study.pk).update(state=Study.State.PAUSED)
    participation.study.refresh_from_db()
    assert participations.next_step(participation).kind == StepKind.LEFT


def test_they_come_back_with_their_slots(study: Study, participation: Participation) -> None:
    finish(participation)
    exclusion.take_out(participation.pk)
    assert exclusion.bring_back(participation.pk) == exclusion.Moved(talks=1, slots=1)
    assert taken(study) == [1]
    assert assignment.start_talk(participation).ordinal == 2


def test_talks_come_back_without_slots_where_others_filled_the_arm(
    make_study: Callable[..., Study], join: Callable[..., Participation]
) -> None:
    study = make_study(min_turns=1, max_turns=2, target=1)
    one, other = join(study), join(study)
    finish(one)
    exclusion.take_out(one.pk)
    finish(other)
    assert exclusion.bring_back(one.pk) == exclusion.Moved(talks=1, slots=0)
    assert taken(study) == [1]
    exclusion.take_out(one.pk)
    assert taken(study) == [1]
    exclusion.take_out(other.pk)
    assert exclusion.bring_back(one.pk).slots == 1


def test_simulated_talks_fill_no_slot_and_are_counted_apart(
    study: Study, join: Callable[..., Participation]
) -> None:
    simulated = join(study, simulated_as="shouter")
    finish(simulated)
    exclusion.take_out(simulated.pk)
    assert list(Arm.objects.values_list("taken", "simulated_taken")) == [(0, 0)]
    exclusion.bring_back(simulated.pk)
    assert list(Arm.objects.values_list("taken", "simulated_taken")) == [(0, 1)]


def test_twice_is_refused(participation: Participation) -> None:
    with pytest.raises(NotExcluded):
        exclusion.bring_back(participation.pk)
    exclusion.take_out(participation.pk)
    with pytest.raises(AlreadyExcluded):
        exclusion.take_out(participation.pk)
