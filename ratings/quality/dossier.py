"""What the page of one worker shows: findings with the very messages and ratings, talks, decisions. Reads alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from chat.models import Conversation, Message, Participation
from ratings.axes import Axis
from ratings.models import Decision, Finding, Policy, Rating
from ratings.quality import wording
from ratings.quality.catalogue import BY_NAME, About, Act, Rule
from ratings.quality.policy import settings_of

#: So many talks of a finding are open to read at once; the others one click away.
OPEN_TALKS = 4


class Place(NamedTuple):
    """As a finding stores it: a talk, and in it a message's position or a rating's axis."""

    talk: UUID
    position: int | None
    axis: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message that a finding names."""

    position: int
    is_workers: bool
    text: str


@dataclass(frozen=True, slots=True)
class TalkLine:
    """A talk with its ratings in the order of the axes, None where there is none; ``rules`` flag the talk itself."""

    talk: Conversation
    scores: tuple[int | None, ...]
    rules: tuple[str, ...]

    @property
    def seconds(self) -> str:
        if self.talk.ended_at is None:
            return ""
        return wording.seconds((self.talk.ended_at - self.talk.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding names of one talk. ``is_theirs`` is false for another worker's talk that says the same."""

    talk: TalkLine
    is_theirs: bool
    lines: tuple[Line, ...]
    scores: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What one rule says of the worker, told whole: a standing finding, or one a talk where it speaks of talks.

    ``rule`` is None where the catalogue has it no longer.
    """

    findings: tuple[Finding, ...]
    rule: Rule | None
    act: Act
    evidence: tuple[Evidence, ...]

    @property
    def finding(self) -> Finding:
        """The newest."""
        return self.findings[0]

    @property
    def label(self) -> str:
        return wording.label_of(self.finding.rule)

    @property
    def talks(self) -> int:
        """Of how many talks it speaks, and not of the worker; else 0."""
        return sum(finding.conversation_id is not None for finding in self.findings)

    @property
    def is_about_worker(self) -> bool:
        return self.rule is None or self.rule.about is not About.MODEL

    @property
    def named(self) -> str:
        """What the evidence consists of."""
        if any(each.lines for each in self.evidence):
            return "messages"
        return "ratings" if any(each.scores for each in self.evidence) else "talks"

    @property
    def excludes(self) -> bool:
        return self.act is Act.EXCLUDE

    @property
    def threshold(self) -> str:
        value = self.finding.threshold
        return wording.threshold(self.rule, value) if self.rule else f"{value:g}"

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """Counts of several talks are added up."""
        totals = dict(self.finding.numbers)
        for finding in self.findings[1:]:
            for name, number in finding.numbers.items():
                if isinstance(number, int) and isinstance(totals.get(name), int):
                    totals[name] += number
        return list(wording.numbers(totals))

    @property
    def odds(self) -> str:
        """ "" where no model of honest work speaks about the rule."""
        null = self.finding.null_probability
        return "" if null is None else wording.odds(null)

    @property
    def open_evidence(self) -> Sequence[Evidence]:
        return self.evidence[:OPEN_TALKS]

    @property
    def more_evidence(self) -> Sequence[Evidence]:
        return self.evidence[OPEN_TALKS:]


@dataclass(frozen=True, slots=True)
class Dossier:
    """``cases`` hold now, those that exclude first; ``cleared`` held once. ``decisions`` are newest first."""

    cases: tuple[Case, ...]
    cleared: tuple[tuple[str, Finding], ...]
    talks: tuple[TalkLine, ...]
    decisions: tuple[Decision, ...]


def dossier(participation: Participation, policy: Policy) -> Dossier:
    """Five queries, however much there is."""
    findings = list(participation.findings.select_related("policy").order_by("-found_at", "pk"))
    standing = [finding for finding in findings if finding.cleared_at is None]
    talks = _talks(participation, standing)
    texts = _texts(standing)
    acts = {name: each.act for name, each in settings_of(policy).items()}
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in standing:
        by_rule[finding.rule].append(finding)
    cases = [
        Case(
            findings=tuple(found),
            rule=BY_NAME.get(rule),
            act=acts.get(rule, Act.OFF),
            evidence=_evidence(participation, found, talks, texts),
        )
        for rule, found in by_rule.items()
    ]
    return Dossier(
        cases=tuple(sorted(cases, key=lambda case: (not case.excludes, case.talks > 0))),
        cleared=tuple((wording.label_of(f.rule), f) for f in findings if f.cleared_at is not None),
        talks=tuple(line for line in talks.values() if line.talk.participation_id == participation.pk),
        decisions=tuple(participation.decisions.select_related("policy")),
    )


def _places(finding: Finding) -> Iterator[Place]:
    for talk, position, axis in finding.places:
        yield Place(UUID(talk), position, axis)


def _talks(participation: Participation, standing: Sequence[Finding]) -> dict[UUID, TalkLine]:
    """The worker's talks, first to last, and the others of the study that findings name."""
    named = {place.talk for finding in standing for place in _places(finding)}
    talks = list(
        Conversation.objects.filter(
            Q(participation=participation) | Q(pk__in=named), arm__study=participation.study_id
        )
        .select_related("arm__revision__model", "participation__worker")
        .order_by("started_at", "pk")
    )
    scores: dict[UUID, dict[str, int]] = defaultdict(dict)
    ratings = Rating.objects.filter(conversation__in=talks).order_by()
    for talk, axis, score in ratings.values_list("conversation_id", "axis", "score"):
        scores[talk][axis] = score
    return {talk.pk: _talk_line(talk, scores[talk.pk], standing) for talk in talks}


def _talk_line(talk: Conversation, scores: dict[str, int], standing: Sequence[Finding]) -> TalkLine:
    return TalkLine(
        talk=talk,
        scores=tuple(scores.get(axis.value) for axis in Axis),
        rules=tuple(wording.label_of(each.rule) for each in standing if each.conversation_id == talk.pk),
    )


def _texts(standing: Sequence[Finding]) -> dict[tuple[UUID, int], Line]:
    """The messages that findings name; one query, which also reads what stands at the same places of other talks."""
    named = {(p.talk, p.position) for f in standing for p in _places(f) if p.position is not None}
    rows = Message.objects.filter(
        conversation_id__in={talk for talk, _ in named}, position__in={position for _, position in named}
    )
    return {
        (talk, position): Line(position, speaker == Message.Speaker.WORKER, text)
        for talk, position, speaker, text in rows.values_list(
            "conversation_id", "position", "speaker", "text"
        )
    }


def _evidence(
    participation: Participation,
    findings: Sequence[Finding],
    talks: Mapping[UUID, TalkLine],
    texts: Mapping[tuple[UUID, int], Line],
) -> tuple[Evidence, ...]:
    """What the findings name, talk by talk: the worker's own first, as they were held."""
    by_talk: dict[UUID, list[Place]] = defaultdict(list)
    for place in (place for finding in findings for place in _places(finding)):
        if place.talk in talks:
            by_talk[place.talk].append(place)
    found = [
        Evidence(
            talk=talks[talk],
            is_theirs=talks[talk].talk.participation_id == participation.pk,
            lines=_lines(places, texts),
            scores=_scores(places, talks[talk]),
        )
        for talk, places in by_talk.items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.is_theirs, each.talk.talk.started_at)))


def _lines(places: Sequence[Place], texts: Mapping[tuple[UUID, int], Line]) -> tuple[Line, ...]:
    named = [(place.talk, place.position) for place in places if place.position is not None]
    return tuple(texts[key] for key in named if key in texts)


def _scores(places: Sequence[Place], talk: TalkLine) -> tuple[tuple[str, int], ...]:
    """The ratings that are named, each with its axis, in the order of the axes."""
    named = {place.axis for place in places}
    return tuple(
        (axis.label, score)
        for axis, score in zip(Axis, talk.scores, strict=True)
        if axis.value in named and score is not None
    )
