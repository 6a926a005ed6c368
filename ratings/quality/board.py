"""What the page of a study's workers shows: reads alone, and none of them declares a policy.

Every function makes one query, but ``workers``, which makes none before it is cut, and ``rows``, which makes three
whatever their number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from chat.models import Conversation, Participation, Study
from ratings.models import HIGHEST, LOWEST, Finding, Judgement, Policy, Rating, StudyNorms
from ratings.quality import policy as policies
from ratings.quality import wording
from ratings.quality.catalogue import Act
from ratings.quality.policy import Setting

STANDING = Q(findings__cleared_at=None, findings__conversation=None)


class Show(StrEnum):
    """Which workers are listed."""

    ALL = "all"
    FLAGGED = "flagged"
    DUE = "due"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Tag:
    """What a rule says of a worker, in short. ``talks`` counts talks of which it speaks and not of the worker, else 0.

    ``odds`` is "" where no model of honest work speaks about the rule.
    """

    rule: str
    label: str
    excludes: bool
    odds: str
    talks: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """How often each score from 1 to 5 was given."""

    counts: tuple[int, ...] = (0,) * (HIGHEST - LOWEST + 1)

    @property
    def ratings(self) -> int:
        return sum(self.counts)

    @property
    def highest(self) -> int:
        return max(self.counts)

    @property
    def bars(self) -> list[tuple[int, int, int]]:
        """Of each score its place from the left, its top and its height, in ratings."""
        return [(place, self.highest - count, count) for place, count in enumerate(self.counts)]

    def __str__(self) -> str:
        """For those who do not see the bars."""
        told = ", ".join(f"{count} × {score}" for score, count in enumerate(self.counts, LOWEST))
        return f"{self.ratings} ratings: {told}"


@dataclass(frozen=True, slots=True)
class Row:
    """A worker with their finished talks. Times are medians in seconds, None without a finished talk."""

    participation: Participation
    is_due: bool
    judged_at: datetime | None
    talks: int
    messages: int
    message_s: float | None
    talk_s: float | None
    spread: Spread
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Workers of one population. ``waiting`` have finished a talk since they were judged."""

    workers: int
    judged: int
    waiting: int
    flagged: int
    due: int
    excluded: int


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as the policy asks it, how many workers it flags, and how many honest ones one would expect.

    ``expected`` is None where no model of honest work speaks about the rule, or nothing was measured yet.
    """

    setting: Setting
    flagged: int
    expected: float | None

    @property
    def threshold(self) -> str:
        return wording.threshold(self.setting.rule, self.setting.threshold)


def excluding(policy: Policy) -> list[str]:
    """The names of the rules that exclude."""
    return [name for name, each in policies.settings_of(policy).items() if each.act is Act.EXCLUDE]


def populations(study: Study) -> dict[str, int]:
    """How many people, and how many simulated workers, have begun a talk."""
    begun = Participation.objects.filter(_listed(), study=study)
    counted = begun.aggregate(
        people=Count("pk", filter=Q(worker__simulated=False)),
        simulated=Count("pk", filter=Q(worker__simulated=True)),
    )
    return {"people": counted["people"], "simulated": counted["simulated"]}


def _listed() -> Q:
    """Who has begun a talk, or was excluded before."""
    return Q(Exists(Conversation.objects.filter(participation=OuterRef("pk")))) | Q(excluded_at__isnull=False)


def workers(
    policy: Policy, *, simulated: bool, show: Show = Show.ALL, rule: str = ""
) -> QuerySet[Participation]:
    """Those who are due first, then by the number of their flags. ``rule`` leaves those whom it flags.

    Each has ``is_due`` and ``flags``.
    """
    found = _judged(policy, simulated)
    match show:
        case Show.FLAGGED:
            found = found.filter(flags__gt=0)
        case Show.DUE:
            found = found.filter(is_due=True)
        case Show.EXCLUDED:
            found = found.filter(excluded_at__isnull=False)
    if rule:
        named = Finding.objects.filter(participation=OuterRef("pk"), cleared_at=None, rule=rule)
        found = found.filter(Exists(named))
    return found.select_related("worker", "judgement").order_by("-is_due", "-flags", "created_at", "pk")


def _judged(policy: Policy, simulated: bool) -> QuerySet[Any]:
    """Participations with ``flags`` and ``is_due``, which their type does not know.

    Due are those whom ``decisions.due_for_exclusion`` names; that one would declare a policy where there is none.
    """
    named = Finding.objects.filter(participation=OuterRef("pk"), cleared_at=None, rule__in=excluding(policy))
    of_study = Participation.objects.filter(_listed(), study=policy.study, worker__simulated=simulated)
    return of_study.annotate(
        flags=Count("findings", filter=STANDING),
        is_due=Case(When(Q(Exists(named), excluded_at=None), then=Value(True)), default=Value(False)),
    )


def counts(policy: Policy, *, simulated: bool) -> Counts:
    """Everybody of one population by how they stand."""
    found = _judged(policy, simulated).aggregate(
        workers=Count("pk"),
        judged=Count("pk", filter=Q(judgement__judged_at__isnull=False)),
        waiting=Count("pk", filter=Q(judgement__due_since__isnull=False)),
        flagged=Count("pk", filter=Q(flags__gt=0)),
        due=Count("pk", filter=Q(is_due=True)),
        excluded=Count("pk", filter=Q(excluded_at__isnull=False)),
    )
    return Counts(**found)


def rule_lines(policy: Policy, expected: Mapping[str, float] | None, *, simulated: bool) -> list[RuleLine]:
    """Every rule that the policy asks, in the catalogue's order."""
    standing = Finding.objects.filter(
        participation__study=policy.study, participation__worker__simulated=simulated, cleared_at=None
    )
    flagged = dict(
        standing.order_by().values_list("rule").annotate(workers=Count("participation", distinct=True))
    )
    return [
        RuleLine(setting, flagged.get(name, 0), (expected or {}).get(name))
        for name, setting in policies.settings_of(policy).items()
    ]


def expected_false_flags(study: Study, *, simulated: bool) -> Mapping[str, float] | None:
    """How many workers each rule would flag if all were honest, as the last whole run measured it; None before one.

    Rules of which no model of honest work speaks are not in it.
    """
    stored = StudyNorms.objects.filter(study=study, simulated=simulated).first()
    found: Mapping[str, float] | None = stored.values.get("expected") if stored else None
    return found


def judged_since(study: Study, moment: datetime, *, simulated: bool) -> int:
    """How many workers were judged since then: how far a run that was asked at that moment has come."""
    return Judgement.objects.filter(
        participation__study=study, participation__worker__simulated=simulated, judged_at__gte=moment
    ).count()


# --- One worker a row ---------------------------------------------------------------------------------------------


def rows(people: Iterable[Participation], policy: Policy) -> list[Row]:
    """The workers in their order, with what their finished talks say."""
    listed = list(people)
    ids = [each.pk for each in listed]
    talks, spreads, tags = _talks(ids), _spreads(ids), _tags(ids, frozenset(excluding(policy)))
    return [_row(each, talks[each.pk], spreads[each.pk], tags[each.pk]) for each in listed]


def _row(
    participation: Participation, talks: list[tuple[float, int]], spread: Spread, tags: list[Tag]
) -> Row:
    judgement = getattr(participation, "judgement", None)
    return Row(
        participation=participation,
        is_due=participation.excluded_at is None and any(tag.excludes for tag in tags),
        judged_at=judgement and judgement.judged_at,
        talks=len(talks),
        messages=sum(messages for _, messages in talks),
        message_s=median(seconds / max(messages, 1) for seconds, messages in talks) if talks else None,
        talk_s=median(seconds for seconds, _ in talks) if talks else None,
        spread=spread,
        tags=tuple(sorted(tags, key=lambda tag: (not tag.excludes, tag.talks > 0))),
    )


def _talks(ids: Sequence[UUID]) -> dict[UUID, list[tuple[float, int]]]:
    """Seconds and the worker's messages of each finished talk, as the rules about time take them."""
    finished = Conversation.objects.filter(participation_id__in=ids, state=Conversation.State.COMPLETE)
    found: dict[UUID, list[tuple[float, int]]] = defaultdict(list)
    for talk in finished.only("participation_id", "started_at", "ended_at", "last_position"):
        seconds = (talk.ended_at - talk.started_at).total_seconds() if talk.ended_at else 0.0
        found[talk.participation_id].append((max(seconds, 1.0), talk.worker_turns))
    return found


def _spreads(ids: Sequence[UUID]) -> dict[UUID, Spread]:
    given = Rating.objects.filter(
        conversation__participation_id__in=ids, conversation__state=Conversation.State.COMPLETE
    )
    table: dict[UUID, Counter[int]] = defaultdict(Counter)
    for person, score, number in (
        given.order_by().values_list("conversation__participation_id", "score").annotate(n=Count("pk"))
    ):
        table[person][score] = number
    return defaultdict(
        Spread,
        {
            person: Spread(tuple(scores[score] for score in range(LOWEST, HIGHEST + 1)))
            for person, scores in table.items()
        },
    )


def _tags(ids: Sequence[UUID], excluding: frozenset[str]) -> dict[UUID, list[Tag]]:
    standing = Finding.objects.filter(participation_id__in=ids, cleared_at=None).defer("places", "numbers")
    by_rule: dict[tuple[UUID, str], list[Finding]] = defaultdict(list)
    for finding in standing:
        by_rule[finding.participation_id, finding.rule].append(finding)
    found: dict[UUID, list[Tag]] = defaultdict(list)
    for (person, rule), findings in by_rule.items():
        found[person].append(_tag(rule, findings, rule in excluding))
    return found


def _tag(rule: str, findings: Sequence[Finding], excludes: bool) -> Tag:
    """The findings of one rule about one worker: one, or one a talk."""
    null = findings[0].null_probability
    return Tag(
        rule=rule,
        label=wording.label_of(rule),
        excludes=excludes,
        odds="" if null is None else wording.odds(null),
        talks=sum(finding.conversation_id is not None for finding in findings),
    )
