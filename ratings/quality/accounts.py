"""Workers who came from one device or one network: a signal for people to look at. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from chat.traces import Shared
from ratings.quality.evidence import Flag


def shared(groups: Iterable[Shared], fewest: float) -> dict[UUID, Flag]:
    """Workers with at least ``fewest`` others on one of their devices or networks; the others are named.

    ``device`` and ``network`` count the other workers by what is shared.
    """
    others: dict[UUID, dict[str, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for group in groups:
        for person in group.participations:
            others[person][group.kind.value] |= set(group.participations) - {person}
    return {
        person: _flag(found)
        for person, found in others.items()
        if len(set().union(*found.values())) >= fewest
    }


def _flag(found: dict[str, set[UUID]]) -> Flag:
    everybody = set().union(*found.values())
    numbers: dict[str, float | int | str] = {kind: len(people) for kind, people in sorted(found.items())}
    names = ", ".join(sorted(str(person)[:8] for person in everybody))
    return Flag("shared_account", {"others": len(everybody), **numbers, "participations": names})
