"""What commands that write a whole report share: a folder of files in every format, and what is said meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analysis.exports.reports import WHOLE_FORMATS, left_over, write
from analysis.management.table_command import TableCommand
from analysis.writeup.document import Document
from analysis.writeup.wording import counted, listed

ALL = "all"


class ReportCommand(TableCommand):
    """A command that makes a ``Document``."""

    def write_report(self, document: Document, form: str, folder: Path) -> None:
        """Write a document in one format or ``all``, and say what was written. Raises CommandError."""
        with self.errors_as_sentences():
            self.tell("writing")
            paths = write(document, list(WHOLE_FORMATS) if form == ALL else [form], folder)
        self.tell("")
        self.say(f"Wrote {counted(len(paths), 'file')} into {folder}: {_listed(folder, paths)}.")
        if left := left_over(folder, paths):
            self.stderr.write(f"Not of this report, and left as they were: {listed(left, most=10)}.")

    def tell(self, part: str) -> None:
        """What is going on, in one line of a terminal; nothing where nobody looks."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{part}", ending="")
            self.stderr.flush()


def _listed(folder: Path, paths: Sequence[Path]) -> str:
    """Files of the folder by their names, those of its folders by their number."""
    inside = Counter(path.parent for path in paths)
    names = [path.name for path in paths if path.parent == folder]
    folders = [f"{number} in {each.name}/" for each, number in inside.items() if each != folder]
    return listed([*names, *folders], most=len(paths))
