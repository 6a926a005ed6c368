"""The folder of an export: written aside, and moved into place once all of it is there.

What an earlier run finished before it was broken off is kept, as long as nothing changed since: each part is noted with
its hash when it is done, beside a mark of the data and the options.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.errors import ExportRefused

#: What an export says of itself, written last.
ABOUT = "export.json"
UNFINISHED = ".unfinished"
_NOTES = "notes.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A finished file, or a folder of ``files`` files; ``records`` are those that it holds."""

    records: int
    files: int
    bytes: int
    sha256: str


class ExportFolder:
    """``about`` is the name of the file that is written last; ``mark`` changes with data and options.

    ``of`` is what the export is of, by fields of that file: another export than that is never written over.
    """

    def __init__(
        self, folder: Path, mark: str, about: str = ABOUT, of: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self._mark, self._about = folder, mark, about
        self._aside = folder / UNFINISHED
        self.parts: dict[str, Part] = {}
        _refuse_others(folder, about, of or {})
        self._resume()

    def _resume(self) -> None:
        """Take over what an earlier run of the same export finished; begin anew after any other."""
        notes = _told(self._aside / _NOTES)
        if notes.get("mark") == self._mark:
            self.parts = {name: Part(**part) for name, part in notes["parts"].items()}
            return
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)

    def write(self, names: Sequence[str], fill: Callable[[Sequence[Path]], Sequence[int]]) -> None:
        """Make parts that are written together, unless they are there. ``fill`` gives the records of each."""
        if all(self._is_there(name) for name in names):
            return
        paths = [self._aside / name for name in names]
        for path in paths:
            _remove(path)
            path.parent.mkdir(parents=True, exist_ok=True)
        for name, path, records in zip(names, paths, fill(paths), strict=True):
            self.parts[name] = measured(path, records)
        self._note()

    def path(self, name: str) -> Path:
        """Where a finished part lies now."""
        aside = self._aside / name
        return aside if aside.exists() else self.folder / name

    def finish(self, about: Mapping[str, Any]) -> None:
        """Move everything into place, take away what an earlier export left, and write what this one says of itself."""
        before = _listed(self.folder, self._about)
        for name in self.parts:
            aside, place = self._aside / name, self.folder / name
            if aside.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                _remove(place) if place.is_dir() else None
                os.replace(aside, place)
        for name in before - set(self.parts):
            _remove(self.folder / name)
        told = {**about, "files": {name: asdict(part) for name, part in sorted(self.parts.items())}}
        draft = self._aside / self._about
        draft.write_text(
            json.dumps({**told, "sha256": digest_of(told)}, ensure_ascii=False, indent=2) + "\n",
            encoding="utf-8",
        )
        os.replace(draft, self.folder / self._about)
        shutil.rmtree(self._aside)

    def _is_there(self, name: str) -> bool:
        return name in self.parts and _holds(self.path(name), self.parts[name])

    def _note(self) -> None:
        notes = {"mark": self._mark, "parts": {name: asdict(part) for name, part in self.parts.items()}}
        draft = self._aside / f"{_NOTES}.new"
        draft.write_text(json.dumps(notes))
        os.replace(draft, self._aside / _NOTES)


def measured(path: Path, records: int = 0) -> Part:
    """Size and SHA-256 of a file; of a folder, over the names and hashes of its files."""
    if not path.is_dir():
        with path.open("rb") as file:
            return Part(records, 1, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    total, files, size = hashlib.sha256(), 0, 0
    for file_path in sorted(each for each in path.rglob("*") if each.is_file()):
        one = measured(file_path)
        total.update(f"{file_path.relative_to(path).as_posix()} {one.sha256}\n".encode())
        files, size = files + 1, size + one.bytes
    return Part(records, files, size, total.hexdigest())


def _holds(path: Path, part: Part) -> bool:
    return path.exists() and measured(path, part.records) == part


def _refuse_others(folder: Path, about: str, of: Mapping[str, str]) -> None:
    """Raises ExportRefused for a folder that holds something else than an export of this, or the beginning of one."""
    if folder.exists() and not folder.is_dir():
        raise ExportRefused(f"{folder} is no folder; name a new or an empty one.")
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    told = _told(folder / about)
    if about in found and any(told.get(name) != value for name, value in of.items()):
        raise ExportRefused(
            f"{folder} holds another export ({told.get('study')}, {told.get('form')}); name another folder."
        )
    if found and not {about, UNFINISHED} & found:
        raise ExportRefused(f"{folder} holds other files; name a new or an empty folder.")


def _told(path: Path) -> dict[str, Any]:
    """What an export says of itself; nothing where there is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def digest_of(told: Mapping[str, Any]) -> str:
    """The hash of what an export says of itself, which it says too."""
    rest = {name: value for name, value in told.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _listed(folder: Path, about: str) -> set[str]:
    """What an earlier export wrote; a name that points elsewhere, or at the folder itself, is none of its."""
    names = _told(folder / about).get("files", {})
    return {name for name in names if _is_below(folder, name)} if isinstance(names, dict) else set()


def _is_below(folder: Path, name: str) -> bool:
    try:
        return folder.resolve() in (folder / name).resolve().parents
    except (OSError, ValueError):  # no name that a file can have
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
