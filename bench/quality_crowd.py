"""Rows of a study whose workers are honest or bad, made for bench/quality.py; Django must be set up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from chat.models import Arm, Conversation, Message, Participation, Study, Worker
from ratings.axes import Axis
from ratings.models import Rating
from ratings.simulation.behaviours import BAD, Behaviour
from ratings.simulation.talking import Card, Talker

TURNS = 5
ROWS = 5_000
BAD_SHARE = 0.1
REPLIES = [f"Reply {n} tells you about number {n} of a thousand things." for n in range(1000)]


class Crowd:
    """Rows of a study of so many workers, made a chunk at a time."""

    def __init__(self, study: Study, arms: list[Arm], rng: random.Random) -> None:
        self.study, self.arms, self.rng = study, arms, rng
        self.context = study.contexts.first()
        self.began = timezone.now() - timedelta(days=1)

    def store(self, workers: int, talks: int) -> None:
        """``talks`` in all, spread as evenly as can be over ``workers``."""
        done = 0
        for start in range(0, workers, ROWS):
            number = min(ROWS, workers - start)
            share = (talks - done) * number // (workers - start)
            self._chunk(number, share)
            done += share

    def _chunk(self, workers: int, talks: int) -> None:
        everybody = Worker.objects.bulk_create(Worker() for _ in range(workers))
        people = Participation.objects.bulk_create(
            Participation(study=self.study, worker=worker, talks_cap=50, state="consented")
            for worker in everybody
        )
        held = Conversation.objects.bulk_create(
            self._talk(people[n % workers], n // workers + 1) for n in range(talks)
        )
        behaviours = {person.pk: self._behaviour() for person in people}
        Message.objects.bulk_create(
            (message for talk in held for message in self._messages(talk, behaviours[talk.participation_id])),
            batch_size=ROWS,
        )
        Rating.objects.bulk_create(
            (
                Rating(conversation=talk, axis=axis, score=self._score(behaviours[talk.participation_id]))
                for talk in held
                for axis in Axis
            ),
            batch_size=ROWS,
        )

    def _behaviour(self) -> Behaviour:
        return self.rng.choice(BAD) if self.rng.random() < BAD_SHARE else Behaviour.HONEST

    def _talk(self, person: Participation, ordinal: int) -> Conversation:
        return Conversation(
            participation=person,
            arm=self.rng.choice(self.arms),
            context=self.context,
            ordinal=ordinal,
            state=Conversation.State.COMPLETE,
            last_activity_at=self.began,
            ended_at=self.began + timedelta(days=1, seconds=self.rng.lognormvariate(5.8, 0.4)),
        )

    def _messages(self, talk: Conversation, behaviour: Behaviour) -> Iterator[Message]:
        talker, heard = Talker(behaviour, Card(topic="bees"), self.rng), [""]
        for turn in range(TURNS):
            yield Message(conversation=talk, position=2 * turn + 1, speaker="worker", text=talker.next(heard))
            heard.append(self.rng.choice(REPLIES))
            yield Message(conversation=talk, position=2 * turn + 2, speaker="model", text=heard[-1])

    def _score(self, behaviour: Behaviour) -> int:
        return (
            4
            if behaviour is Behaviour.STRAIGHT_LINER
            else self.rng.choices([1, 2, 3, 4, 5], [1, 2, 4, 4, 2])[0]
        )
