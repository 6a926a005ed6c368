"""Judge workers: all of a study, or those whose talks were just finished.

A whole run measures the study and asks every rule. As talks finish, their workers are judged again by the rules that
look at one worker, against what the last whole run measured. Both write the same findings; either may be killed at any
time and run again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.utils import timezone

from chat.models import Study
from chat.traces import shared_traces
from ratings.models import Judgement, Policy
from ratings.quality import accounts, columns, findings, norms, reading
from ratings.quality import crowd as crowd_rules
from ratings.quality.columns import Columns
from ratings.quality.copying import Sketches, Source, copied_text
from ratings.quality.evidence import Flag, WorkerWork
from ratings.quality.norms import Norms
from ratings.quality.policy import in_force
from ratings.quality.rules import Judge

logger = logging.getLogger(__name__)

#: A task's share: the next one goes on.
MOST_AT_ONCE = 200


@dataclass(slots=True)
class Judged:
    """What a run looked at and found."""

    workers: int = 0
    talks: int = 0
    messages: int = 0
    flags: int = 0

    def add(self, works: Sequence[WorkerWork], flags: dict[UUID, list[Flag]]) -> None:
        self.workers += len(works)
        self.talks += sum(len(work.talks) for work in works)
        self.messages += sum(work.messages for work in works)
        self.flags += sum(map(len, flags.values()))


@dataclass(slots=True)
class _Crowd:
    """What a whole run keeps of everybody, for the rules that compare them."""

    sketches: Sketches = field(default_factory=Sketches)
    workers: list[tuple[UUID, int]] = field(default_factory=list)

    def add(self, works: Sequence[WorkerWork]) -> None:
        for work in works:
            number = len(self.workers)
            self.workers.append((work.participation, work.messages))
            for talk in work.talks:
                for said in talk.said:
                    self.sketches.add(Source(number, talk.talk, said.position), said.text)


def judge_study(
    study: Study, *, simulated: bool, on_progress: Callable[[int, int], None] = lambda done, of: None
) -> Judged:
    """Judge everybody of one population who finished a talk; ``on_progress`` is told how many of how many are done."""
    judge, judged, crowd = Judge(study, in_force(study)), Judged(), _Crowd()
    data = columns.read(study, simulated=simulated)
    measured = norms.measure(data, judge.settings)
    if measured:
        norms.store(study, measured, simulated=simulated)
        _judge_against(judge, data, measured, judged)
    # Simulating honest raters is arithmetic without the database: another core does it meanwhile.
    with ThreadPoolExecutor(1) as aside:
        unrelated = aside.submit(_unrelated, judge, data, measured)
        for ids in reading.batches(data.people):
            crowd.add(_judge(judge, ids, judged))
            on_progress(judged.workers, len(data.people))
        _store(judge, data.people, unrelated.result(), "unrelated_ratings", judged)
    # Simulated workers all speak from one book of lines.
    _compare(judge, crowd if not simulated else replace(crowd, sketches=Sketches()), judged)
    _look_for_shared_accounts(judge, study, data, judged)
    logger.info("study judged", extra={"study": study.slug, "workers": judged.workers, "flags": judged.flags})
    return judged


def _judge_against(judge: Judge, data: Columns, measured: Norms, judged: Judged) -> None:
    """The rules that measure a worker against the study."""
    found = crowd_rules.flags(data, measured, judge.settings)
    for people in reading.batches(data.people):
        flags = {each: found.get(each, []) for each in people}
        findings.store(judge.policy, judge.settings, flags, rules=crowd_rules.RULES)
    judged.flags += sum(map(len, found.values()))


def _unrelated(judge: Judge, data: Columns, measured: Norms | None) -> dict[UUID, Flag]:
    setting = judge.settings.get("unrelated_ratings")
    return crowd_rules.unrelated(data, measured, setting) if setting and measured else {}


def _store(
    judge: Judge, everybody: Sequence[UUID], found: dict[UUID, Flag], rule: str, judged: Judged
) -> None:
    """Findings of one rule about everybody."""
    for people in reading.batches(everybody):
        flags = {person: [found[person]] if person in found else [] for person in people}
        findings.store(judge.policy, judge.settings, flags, rules=[rule])
    judged.flags += len(found)


def _judge(judge: Judge, ids: Sequence[UUID], judged: Judged) -> list[WorkerWork]:
    """Look at these workers, each alone. Who finishes a talk meanwhile stays due."""
    started = timezone.now()
    works = reading.read(ids)
    flags = {work.participation: judge.flags(work) for work in works}
    findings.store(judge.policy, judge.settings, flags, rules=judge.rules)
    _remember(works, judge.policy)
    Judgement.objects.filter(participation_id__in=ids, due_since__lt=started).update(due_since=None)
    judged.add(works, flags)
    return works


def _remember(works: Sequence[WorkerWork], policy: Policy) -> None:
    Judgement.objects.bulk_create(
        [
            Judgement(
                participation_id=work.participation,
                judged_at=timezone.now(),
                talks=len(work.talks),
                policy=policy,
            )
            for work in works
        ],
        update_conflicts=True,
        unique_fields=["participation"],
        update_fields=["judged_at", "talks", "policy"],
        batch_size=500,
    )


def _compare(judge: Judge, crowd: _Crowd, judged: Judged) -> None:
    """The rule that needs everybody's messages at once."""
    found: dict[UUID, Flag] = {}
    if setting := judge.settings.get("copied_text"):
        found = copied_text(crowd.workers, crowd.sketches.copies(), setting.threshold)
    _store(judge, [person for person, _ in crowd.workers], found, "copied_text", judged)


def _look_for_shared_accounts(judge: Judge, study: Study, data: Columns, judged: Judged) -> None:
    """Traces exist for some days only: a finding outlives them, as it was when they were there."""
    flags: dict[UUID, list[Flag]] = {person: [] for person in data.people}
    if setting := judge.settings.get("shared_account"):
        found = accounts.shared(shared_traces(study), setting.threshold)
        flags = {person: [found[person]] for person in data.people if person in found}
    findings.store(judge.policy, judge.settings, flags, rules=["shared_account"])
    judged.flags += sum(map(len, flags.values()))


def who_is_due() -> list[UUID]:
    """Workers who finished a talk since they were judged last, longest waiting first; a task's share."""
    due = Judgement.objects.filter(due_since__isnull=False).order_by("due_since")
    return list(due.values_list("participation_id", flat=True)[:MOST_AT_ONCE])


def judge_due() -> int:
    """Judge those who are due; gives their number."""
    due = Judgement.objects.filter(participation_id__in=who_is_due())
    groups: dict[tuple[int, bool], list[UUID]] = defaultdict(list)
    for participation, study_id, simulated in due.values_list(
        "participation_id", "participation__study_id", "participation__worker__simulated"
    ):
        groups[study_id, simulated].append(participation)
    studies = Study.objects.in_bulk({study_id for study_id, _ in groups})
    for (study_id, simulated), people in groups.items():
        _judge_some(studies[study_id], people, simulated=simulated)
    return sum(map(len, groups.values()))


def _judge_some(study: Study, people: Sequence[UUID], *, simulated: bool) -> None:
    judge, judged = Judge(study, in_force(study)), Judged()
    if known := norms.current(study, judge.settings, simulated=simulated):
        data = columns.read(study, simulated=simulated, only=people)
        _judge_against(judge, data, known, judged)
    _judge(judge, people, judged)
