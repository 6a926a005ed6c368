"""Exports of everything that a study collected, and the way back.

``export`` writes a study into a folder in one of FORMS; ``read_jsonl``, ``read_csv`` and ``read_parquet`` read what was
written; ``remake`` makes the tables of a frozen study again. Records are of KINDS: a new kind of data (annotations of
utterances) joins by its Kind in ``records``, a new format by its Form in ``forms``.
"""

from analysis.exports.data.archive import pack
from analysis.exports.data.bundles import Remaking, remake
from analysis.exports.data.exporting import Exported, Identification, export
from analysis.exports.data.formats.csv import read_csv
from analysis.exports.data.formats.jsonl import read_jsonl
from analysis.exports.data.formats.parquet import read_parquet
from analysis.exports.data.forms import FORMS, Form, form_named
from analysis.exports.data.job import Options
from analysis.exports.data.records import KINDS, Kind, kinds_named

__all__ = [
    "FORMS",
    "KINDS",
    "Exported",
    "Form",
    "Identification",
    "Kind",
    "Options",
    "Remaking",
    "export",
    "form_named",
    "kinds_named",
    "pack",
    "read_csv",
    "read_jsonl",
    "read_parquet",
    "remake",
]
