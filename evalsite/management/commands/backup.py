"""``manage.py backup --to FILE``: the site in one file, made while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from evalsite.backups import making
from evalsite.backups.manifest import SECRET_KEY, Manifest
from evalsite.errors import BackupRefused


class Command(BaseCommand):
    help = "Write the database, the secret key and, with --models, imported models to one file; the site may run."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            required=True,
            metavar="FILE",
            help="a new file, or a folder for one named by time",
        )
        parser.add_argument(
            "--models",
            action="store_true",
            help="also the folders of models that do not ship with the project",
        )
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (data, in the checkout)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path, manifest = making.make(options["to"], models=options["models"])
        except BackupRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        except (OSError, DatabaseError) as error:
            raise CommandError(f"No backup was made: {' '.join(str(error).split())}", returncode=2) from None
        self.stdout.write(f"{path}: {path.stat().st_size / 1e6:.1f} MB, verified")
        for line in contents(manifest):
            self.stdout.write(f"  {line}")


def contents(manifest: Manifest) -> list[str]:
    """What is in a backup, in lines for people."""
    database = manifest.database
    key = (
        "the secret key" if SECRET_KEY in manifest.members else "no secret key: it came from the environment"
    )
    kept = [folder.reference for folder in manifest.models if folder.files]
    listed = [folder.reference for folder in manifest.models if not folder.files]
    return [
        f"made {manifest.made_at} by code {manifest.code_version}",
        f"{database.engine} {database.version}: {len(database.tables)} tables, {manifest.rows} rows",
        key,
        *([f"models: {', '.join(kept)}"] if kept else []),
        *([f"models that are only listed: {', '.join(listed)}"] if listed else []),
    ]
