"""Studies with rated talks, made through the models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.utils import timezone

from chat.models import Arm, Conversation, Participation, SeedContext, Study, Worker
from modelhub.models import RegisteredModel, Revision
from ratings.axes import Axis
from ratings.models import Rating

EIGHT = (
    "ConvAI2",
    "WoW",
    "ED",
    "BST",
    "Random-Skill",
    "MT Two-Stage",
    "MT Single-Skills",
    "MT Single-Skills +BST fine-tuning",
)


@dataclass
class RatedStudy:
    """A study, and the means to put rated talks into it."""

    study: Study
    arms: list[Arm]
    context: SeedContext
    people: dict[tuple[str, bool], Participation] = field(default_factory=dict)

    def participation(self, name: str, simulated: bool) -> Participation:
        key = (name, simulated)
        if key not in self.people:
            worker = Worker.objects.create(simulated=simulated)
            self.people[key] = Participation.objects.create(study=self.study, worker=worker, talks_cap=50)
        return self.people[key]

    def talk(
        self,
        worker: str,
        model: int,
        scores: Sequence[int],
        *,
        simulated: bool = False,
        state: str = Conversation.State.COMPLETE,
    ) -> Conversation:
        """A talk of a worker (by any name) with the model of one arm, rated on the axes in their order."""
        talk = self._talk(worker, model, simulated, state)
        self._store([(talk, scores)])
        return talk

    def fill(self, talks: int, *, seed: int = 1, workers: int = 30, simulated: bool = False) -> None:
        """Seeded talks for every model, the later models rated higher, by workers of different leniency."""
        draw = np.random.default_rng(seed)
        leniency = draw.normal(0, 0.6, workers)
        rated = []
        for model in range(len(self.arms)):
            for _ in range(talks):
                worker = int(draw.integers(workers))
                level = 2.7 + 0.13 * model + leniency[worker] + draw.normal(0, 0.9, len(Axis))
                talk = self._talk(f"{seed}-{worker}", model, simulated, Conversation.State.COMPLETE)
                rated.append((talk, [int(score) for score in np.clip(np.round(level), 1, 5)]))
        self._store(rated)

    def _talk(self, worker: str, model: int, simulated: bool, state: str) -> Conversation:
        person = self.participation(worker, simulated)
        person.talks_taken += 1
        now = timezone.now()
        return Conversation(
            participation=person,
            arm=self.arms[model],
            context=self.context,
            ordinal=person.talks_taken,
            simulated=simulated,
            state=state,
            holds_slot=False,  # none was taken
            last_activity_at=now,
            ended_at=now,
        )

    def _store(self, rated: list[tuple[Conversation, Sequence[int]]]) -> None:
        Conversation.objects.bulk_create(talk for talk, _ in rated)
        Rating.objects.bulk_create(
            Rating(conversation=talk, axis=axis, score=score)
            for talk, scores in rated
            for axis, score in zip(Axis, scores, strict=True)
        )


def make_study(
    slug: str = "table7", models: Iterable[str] = EIGHT, title: str = "Talk with a stranger"
) -> RatedStudy:
    study = Study.objects.create(slug=slug, title=title, template="table7", consent_text="Yes?", state="open")
    arms = []
    for position, name in enumerate(models, start=1):
        model, _ = RegisteredModel.objects.get_or_create(
            name=name, defaults={"slug": f"model-{RegisteredModel.objects.count()}"}
        )
        revision = Revision.objects.create(model=model, number=model.revisions.count() + 1, kind="scripted")
        arms.append(Arm.objects.create(study=study, revision=revision, position=position, target=100))
    context = SeedContext.objects.create(
        study=study,
        ordinal=1,
        source="convai2",
        worker_persona=[],
        model_persona=[],
        worker_seed="",
        model_seed="",
    )
    return RatedStudy(study=study, arms=arms, context=context)
