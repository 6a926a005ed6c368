"""What an export reads: a study, whose work, under which names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db.models import Count, Max, QuerySet, Sum

from analysis.exports.data.names import Names
from analysis.models import StudyLook
from analysis.reading.frames import Population
from chat.models import Conversation, Participation, Refusal, Report, Study
from modelhub.models import RegisteredModel, Revision
from ratings.models import Decision, Finding, GoldExpectation, Judgement, Policy, Rating, SafetyScore

#: Talks that are in memory together, with all their messages; below the 999 places of older SQLites.
TALKS_AT_ONCE = 500
ROWS_AT_ONCE = 2_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Source:
    """Excluded workers' talks and ratings are left out unless ``with_excluded``."""

    study: Study
    population: Population
    names: Names
    with_excluded: bool = False

    @property
    def simulated(self) -> bool:
        return self.population is Population.SIMULATED

    def talks(self) -> QuerySet[Conversation]:
        """Talks of the export, in the order of their ids."""
        found = Conversation.objects.filter(arm__study=self.study, simulated=self.simulated)
        if not self.with_excluded:
            found = found.filter(participation__excluded_at=None)
        return found.order_by("pk")

    def participations(self) -> QuerySet[Participation]:
        """Everybody who entered, excluded or not."""
        return Participation.objects.filter(study=self.study, worker__simulated=self.simulated)

    def talks_by_batch(self) -> Iterator[list[UUID]]:
        """Ids of the talks, as many as are read together."""
        ids = self.talks().values_list("pk", flat=True).iterator(chunk_size=ROWS_AT_ONCE)
        return batches(ids, TALKS_AT_ONCE)

    def mark(self) -> str:
        """Changes with what the database holds; an export that was broken off goes on only under the same one.

        Cheap, and anxious: what is added to another study may change it, which costs no more than starting anew.
        """
        talks = self.talks().aggregate(
            Count("pk"), Sum("last_position"), Max("last_activity_at"), Max("rating_at"), Max("ended_at")
        )
        people = self.participations().aggregate(
            Count("pk"), Count("excluded_at"), Max("excluded_at"), Max("consented_at"), Max("ended_at")
        )
        study = Study.objects.filter(pk=self.study.pk).values().get()
        gold = GoldExpectation.objects.filter(arm__study=self.study).aggregate(Count("pk"), Max("pk"))
        refusals = Refusal.objects.aggregate(Max("pk"), Sum("times"))
        others = [
            model._default_manager.aggregate(Max(name))
            for model, name in (
                *(
                    (table, "pk")
                    for table in (Report, Rating, SafetyScore, Finding, Decision, Policy, Revision, StudyLook)
                ),
                (Finding, "cleared_at"),
                (Judgement, "judged_at"),
                (RegisteredModel, "retired_at"),
            )
        ]
        told = json.dumps([study, talks, people, gold, refusals, others], sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()


def batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last one shorter."""
    while batch := list(islice(items, size)):
        yield batch
