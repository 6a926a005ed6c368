"""The researcher's page of a study's data, and its downloads: always under pseudonyms."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from analysis.errors import AnalysisError, UnknownFormat, UnknownRecords
from analysis.exports.data import FORMS, KINDS, Exported, Form, export, form_named, kinds_named, pack
from analysis.reading.frames import Population, complete_talks
from analysis.views import population_of
from chat.models import Conversation, Study
from chat.staff import staff_only

log = logging.getLogger(__name__)

#: Of a study with more talks a page would keep its reader waiting, and a web process busy; the command has no limit.
MOST_TALKS = 2_000
MEDIA_TYPES = {
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}


@require_safe
@staff_only
def study_data(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that can be downloaded; of a large study, the commands that write it."""
    study = get_object_or_404(Study, slug=slug)
    population = population_of(request, study)
    talks = _talks(study, population)
    context = {
        "section": "data",
        "study": study,
        "population": population,
        "simulated": population is Population.SIMULATED,
        "counts": list(complete_talks(study).items()),
        "talks": talks,
        "most_talks": MOST_TALKS,
        "small": talks <= MOST_TALKS,
        "kinds": sorted(KINDS, key=lambda kind: kind.name not in ("conversations", "ratings")),
        "plain": [form for form in FORMS if form.plain],
        "whole": [form for form in FORMS if not form.plain],
    }
    return render(request, "analysis/data.html", context)


@require_safe
@staff_only
def study_data_file(request: HttpRequest, slug: str, form: str) -> HttpResponse | FileResponse:
    """One export as one file; ``what`` names a kind of record, ``population`` whose."""
    study = get_object_or_404(Study, slug=slug)
    population = population_of(request, study)
    what = request.GET.get("what", "all")
    try:
        chosen, _ = form_named(form), kinds_named([what])
    except (UnknownFormat, UnknownRecords) as error:
        raise Http404(str(error)) from error
    if _talks(study, population) > MOST_TALKS:
        raise BadRequest(
            f"More than {MOST_TALKS} talks: use manage.py export --study {slug} --format {form}."
        )
    log.info(
        "data downloaded",
        extra={
            "study": slug,
            "form": form,
            "what": what,
            "population": str(population),
            "user": request.user.pk,
        },
    )
    name = "-".join(
        [slug, form if what == "all" else what, *(["simulated"] if population == "simulated" else [])]
    )
    with tempfile.TemporaryDirectory(prefix="colloquy-export-") as temporary:
        try:
            done = export(study, Path(temporary) / name, form=form, what=[what], population=population)
        except AnalysisError as error:
            raise BadRequest(str(error)) from error
        path = _as_one_file(done, chosen)
        # The open file outlives its name.
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=f"{name}{''.join(path.suffixes)}",
            content_type=MEDIA_TYPES[path.suffix],
        )


def _talks(study: Study, population: Population) -> int:
    """All talks, finished or not."""
    simulated = population is Population.SIMULATED
    return Conversation.objects.filter(arm__study=study, simulated=simulated).count()


def _as_one_file(done: Exported, form: Form) -> Path:
    """The only file of an export as it is; several in an archive with what they say of themselves."""
    if form.plain and len(done.parts) == 1:
        return done.folder / next(iter(done.parts))
    ending = ".tar.gz" if form.name == "bundle" else ".zip"
    return pack(done.folder, done.folder.with_name(f"{done.folder.name}{ending}"))
