"""What each quality rule does to Table 7: alone, together, and as workers are excluded now.

Everything starts from the ratings of all workers, the excluded ones too, which are read once; a variant leaves out the
workers whom a rule flags by the findings as they stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from analysis.reading.frames import Population, RatingsFrame, ratings_frame
from analysis.reading.ratings_frame import Without
from analysis.tables.table7 import Cell, Table7, table7
from chat.models import Participation, Study
from ratings.models import Finding, Policy
from ratings.quality.catalogue import BY_NAME, Act
from ratings.quality.policy import Setting, held, settings_of


@dataclass(frozen=True, slots=True)
class Change:
    """One cell of Table 7 with everybody, and with some left out."""

    model: str
    axis: str
    before: Cell
    after: Cell

    @property
    def shift(self) -> float | None:
        """By how much the mean moves; None where either is missing."""
        if self.before.mean is None or self.after.mean is None:
            return None
        return self.after.mean - self.before.mean

    @property
    def shift_text(self) -> str:
        """``+0.12``; empty where nothing can be compared."""
        return "" if self.shift is None else f"{self.shift:+.2f}"

    @property
    def is_bold_changed(self) -> bool:
        return self.before.bold != self.after.bold


@dataclass(frozen=True)
class Variant:
    """Table 7 without some workers. ``act`` is what the policy says of the rule; None for what is no single rule."""

    name: str
    label: str
    act: Act | None
    workers: int
    talks: int
    table: Table7
    before: Table7

    @cached_property
    def changes(self) -> list[Change]:
        """Every cell, models in the order of the table, axes in theirs."""
        return [
            Change(row.model, old.axis, old, new)
            for row, after in zip(self.before.rows, self.table.rows, strict=True)
            for old, new in zip(row.cells, after.cells, strict=True)
        ]

    @property
    def largest(self) -> Change | None:
        """The cell whose mean moves most; None where none can be compared."""
        moved = [change for change in self.changes if change.shift is not None]
        return max(moved, key=lambda change: abs(change.shift or 0.0), default=None)

    @property
    def bold_changes(self) -> list[Change]:
        return [change for change in self.changes if change.is_bold_changed]


@dataclass(frozen=True, slots=True)
class Effects:
    """``everybody`` is the table with nobody left out; ``variants`` begin with those who are excluded now."""

    policy: Policy
    everybody: Table7
    variants: tuple[Variant, ...]


def effects(study: Study, population: Population) -> Effects:
    """Read once, compute Table 7 for each variant."""
    frame = ratings_frame(study, population, with_excluded=True)
    everybody, policy = table7(frame), held(study)
    variants = tuple(
        _variant(frame, everybody, name, label, act, people)
        for name, label, act, people in _groups(study, population, settings_of(policy))
    )
    return Effects(policy, everybody, variants)


def effect_of_worker(participation: Participation) -> Variant:
    """Table 7 as it stands now, and as it would stand once this worker is excluded; restored, where they are.

    ``talks`` are those that would go or come. Reads all ratings of the worker's population.
    """
    population = Population.SIMULATED if participation.worker.simulated else Population.PEOPLE
    frame = ratings_frame(participation.study, population, with_excluded=True)
    out, own = _excluded(participation.study, population), {participation.worker_id}
    now, then = frame.without(out), frame.without(out ^ own)
    before = table7(now)
    return Variant(
        name="worker",
        label=f"worker {participation.worker_id.hex[:8]}",
        act=None,
        workers=len(own & set(frame.people)),
        talks=abs(now.talks - then.talks),
        table=table7(then),
        before=before,
    )


def in_a_sentence(effect: Variant, *, restoring: bool) -> str:
    """ "drops 6 talks; a mean changes by up to 0.04 (ED, personal); bold changes in 1 cell"."""
    talks = f"{effect.talks} talk{'' if effect.talks == 1 else 's'}"
    parts = [f"{'brings back' if restoring else 'drops'} {talks}"]
    if (largest := effect.largest) and round(abs(largest.shift or 0.0), 2):
        parts.append(
            f"a mean changes by up to {abs(largest.shift or 0.0):.2f} ({largest.model}, {largest.axis})"
        )
    else:
        parts.append("no mean changes by 0.01")
    bold = len(effect.bold_changes)
    parts.append(f"bold changes in {bold} cell{'' if bold == 1 else 's'}" if bold else "bold stays as it is")
    return "; ".join(parts)


def without_flagged(study: Study, frame: RatingsFrame) -> Without:
    """What is left of a frame under each rule that flags somebody in it, by the rule's label; rules together first."""
    groups = _groups(study, frame.population, settings_of(held(study)))
    here = set(frame.people)
    named = {label: people & here for name, label, _, people in groups if name != "excluded"}
    return Without(frame, {label: people for label, people in named.items() if people})


def _groups(
    study: Study, population: Population, settings: Mapping[str, Setting]
) -> Iterator[tuple[str, str, Act | None, set[UUID]]]:
    flagged = _flagged(study, population)
    excluding = {name for name, setting in settings.items() if setting.act is Act.EXCLUDE}
    everyone = set().union(*flagged.values())
    yield "excluded", "Excluded now", None, _excluded(study, population)
    yield "policy", "All rules that exclude", None, set().union(*(flagged[name] for name in excluding))
    for name, setting in settings.items():
        if flagged[name]:
            yield name, BY_NAME[name].label, setting.act, flagged[name]
    yield "all", "All rules together", None, everyone


def _flagged(study: Study, population: Population) -> dict[str, set[UUID]]:
    """Workers by the rule that flags them; findings about a talk and not its worker leave nobody out."""
    standing = Finding.objects.filter(
        participation__study=study,
        participation__worker__simulated=population is Population.SIMULATED,
        cleared_at=None,
        conversation=None,
    )
    found: dict[str, set[UUID]] = defaultdict(set)
    for rule, worker in standing.values_list("rule", "participation__worker_id"):
        found[rule].add(worker)
    return found


def _excluded(study: Study, population: Population) -> set[UUID]:
    out = Participation.objects.filter(
        study=study, excluded_at__isnull=False, worker__simulated=population is Population.SIMULATED
    )
    return set(out.values_list("worker_id", flat=True))


def _variant(
    frame: RatingsFrame, everybody: Table7, name: str, label: str, act: Act | None, people: set[UUID]
) -> Variant:
    left = frame.without(people)
    return Variant(
        name=name,
        label=label,
        act=act,
        workers=len(people & set(frame.people)),
        talks=everybody.talks - left.talks,
        table=table7(left),
        before=everybody,
    )
