"""From stored results to Tables 4, 5 and 6: which data, which systems, which of their results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from analysis.errors import UnknownData
from analysis.tables.benchmark_table import BenchmarkTable
from analysis.tables.measured import systems
from analysis.tables.table4 import table4
from analysis.tables.table5 import table5
from analysis.tables.table6 import table6
from modelhub.models import BenchmarkResult, ProvenanceResult

#: Where the corpus is that comes with the project.
STARTER = "modelhub/datasets/starter"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A folder of data sets that something was measured on."""

    path: str
    results: int
    newest: datetime

    @property
    def label(self) -> str:
        return "starter corpus" if self.path == STARTER else self.path


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """The three tables of one folder of data sets, and what other folders there are.

    ``data`` is None while nothing was measured.
    """

    data: DataFolder | None
    tables: tuple[BenchmarkTable, ...] = ()
    folders: tuple[DataFolder, ...] = ()


def data_folders() -> list[DataFolder]:
    """Folders with results, the one measured last first; two queries."""
    found: dict[str, DataFolder] = {}
    for kind in (BenchmarkResult, ProvenanceResult):
        rows = kind.objects.order_by().values("data_folder").annotate(n=Count("pk"), last=Max("created_at"))
        for row in rows:
            one = DataFolder(row["data_folder"], row["n"], row["last"])
            found[one.path] = _together(found.get(one.path), one)
    return sorted(found.values(), key=lambda folder: folder.newest, reverse=True)


def benchmarks(path: str | None = None) -> Benchmarks:
    """The tables of the folder named, or of the one that was measured last. Raises UnknownData."""
    folders = data_folders()
    if path is None and not folders:
        return Benchmarks(None)
    chosen = next((folder for folder in folders if path in (None, folder.path, folder.label)), None)
    if chosen is None:
        known = ", ".join(folder.label for folder in folders) or "none yet"
        raise UnknownData(f"Nothing was measured on {path!r}. Folders of data sets here: {known}.")
    found = systems(
        BenchmarkResult.objects.filter(data_folder=chosen.path).select_related("revision__model"),
        ProvenanceResult.objects.filter(data_folder=chosen.path).select_related("revision__model"),
    )
    return Benchmarks(chosen, (table4(found), table5(found), table6(found)), tuple(folders))


def _together(one: DataFolder | None, other: DataFolder) -> DataFolder:
    if one is None:
        return other
    return DataFolder(one.path, one.results + other.results, max(one.newest, other.newest))
