"""The service: one export of one study, of one moment, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.errors import ExportRefused
from analysis.exports.alone import alone
from analysis.exports.data.folder import ExportFolder, Part
from analysis.exports.data.forms import Form, form_named
from analysis.exports.data.job import Job, Options
from analysis.exports.data.names import INTERNAL, pseudonyms
from analysis.exports.data.records import KINDS, Kind, kinds_named
from analysis.exports.data.snapshot import one_moment
from analysis.exports.data.source import Source
from analysis.reading.frames import Population, choose_population
from analysis.version import code_version
from chat.models import Study

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identification:
    """Who asks for internal ids in place of pseudonyms, and what for."""

    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; ``parts`` are files and folders by their name in ``folder``."""

    folder: Path
    form: Form
    population: Population
    parts: dict[str, Part]

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts.values())


def export(
    study: Study,
    to: Path,
    *,
    form: str = "jsonl",
    what: Iterable[str] = ("all",),
    population: Population | None = None,
    with_excluded: bool = False,
    identification: Identification | None = None,
    options: Options | None = None,
    on_progress: Callable[[str, int], None] = lambda what, done: None,
) -> Exported:
    """Write a study into the folder ``to``; without a wish, of the population that the report would show.

    What stands in the folder from an earlier export of the same study and format is replaced once all is written; what
    a broken-off run finished is kept while the data is the same. Raises UnknownFormat, UnknownRecords, ExportRefused,
    FolderBusy.
    """
    chosen, kinds = form_named(form), kinds_named(what)
    if not chosen.by_kind and kinds != KINDS:
        raise ExportRefused(
            f"{form} has a form of its own and takes no choice of records: leave --what away."
        )
    names = _internal(study, identification) if identification else pseudonyms(study)
    with alone(to):
        with one_moment():
            source = Source(study, population or choose_population(study), names, with_excluded)
            about = _about(source, chosen, kinds, options := options or Options())
            folder = ExportFolder(
                to, _mark(source, about), chosen.about, of={"study": study.slug, "form": form}
            )
            with closing(Job(source, kinds, folder, options, on_progress)) as job:
                chosen.write(job)
        folder.finish(about)
    done = Exported(to, chosen, source.population, folder.parts)
    log.info("study exported", extra={"study": study.slug, "form": form, "bytes": done.bytes})
    return done


def _internal(study: Study, identification: Identification) -> Any:
    """Internal ids, for a reason that is logged. Raises ExportRefused without one."""
    if not identification.reason.strip():
        raise ExportRefused("An export with internal ids needs a reason, which is logged: give --reason.")
    log.warning("identified export", extra={"study": study.slug, **asdict(identification)})
    return INTERNAL


def _about(source: Source, form: Form, kinds: Iterable[Kind], options: Options) -> dict[str, Any]:
    """What an export says of itself; the files and their hashes are added at its end."""
    return {
        "schema": form.schema,
        "form": form.name,
        "study": source.study.slug,
        "title": source.study.title,
        "population": source.population.value,
        "with_excluded": source.with_excluded,
        "identified": source.names.identified,
        "seed": source.study.seed,
        "records": [kind.schema for kind in kinds],
        "options": asdict(options),
        "code_version": code_version(),
    }


def _mark(source: Source, about: dict[str, Any]) -> str:
    return hashlib.sha256(f"{source.mark()} {json.dumps(about, sort_keys=True)}".encode()).hexdigest()
