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

from analysis.frames import Population, RatingsFrame, ratings_frame
from analysis.ratings_frame import Without
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
