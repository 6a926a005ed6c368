"""Judge workers: all of a study, or those whose talks were just finished.

A whole run measures the study and asks every rule. As talks finish, their workers are judged again by the rules that
look at one worker, against what the last whole run measured. Both write the same findings; either may be killed at any
time and run again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from chat.models import Study
from chat.traces import shared_traces
from ratings.models import Judgement, Policy
from ratings.quality import accounts, columns, findings, looking, norms, reading
from ratings.quality import crowd as crowd_rules
from ratings.quality.columns import Columns
from ratings.quality.copying import Sketches, copied_text
from ratings.quality.evidence import Flag
from ratings.quality.looking import Looked
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

    def add(self, looked: Looked) -> None:
        self.workers += len(looked.people)
        self.talks += sum(talks for _, talks, _ in looked.people)
        self.messages += sum(messages for *_, messages in looked.people)
        self.flags += sum(map(len, looked.flags.values()))


@dataclass(slots=True)
class _Crowd:
    """What a whole run keeps of everybody, for the rules that compare them."""

    sketches: Sketches = field(default_factory=Sketches)
    workers: list[tuple[UUID, int]] = field(default_factory=list)

    def add(self, looked: Looked) -> None:
        self.sketches.extend(looked.sketches, len(self.workers))
        self.workers.extend((person, messages) for person, _, messages in looked.people)


@dataclass(frozen=True, slots=True)
class _Run:
    """A whole run over one population of a study."""

    study: Study
    simulated: bool
    judge: Judge
    judged: Judged

    def store(self, flags: Mapping[UUID, Sequence[Flag]], rules: Sequence[str]) -> None:
        """Findings of these rules about everybody; ``flags`` has an entry for everybody."""
        among = Q(participation__study=self.study, participation__worker__simulated=self.simulated)
        findings.store(self.judge.policy, self.judge.settings, flags, rules=rules, among=among)
        self.judged.flags += sum(map(len, flags.values()))

    def store_of_rule(self, rule: str, found: Mapping[UUID, Flag], everybody: Sequence[UUID]) -> None:
        self.store({each: [found[each]] if each in found else [] for each in everybody}, [rule])


def judge_study(
    study: Study, *, simulated: bool, on_progress: Callable[[int, int], None] = lambda done, of: None
) -> Judged:
    """Judge everybody of one population who finished a talk; ``on_progress`` is told how many of how many are done."""
    judge, crowd = Judge(study, in_force(study)), _Crowd()
    run = _Run(study, simulated, judge, Judged())
    batches = list(reading.batches(reading.finished(study, simulated=simulated)))
    # Simulated workers all speak from one book of lines.
    sketched = not simulated and "copied_text" in judge.settings
    # Simulating honest raters is arithmetic without the database: another core does it meanwhile.
    with (
        looking.looks(study, judge.policy, batches, sketched=sketched) as looks,
        ThreadPoolExecutor(1) as aside,
    ):
        data = columns.read(study, simulated=simulated)
        measured = norms.measure(data, judge.settings)
        unrelated = aside.submit(_unrelated, judge, data, measured)
        if measured:
            norms.store(study, measured, simulated=simulated)
            found = crowd_rules.flags(data, measured, judge.settings)
            run.store({each: found.get(each, []) for each in data.people}, crowd_rules.RULES)
        for ids, looked in zip(batches, looks, strict=True):
            _keep(judge, ids, looked, run.judged, looked.at)
            crowd.add(looked)
            on_progress(run.judged.workers, sum(map(len, batches)))
        run.store_of_rule("unrelated_ratings", unrelated.result(), data.people)
    _compare(run, crowd)
    _look_for_shared_accounts(run, data.people)
    told = {"study": study.slug, "workers": run.judged.workers, "flags": run.judged.flags}
    logger.info("study judged", extra=told)
    return run.judged


def _unrelated(judge: Judge, data: Columns, measured: Norms | None) -> dict[UUID, Flag]:
    setting = judge.settings.get("unrelated_ratings")
    return crowd_rules.unrelated(data, measured, setting) if setting and measured else {}


def _keep(judge: Judge, ids: Sequence[UUID], looked: Looked, judged: Judged, since: datetime) -> None:
    """Store what was seen of a batch. Who finished a talk from ``since`` on stays due."""
    findings.store(judge.policy, judge.settings, looked.flags, rules=judge.rules)
    _remember(looked, judge.policy)
    Judgement.objects.filter(participation_id__in=ids, due_since__lt=since).update(due_since=None)
    judged.add(looked)


def _remember(looked: Looked, policy: Policy) -> None:
    now = timezone.now()
    Judgement.objects.bulk_create(
        [
            Judgement(participation_id=person, judged_at=now, talks=talks, policy=policy)
            for person, talks, _ in looked.people
        ],
        update_conflicts=True,
        unique_fields=["participation"],
        update_fields=["judged_at", "talks", "policy"],
        batch_size=500,
    )


def _compare(run: _Run, crowd: _Crowd) -> None:
    """The rule that needs everybody's messages at once."""
    found: dict[UUID, Flag] = {}
    if setting := run.judge.settings.get("copied_text"):
        found = copied_text(crowd.workers, crowd.sketches.copies(), setting.threshold)
    run.store_of_rule("copied_text", found, [person for person, _ in crowd.workers])


def _look_for_shared_accounts(run: _Run, everybody: Sequence[UUID]) -> None:
    """Traces exist for some days only: a finding outlives them, as it was when they were there."""
    flags: dict[UUID, list[Flag]] = {person: [] for person in everybody}
    if setting := run.judge.settings.get("shared_account"):
        found = accounts.shared(shared_traces(run.study), setting.threshold)
        flags = {person: [found[person]] for person in everybody if person in found}
    run.store(flags, ["shared_account"])


def who_is_due() -> list[UUID]:
    """Workers who finished a talk since they were judged last, longest waiting first; a task's share."""
    due = Judgement.objects.filter(due_since__isnull=False).order_by("due_since")
    return list(due.values_list("participation_id", flat=True)[:MOST_AT_ONCE])


def judge_people(people: Sequence[UUID], since: datetime) -> int:
    """Judge those of these who are due; gives their number. Who finished a talk from ``since`` on stays due."""
    due = Judgement.objects.filter(due_since__isnull=False, participation_id__in=people)
    groups: dict[tuple[int, bool], list[UUID]] = defaultdict(list)
    for participation, study_id, simulated in due.values_list(
        "participation_id", "participation__study_id", "participation__worker__simulated"
    ):
        groups[study_id, simulated].append(participation)
    studies = Study.objects.in_bulk({study_id for study_id, _ in groups})
    for (study_id, simulated), them in groups.items():
        _judge_some(studies[study_id], them, since, simulated=simulated)
    return sum(map(len, groups.values()))


def _judge_some(study: Study, people: Sequence[UUID], since: datetime, *, simulated: bool) -> None:
    judge = Judge(study, in_force(study))
    if known := norms.current(study, judge.settings, simulated=simulated):
        data = columns.read(study, simulated=simulated, only=people)
        found = crowd_rules.flags(data, known, judge.settings)
        flags = {each: found.get(each, []) for each in data.people}
        findings.store(judge.policy, judge.settings, flags, rules=crowd_rules.RULES)
    _keep(judge, people, looking.look(judge, people, sketched=False), Judged(), since)
