"""Workers whom a finding about somebody else names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import UUID

from analysis.exports.data.source import ROWS_AT_ONCE, Source

#: Where ``ratings.quality.accounts`` names participations, by the beginnings of their ids.
KEY, SHOWN = "participations", 8


class Others:
    """Turns what a finding counted into what an export may hold; reads the participations when one is first named."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def numbers(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers with everybody called as elsewhere in the export, participations by their workers."""
        told: dict[str, Any] = self._source.names.within(dict(numbers))
        if KEY in told:
            told[KEY] = ", ".join(
                self._source.names.of(worker)
                for beginning in str(numbers[KEY]).split(", ")
                for worker in self._workers.get(beginning, ())
            )
        return told

    @cached_property
    def _workers(self) -> Mapping[str, list[UUID]]:
        found: dict[str, list[UUID]] = defaultdict(list)
        rows = self._source.participations().order_by("pk").values_list("pk", "worker_id")
        for participation, worker in rows.iterator(chunk_size=ROWS_AT_ONCE):
            found[str(participation)[:SHOWN]].append(worker)
        return found
