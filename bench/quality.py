"""How long it takes to judge a whole study, without the safety classifier.

    .venv/bin/python bench/quality.py [--messages 1000000] [--workers 50000] [--postgresql URL]

The crowd is simulated: what honest and bad workers say comes from the lines of ratings.simulation, one in ten is bad.
Also printed: how long one worker takes who has just finished a talk, and the largest memory.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from datetime import timedelta

import own_site
from machine import machine

options = own_site.parser(__doc__.splitlines()[0])
options.add_argument("--messages", type=int, default=1_000_000, help="in all, half of them the models'")
options.add_argument("--workers", type=int, default=50_000)
options.add_argument("--seed", type=int, default=1)
arguments = options.parse_args()
own_site.open_site(arguments)

from django.utils import timezone  # noqa: E402

from chat.models import Arm, Conversation, Message, Participation, Study, Worker  # noqa: E402
from ratings.axes import Axis  # noqa: E402
from ratings.models import Finding, Rating  # noqa: E402
from ratings.quality import judging  # noqa: E402
from ratings.quality.due import mark_due  # noqa: E402
from ratings.simulation.behaviours import BAD, Behaviour  # noqa: E402
from ratings.simulation.talking import Card, Talker  # noqa: E402

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


def study_of_eight() -> Crowd:
    study = own_site.make_study(own_site.scripted(0))
    return Crowd(study, list(study.arms.all()), random.Random(arguments.seed))


def judged_s(crowd: Crowd) -> tuple[float, judging.Judged]:
    began = time.monotonic()
    judged = judging.judge_study(crowd.study, simulated=False)
    return time.monotonic() - began, judged


def one_worker_ms(crowd: Crowd) -> float:
    person = Participation.objects.filter(study=crowd.study).first()
    assert person
    mark_due(person.pk)
    began = time.monotonic()
    judging.judge_due()
    return 1000 * (time.monotonic() - began)


try:
    own_site.migrate()
    made = study_of_eight()
    began = time.monotonic()
    made.store(arguments.workers, arguments.messages // (2 * TURNS))
    print(f"{own_site.services(arguments)}; {machine()}; stored in {time.monotonic() - began:.0f} s")
    first_s, found = judged_s(made)
    again_s, _ = judged_s(made)
    print(f"{found.workers} workers, {found.talks} talks, {2 * found.messages} messages, {found.flags} flags")
    for rule in sorted(set(Finding.objects.values_list("rule", flat=True))):
        print(f"  {rule}: {Finding.objects.filter(rule=rule).count()}")
    print(f"judged in {first_s:.1f} s, again in {again_s:.1f} s; one worker {one_worker_ms(made):.0f} ms")
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
finally:
    own_site.close_site(arguments)
