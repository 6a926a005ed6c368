"""``manage.py restore``: an empty place becomes the site that was backed up, or stays empty."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from evalsite import preflight
from evalsite.backups import archive, model_folders
from evalsite.backups.making import ENGINES
from evalsite.backups.manifest import SECRET_KEY, Manifest, ModelFolder, key_fingerprint
from evalsite.errors import BackupRefused


@dataclass(frozen=True)
class Restored:
    """What was restored; ``notes`` are sentences about what is left to do."""

    manifest: Manifest
    notes: tuple[str, ...]


def restore(backup: Path) -> Restored:
    """Restore into this process's database and data folder, both empty and unused.

    Hashes are checked before anything is written, rows and their hashes after. Raises BackupRefused, StartRefused.
    """
    data = Path(settings.DATA_DIR)
    with preflight.unused(data), tempfile.TemporaryDirectory(dir=data, prefix=".restoring-") as scratch:
        manifest = archive.verify(backup)
        places = _check(manifest, data)
        files = _unpacked(backup, manifest, Path(scratch))
        engine = ENGINES[connection.vendor]
        engine.restore(connection, files[engine.MEMBER], manifest.database)
        for folder, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            (Path(scratch) / folder.prefix).replace(place)
        if SECRET_KEY in files:
            files[SECRET_KEY].replace(data / SECRET_KEY)
        return Restored(manifest, tuple(_notes(manifest, places, data)))


def _check(manifest: Manifest, data: Path) -> dict[ModelFolder, Path]:
    """Whether the backup fits this place; where its models go. Raises BackupRefused."""
    came, here = manifest.database.engine, connection.vendor
    if came != here:
        raise BackupRefused(
            f"The backup is of a {came} database and this site has {here}: name one by DATABASE_URL, or unset it "
            "for SQLite."
        )
    known = {
        f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    }
    if unknown := [name for name in manifest.database.migrations if name not in known]:
        raise BackupRefused(
            f"The backup was made by newer code, which has {', '.join(unknown[:3])}: install that, then restore."
        )
    ENGINES[here].check_empty(connection)
    return {folder: model_folders.target(folder, data) for folder in manifest.models if folder.files}


def _unpacked(backup: Path, manifest: Manifest, scratch: Path) -> dict[str, Path]:
    """Every member as a file of the scratch folder, under its name, which was checked."""
    files = {name: scratch / name for name in manifest.members}
    for path in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    archive.extract(backup, files)
    return files


def _notes(manifest: Manifest, places: Mapping[ModelFolder, Path], data: Path) -> list[str]:
    notes = [_key_note(manifest, data)]
    for folder in manifest.models:
        place = places.get(folder)
        if fault := model_folders.fault(folder):
            notes.append(
                f"{fault} Link it: ln -s {place} {folder.path}"
                if place
                else f"{fault} Bring it there: the backup only lists it."
            )
    applied = set(manifest.database.migrations)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    if any(f"{app}.{name}" not in applied for app, name in loader.disk_migrations):
        notes.append("This code is newer than the backup: run manage.py prepare before the site starts.")
    return [note for note in notes if note]


def _key_note(manifest: Manifest, data: Path) -> str:
    """Which key counts from now on, where that is another than the backup's."""
    key = os.environ.get("SECRET_KEY") or (data / SECRET_KEY).read_text()
    if key_fingerprint(key) == manifest.key_fingerprint:
        return ""
    return (
        "The secret key is not the one that the backup was made under, so completion codes and cookies from before "
        "do not hold: set SECRET_KEY to that one."
    )
