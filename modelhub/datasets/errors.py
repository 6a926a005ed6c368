"""What the readers of data sets refuse."""

from __future__ import annotations

from pathlib import Path

from modelhub.errors import ModelhubError


class DatasetError(ModelhubError):
    """A data set's folder or file cannot be used."""

    code = "dataset"


class DatasetMissing(DatasetError):
    """There is no file where the data set should be."""

    code = "dataset_missing"


class MalformedLine(DatasetError):
    """A file breaks its format at one place; readers stop there and name it.

    ``at`` is a line number for text files, and an entry's number (the first is 1) for JSON files.
    """

    code = "dataset_malformed"

    def __init__(self, path: Path, at: int | str, reason: str) -> None:
        super().__init__(f"{path}:{at}: {reason}")
        self.path = path
        self.at = at
        self.reason = reason
