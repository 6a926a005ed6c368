"""``manage.py fetch_data NAME``: download the official files of a data set, checked and laid out."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from modelhub.datasets import official
from modelhub.errors import ModelhubError


class Command(BaseCommand):
    help = "Download official data sets. What is there already stays; an interrupted download goes on."
    # Fetching needs no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=f"{', '.join(official.RELEASES)}, or {official.EVERYTHING}")
        parser.add_argument(
            "--data",
            type=Path,
            help="folder of data sets to fill (default: datasets in the site's data folder)",
        )
        parser.add_argument("--mirror", help="address to fetch from (default: the setting DATASETS_URL)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["data"] or settings.DATA_DIR / "datasets"
        mirror = options["mirror"] or settings.DATASETS_URL
        try:
            with _Bars() as bars:
                for release in official.releases(options["name"]):
                    for line in official.install(release, folder, mirror, bars.show):
                        bars.close()
                        self.stdout.write(line)
        except ModelhubError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; run it again to go on", returncode=130) from None


class _Bars:
    """One progress bar a file, in bytes."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, what: str, done: int, total: int | None) -> None:
        if self._bar is None:
            self._bar = tqdm(
                desc=what, total=total, initial=done, unit="B", unit_scale=True, dynamic_ncols=True
            )
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
