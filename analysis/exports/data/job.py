"""One export under way: what is read, what is written, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.exports.data.folder import ExportFolder
from analysis.exports.data.records.kind import Kind
from analysis.exports.data.schema import Record
from analysis.exports.data.source import Source

#: How often, in records, somebody who watches is told.
TOLD_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Options:
    """``licence`` is for the card of a Hugging Face folder, ``weights`` and ``archive`` for a bundle."""

    licence: str = ""
    weights: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """``on_progress`` is told a kind's name and how many of its records have passed.

    To be closed where it ends, however it does: what is read half has queries open.
    """

    source: Source
    kinds: tuple[Kind, ...]
    folder: ExportFolder
    options: Options = field(default_factory=Options)
    on_progress: Callable[[str, int], None] = lambda what, done: None
    _begun: list[Generator[Record]] = field(default_factory=list)

    def close(self) -> None:
        for records in self._begun:
            records.close()

    def records(self, kind: Kind) -> Iterator[Record]:
        """The records of a kind, counted for whoever watches."""
        self._begun.append(self._counted(kind))
        return self._begun[-1]

    def _counted(self, kind: Kind) -> Generator[Record]:
        number = 0
        for number, record in enumerate(kind.read(self.source), start=1):
            if number % TOLD_EVERY == 0:
                self.on_progress(kind.name, number)
            yield record
        self.on_progress(kind.name, number)

    def part(self, name: str, fill: Callable[[Path], int]) -> None:
        """Make one file or folder of the export, unless it is there; ``fill`` gives its number of records."""
        self.folder.write([name], lambda paths: [fill(paths[0])])

    def records_part(
        self, name: str, kind: Kind, write: Callable[[Path, Kind, Iterator[Record]], int]
    ) -> None:
        """Make a file of all records of a kind."""
        self.part(name, lambda path: write(path, kind, self.records(kind)))

    def text_part(self, name: str, text: str) -> None:
        """Make a file of this text, as it stands."""
        self.part(name, lambda path: 0 * path.write_text(text, encoding="utf-8", newline=""))

    def parts(self, names: Sequence[str], fill: Callable[[Sequence[Path]], Sequence[int]]) -> None:
        """Make several files or folders in one pass over the records."""
        self.folder.write(names, fill)
