"""What commands that print tables share: their options, their errors, and where the text goes."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from analysis.errors import AnalysisError


class TableCommand(BaseCommand):
    """A command that prints a table of the site's data, or writes it to a file."""

    def add_output_arguments(self, parser: ArgumentParser, formats: Iterable[str]) -> None:
        parser.add_argument("--format", default="markdown", choices=list(formats))
        self.add_place_arguments(parser)

    def add_place_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of printing")
        parser.add_argument("--data", metavar="DIR", help="the site's data folder (read before settings)")

    @contextmanager
    def errors_as_sentences(self) -> Iterator[None]:
        """Raises CommandError for what the analysis refuses, and for a database that is not there."""
        try:
            yield
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            where = f"The database of {settings.DATA_DIR} cannot be read ({error})."
            raise CommandError(
                f"{where} Start the site once with bin/up, or name its folder by --data."
            ) from error

    def deliver(self, made: str | bytes, path: Path | None) -> None:
        """Print, if it is a text, or write to ``path``. Raises CommandError."""
        if path is None:
            assert isinstance(made, str)
            self.say(made, ending="")
            return
        try:
            path.write_bytes(made.encode() if isinstance(made, str) else made)
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from error
        self.stderr.write(f"Wrote {path}.")

    def say(self, text: str, ending: str = "\n") -> None:
        """Print. Raises CommandError where that is not possible, such as into a file on a full disk."""
        try:
            self.stdout.write(text, ending=ending)
            self.stdout.flush()
        except UnicodeEncodeError as error:
            raise CommandError(
                f"Cannot print in {error.encoding}, which has no {error.object[error.start]!r}; set "
                "PYTHONIOENCODING=utf-8, or write into a file."
            ) from error
        except OSError as error:
            raise CommandError(f"Cannot print: {error.strerror}.") from error
