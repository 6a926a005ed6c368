"""Everything that is known about the quality of a study's workers, in one value: for the command and its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.exclusions import Effects, effects
from analysis.reading.frames import Population
from chat.models import Participation, Study
from ratings.models import Finding, StudyNorms
from ratings.quality import honest_seeds
from ratings.quality.honest_seeds import Rate
from ratings.quality.policy import Setting, held, settings_of


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule as the policy asks it, and what came of it. ``flagged`` counts workers, for ``unblinded`` talks.

    ``expected`` are the flags to expect if all were honest, under the rating model; ``honest`` the share of simulated
    honest workers that were flagged. None where nothing can be said.
    """

    setting: Setting
    flagged: int
    expected: float | None
    honest: Rate | None


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker with findings, or who is excluded. ``behaviour`` is how a simulated one behaved."""

    participation: Participation
    findings: tuple[Finding, ...]

    @property
    def behaviour(self) -> str:
        return self.participation.worker.behaviour

    @property
    def is_excluded(self) -> bool:
        return self.participation.excluded_at is not None


@dataclass(frozen=True, slots=True)
class Planted:
    """Simulated workers of one behaviour: how many there are, how many any rule flags, and how many each."""

    behaviour: str
    workers: int
    found: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """``workers`` are those with findings and the excluded; ``planted`` is empty for people."""

    study: Study
    population: Population
    judged: int
    rules: tuple[RuleLine, ...]
    workers: tuple[WorkerLine, ...]
    planted: tuple[Planted, ...]
    effects: Effects
    seeds: int = field(default=0)

    @property
    def excluded(self) -> int:
        return sum(line.is_excluded for line in self.workers)


def quality_report(
    study: Study,
    population: Population,
    *,
    seeds: int = honest_seeds.SEEDS,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> QualityReport:
    """The report of findings as they stand; ``seeds`` crowds of honest workers are simulated, which takes seconds."""
    simulated = population is Population.SIMULATED
    policy = held(study)
    standing = _standing(study, simulated)
    rates = (
        honest_seeds.rates(study, policy, simulated=simulated, seeds=seeds, on_progress=on_progress)
        if seeds
        else {}
    )
    return QualityReport(
        study=study,
        population=population,
        judged=Participation.objects.filter(
            study=study, worker__simulated=simulated, judgement__judged_at__isnull=False
        ).count(),
        rules=_rules(settings_of(policy), standing, _expected(study, simulated), rates),
        workers=_workers(study, simulated, standing),
        planted=_planted(study, standing) if simulated else (),
        effects=effects(study, population),
        seeds=seeds,
    )


def _standing(study: Study, simulated: bool) -> list[Finding]:
    found = Finding.objects.filter(
        participation__study=study, participation__worker__simulated=simulated, cleared_at=None
    )
    return list(
        found.select_related("participation__worker").order_by("participation__created_at", "rule", "pk")
    )


def _expected(study: Study, simulated: bool) -> Mapping[str, float]:
    norms = StudyNorms.objects.filter(study=study, simulated=simulated).first()
    return norms.values["expected"] if norms else {}


def _rules(
    settings: Mapping[str, Setting],
    standing: list[Finding],
    expected: Mapping[str, float],
    rates: Mapping[str, Rate],
) -> tuple[RuleLine, ...]:
    flagged = Counter(finding.rule for finding in standing)
    return tuple(
        RuleLine(setting, flagged[name], expected.get(name), rates.get(name))
        for name, setting in settings.items()
    )


def _workers(study: Study, simulated: bool, standing: list[Finding]) -> tuple[WorkerLine, ...]:
    by_worker: dict[Participation, list[Finding]] = defaultdict(list)
    for finding in standing:
        by_worker[finding.participation].append(finding)
    excluded = Participation.objects.filter(
        study=study, worker__simulated=simulated, excluded_at__isnull=False
    ).select_related("worker")
    for participation in excluded:
        by_worker.setdefault(participation, [])
    return tuple(WorkerLine(person, tuple(found)) for person, found in by_worker.items())


def _planted(study: Study, standing: list[Finding]) -> tuple[Planted, ...]:
    """By behaviour, those who finished a talk; findings about talks are not about their workers."""
    finished = Participation.objects.filter(
        study=study, worker__simulated=True, conversations__state="complete"
    )
    workers = Counter(
        behaviour for _, behaviour in finished.values_list("pk", "worker__behaviour").distinct()
    )
    flagged: dict[str, set[object]] = defaultdict(set)
    by_rule: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in standing:
        if finding.conversation_id is None:
            behaviour = finding.participation.worker.behaviour
            flagged[behaviour].add(finding.participation_id)
            by_rule[behaviour][finding.rule] += 1
    return tuple(
        Planted(behaviour, number, len(flagged[behaviour]), dict(sorted(by_rule[behaviour].items())))
        for behaviour, number in sorted(workers.items())
    )
