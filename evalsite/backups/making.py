"""``manage.py backup``: everything that a site would miss, while it runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.db import connection
from django.utils import timezone

from analysis.version import code_version
from evalsite.backups import archive, model_folders, postgresql, sqlite
from evalsite.backups.manifest import SECRET_KEY, Manifest, Member, Snapshot, key_fingerprint
from evalsite.errors import BackupRefused

ENGINES: Mapping[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


def make(to: Path, *, models: bool = False) -> tuple[Path, Manifest]:
    """Write a backup to a file, or into a folder under a name with the time; where it is, and what is in it.

    ``models`` takes along the folders of models that do not ship with the project; otherwise they are only listed.
    Raises BackupRefused; then no file was made.
    """
    path = _named(to)
    if path.exists():
        raise BackupRefused(f"{path} is there already: name another file, or move that one away.")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".colloquy-backup-") as scratch:
        engine = ENGINES[connection.vendor]
        dumped = Path(scratch) / engine.MEMBER
        database = engine.dump(connection, dumped)
        folders = model_folders.outside(settings.DATA_DIR)
        if models:
            folders = [model_folders.with_files(folder) for folder in folders]
        sources = {engine.MEMBER: dumped, **_key_file(), **model_folders.sources(folders)}
        members = {name: archive.measured(source) for name, source in sources.items()}
        manifest = _manifest(database, tuple(folders), members)
        archive.write(path, manifest, sources)
    return path, manifest


def _named(to: Path) -> Path:
    if to.is_dir():
        return to / f"colloquy-{timezone.now():%Y%m%dT%H%M%SZ}.tar"
    if not to.parent.is_dir():
        raise BackupRefused(f"There is no folder {to.parent}: make it first, readable by its owner alone.")
    return to


def _key_file() -> dict[str, Path]:
    """A key that came from the environment is kept where that comes from."""
    if os.environ.get("SECRET_KEY"):
        return {}
    return {SECRET_KEY: Path(settings.DATA_DIR) / SECRET_KEY}


def _manifest(
    database: Snapshot, folders: tuple[model_folders.ModelFolder, ...], members: dict[str, Member]
) -> Manifest:
    return Manifest(
        made_at=timezone.now().isoformat(timespec="seconds"),
        code_version=code_version(),
        key_fingerprint=key_fingerprint(settings.SECRET_KEY),
        database=database,
        models=folders,
        members=members,
    )
