"""``manage.py restore FILE``: an empty place becomes the site that was backed up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from evalsite.backups import archive, restoring
from evalsite.errors import BackupRefused, StartRefused
from evalsite.management.commands.backup import contents


class Command(BaseCommand):
    help = "Restore a backup into an empty database and data folder; --check only reads and verifies it."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, metavar="FILE", help="what manage.py backup wrote")
        parser.add_argument("--check", action="store_true", help="verify the file and restore nothing")
        parser.add_argument("--data", metavar="DIR", help="the data folder to restore into")

    def handle(self, *args: Any, **options: Any) -> None:
        backup = options["backup"]
        try:
            restored = (
                restoring.Restored(archive.verify(backup), ())
                if options["check"]
                else restoring.restore(backup)
            )
        except (BackupRefused, StartRefused) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        except (OSError, DatabaseError) as error:
            raise CommandError(
                f"Nothing was restored: {' '.join(str(error).split())}", returncode=2
            ) from None
        self.stdout.write(f"{backup} is whole" if options["check"] else f"restored into {settings.DATA_DIR}")
        for line in contents(restored.manifest):
            self.stdout.write(f"  {line}")
        for note in restored.notes:
            self.stdout.write(note)
