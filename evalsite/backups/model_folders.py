"""Registered models whose weights do not ship with the project: listed in every backup, kept in those that ask."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from evalsite.backups.manifest import ModelFolder
from evalsite.errors import BackupRefused
from modelhub import registry
from modelhub.errors import ChangedFiles
from modelhub.models import Revision


def outside(data: Path) -> list[ModelFolder]:
    """Each folder once, under the first revision that is made of it."""
    revisions = Revision.objects.select_related("model").exclude(path="").order_by("pk")
    found: dict[str, ModelFolder] = {}
    for revision in revisions:
        if revision.path not in found and Path(revision.path).is_absolute():
            place = _place(Path(revision.path), data.resolve(), revision)
            found[revision.path] = ModelFolder(
                revision.reference, revision.path, place, revision.weights_sha256
            )
    return list(found.values())


def _place(path: Path, data: Path, revision: Revision) -> str:
    """Where it was below the data folder, else among the imported models."""
    if path.is_relative_to(data):
        return path.relative_to(data).as_posix()
    return f"models/{revision.model.slug}-{revision.number}"


def with_files(folder: ModelFolder) -> ModelFolder:
    """The folder with the names of its files. Raises BackupRefused where it is not what was registered."""
    if sentence := fault(folder):
        raise BackupRefused(f"{sentence} Restore its files, or back up without --models.")
    return replace(folder, files=tuple(sorted(_files(Path(folder.path)))))


def _files(folder: Path) -> Iterator[str]:
    for path, _, names in os.walk(folder):
        for name in names:
            if (Path(path) / name).is_file():
                yield (Path(path) / name).relative_to(folder).as_posix()


def fault(folder: ModelFolder, at: Path | None = None) -> str:
    """What is wrong with a folder where the database says it is, or elsewhere; empty when nothing is."""
    path = at or Path(folder.path)
    try:
        found = registry.fingerprint(path)
    except (ChangedFiles, OSError):
        return f"The model {folder.reference} is not in {path}."
    if found != folder.weights_sha256:
        return f"{path}: the files are not those that were registered as {folder.reference}."
    return ""


def sources(folders: Iterable[ModelFolder]) -> Mapping[str, Path]:
    """The members that hold these folders' files, and the files."""
    return {folder.prefix + name: Path(folder.path) / name for folder in folders for name in folder.files}


def target(folder: ModelFolder, data: Path) -> Path:
    """Where a restore puts it. Raises BackupRefused for a place outside the data folder, or one that is taken."""
    path = (data / folder.place).resolve()
    if not path.is_relative_to(data.resolve()) or path == data.resolve():
        raise BackupRefused(f"{folder.place!r} lies outside the data folder: take another backup.")
    if path.exists():
        raise BackupRefused(
            f"{path} is there already: move it away, or name another data folder with --data."
        )
    return path
