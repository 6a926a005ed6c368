"""A frozen study: all records, the tables made from them, and what they were made with, each file with its hash.

``manage.py bundle_tables`` makes the same tables again from it (analysis.exports.data.bundles). The same data, code and
packages give the same bytes: no time of writing stands in it.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from analysis.errors import ExportRefused
from analysis.exports import FORMATS
from analysis.exports.data import bundles
from analysis.exports.data.formats import jsonl
from analysis.exports.data.formats.parlai import file_name
from analysis.exports.data.job import Job
from analysis.exports.data.records import KINDS
from analysis.exports.data.records.models import parts
from analysis.tables.table7 import table7
from analysis.version import code_version
from modelhub.errors import ChangedFiles
from modelhub.models import Revision
from modelhub.registry import FILES, folder_of, verify

PINS = (
    "requirements.txt",
    "requirements-constraints.txt",
    "requirements-torch.txt",
    "requirements-nodeps.txt",
)
#: What computes the tables.
PACKAGES = ("numpy", "scipy", "Django")

README = """\
# {title}

A frozen study of Colloquy: `{study}`, {population}.

    python manage.py bundle_tables --bundle THIS_FOLDER --out TABLES

checks every file against `MANIFEST.json` and makes Table 7 again from `records/`, without a database. The tables that
were made when the study was frozen are in `tables/`; the command says whether the new ones are the same.

- `records/`: the study with its seed and rules, models with their settings and the hashes of their weights, seed
  contexts, workers, conversations, ratings, policies, findings, decisions, plans and looks. `docs/exports.md` of the
  project says what each field means.
- `code/`: the version of the code, of Python and of the packages that compute, and the project's pinned requirements.
- `weights/`, where it is there: the files that the models answer with.

{identity}
"""
PSEUDONYMS = "Workers, talks and researchers go by pseudonyms that hold for this study alone."
IDENTIFIED = "Workers and talks go by the site's internal ids: do not publish this bundle."


def write(job: Job) -> None:
    """Raises ExportRefused with ``weights`` where a model's files are not as they were registered."""
    for kind in KINDS:
        job.records_part(f"{bundles.RECORDS}/{kind.name}.{jsonl.ENDING}", kind, jsonl.write_file)
    for name, text in _texts(job):
        job.text_part(name, text)
    if job.options.weights:
        _write_weights(job)
    table = table7(bundles.frame_of(lambda name: job.folder.path(f"{bundles.RECORDS}/{name}")))
    for form in FORMATS:
        job.text_part(f"{bundles.TABLES}/table7.{form.ending}", form.render(table))


def _texts(job: Job) -> Iterator[tuple[str, str]]:
    """Small files with what they hold."""
    study, source = job.source.study, job.source
    yield (
        "README.md",
        README.format(
            title=study.title,
            study=study.slug,
            population=source.population.value,
            identity=IDENTIFIED if source.names.identified else PSEUDONYMS,
        ),
    )
    yield "code/version.json", json.dumps(made_with(), indent=2) + "\n"
    for name in PINS:
        pins = Path(settings.BASE_DIR) / name
        if pins.is_file():
            yield f"code/{name}", pins.read_text(encoding="utf-8")


def made_with() -> dict[str, object]:
    """The code and the packages that compute here."""
    return {
        "code_version": code_version(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _write_weights(job: Job) -> None:
    """A folder a revision, as it was registered; parts too."""
    arms = job.source.study.arms.select_related("revision__model").order_by("position")
    own = [arm.revision for arm in arms]
    for revision in [*own, *parts(own)]:
        if revision.weights_sha256:
            _write_files(job, revision)


def _write_files(job: Job, revision: Revision) -> None:
    try:
        verify(revision)
    except ChangedFiles as error:
        raise ExportRefused(f"The weights cannot go into the bundle: {error}") from None
    for name in FILES:
        if (file := folder_of(revision) / name).is_file():
            job.part(f"{bundles.WEIGHTS}/{file_name(revision.reference)}/{name}", partial(_copied, file))


def _copied(file: Path, to: Path) -> int:
    shutil.copyfile(file, to)
    return 0
