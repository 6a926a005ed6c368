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


class EmptyFile(DatasetError):
    """A file holds nothing that can be used."""

    code = "dataset_empty"


class MalformedLine(DatasetError):
    """A file breaks its format at one place, ``at``: the number of the line, the first is 1.

    In a JSON file that is where the broken entry begins; ``reason`` names the entry.
    """

    code = "dataset_malformed"

    def __init__(self, path: Path, at: int, reason: str) -> None:
        super().__init__(f"{path}:{at}: {reason}")
        self.path = path
        self.at = at
        self.reason = reason
