"""The promise about slots, whatever people do: taken = running + finished talks of people."""

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db.models import Count, Q
from django.utils import timezone

from chat import assignment, endings, exclusion, replies, sweeper, turns
from chat import participation as participations
from chat.errors import ChatError
from chat.models import Arm, Conversation, Participation, Study, Turn
from modelhub.dialogue import Reply

STEPS = 200


class Crowd:
    """Workers who do anything at any time; what is refused is refused."""

    def __init__(self, study: Study, join, seed: int) -> None:
        self.study, self.join, self.draw = study, join, random.Random(seed)
        self.said = 0

    def step(self) -> None:
        often = [self.start, self.say, self.answer, self.finish, self.rate]
        seldom = [self.come, self.fail, self.leave, self.idle, self.exclude, self.restore]
        with suppress(ChatError):
            self.draw.choice(often * 3 + seldom)()

    def anyone(self) -> Participation | None:
        everyone = list(Participation.objects.filter(study=self.study).order_by("created_at"))
        return self.draw.choice(everyone) if everyone else None

    def talk(self) -> Conversation | None:
        live = list(Conversation.objects.filter(state__in=Conversation.LIVE))
        return self.draw.choice(live) if live else None

    def come(self) -> None:
        self.join(self.study, simulated_as=self.draw.choice(["", "", "hasty"]))

    def start(self) -> None:
        if someone := self.anyone():
            assignment.start_talk(someone)

    def say(self) -> None:
        if talk := self.talk():
            self.said += 1
            turns.say(talk.id, talk.participation_id, "Something to say.", f"c{self.said}")

    def answer(self) -> None:
        for turn in Turn.objects.filter(state=Turn.State.ASKED)[:3]:
            replies.answer(turn.id, Reply("Something to answer."), 1, 2)

    def fail(self) -> None:
        if turn := Turn.objects.filter(state=Turn.State.ASKED).first():
            Turn.objects.filter(pk=turn.pk).update(attempt=2)
            replies.claim(turn.id)
            replies.give_up(turn.id)

    def finish(self) -> None:
        if talk := self.talk():
            turns.finish(talk.id, talk.participation_id)

    def rate(self) -> None:
        if talk := Conversation.objects.filter(state=Conversation.State.RATING).first():
            endings.complete(talk.id)

    def exclude(self) -> None:
        if someone := self.anyone():
            exclusion.take_out(someone.pk)

    def restore(self) -> None:
        if out := Participation.objects.filter(excluded_at__isnull=False).first():
            exclusion.bring_back(out.pk)

    def leave(self) -> None:
        if someone := self.anyone():
            participations.leave(someone)

    def idle(self) -> None:
        if talk := self.talk():
            an_hour_ago = timezone.now() - timedelta(hours=1)
            Conversation.objects.filter(pk=talk.pk).update(last_activity_at=an_hour_ago)
            sweeper.sweep_once()


def check(study: Study) -> None:
    counting = [Conversation.State.CHATTING, Conversation.State.RATING, Conversation.State.COMPLETE]

    def talks(simulated: bool) -> Count:
        of_kind = Q(
            conversations__state__in=counting,
            conversations__simulated=simulated,
            conversations__holds_slot=True,
        )
        return Count("conversations", filter=of_kind)

    for arm in Arm.objects.filter(study=study).annotate(people=talks(False), simulated=talks(True)):
        assert arm.taken == arm.people <= arm.target
        assert arm.simulated_taken == arm.simulated
    counted = Count("conversations", filter=~Q(conversations__state=Conversation.State.FAILED))
    for each in Participation.objects.annotate(n=counted):
        assert each.talks_taken == each.n <= each.talks_cap


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_taken_is_what_runs_and_is_finished_whatever_people_do(make_study, join, seed):
    study = make_study(arms=3, target=4, min_turns=1, max_turns=2, conversations_per_worker=3)
    crowd = Crowd(study, join, seed)
    for _ in range(STEPS):
        crowd.step()
        check(study)
    ends = set(Conversation.objects.values_list("state", flat=True))
    assert "complete" in ends
    assert len(ends & {"abandoned", "failed", "withdrawn"}) >= 1
