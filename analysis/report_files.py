"""A study's report as files to keep: the whole of it, Table 7 alone, and each picture."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Mapping
from io import BytesIO

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from analysis.errors import UnknownFormat
from analysis.exports import format_named
from analysis.exports.pictures import DRAWERS, pictures
from analysis.exports.reports import files
from analysis.remembered import report
from analysis.report_options import ReportOptions
from analysis.views import options_of
from chat.models import Study
from chat.staff import staff_only

log = logging.getLogger(__name__)

#: By the ending of their files: the format's name and its media type.
WHOLE: Mapping[str, tuple[str, str]] = {
    "html": ("html", "text/html; charset=utf-8"),
    "md": ("markdown", "text/markdown; charset=utf-8"),
    "tex": ("latex", "application/x-tex; charset=utf-8"),
    "json": ("json", "application/json"),
}
#: Folders of files, by their names.
FOLDERS: Mapping[str, tuple[str, ...]] = {"csv": ("csv",), "pictures": ("svg", "png")}
#: A zip file knows no time before; the same report gives the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@require_safe
@staff_only
def table7_file(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """Table 7 alone."""
    study = get_object_or_404(Study, slug=slug)
    try:
        form = format_named(ending)
    except UnknownFormat as error:
        raise Http404(str(error)) from error
    options = options_of(request, study)
    text = form.render(report(study, options).analysis.table)
    return _download(request, study, options, f"table7.{form.ending}", text, form.media_type)


@require_safe
@staff_only
def whole_file(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """The whole report as one file."""
    study = get_object_or_404(Study, slug=slug)
    if ending not in WHOLE:
        raise Http404(f"no report.{ending}; there are: {', '.join(WHOLE)}")
    form, media_type = WHOLE[ending]
    options = options_of(request, study)
    (content,) = files(report(study, options).document, form).values()
    return _download(request, study, options, f"report.{ending}", content, media_type)


@require_safe
@staff_only
def folder_file(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The report's tables, or its pictures, packed together."""
    study = get_object_or_404(Study, slug=slug)
    if name not in FOLDERS:
        raise Http404(f"no {name}.zip; there are: {', '.join(FOLDERS)}")
    options = options_of(request, study)
    document, packed = report(study, options).document, BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for form in FOLDERS[name]:
            for path, content in files(document, form).items():
                info = zipfile.ZipInfo(path.partition("/")[2], NO_TIME)
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return _download(request, study, options, f"{name}.zip", packed.getvalue(), "application/zip")


@require_safe
@staff_only
def picture_file(request: HttpRequest, slug: str, name: str, ending: str) -> HttpResponse:
    """One figure as a picture."""
    study = get_object_or_404(Study, slug=slug)
    options = options_of(request, study)
    found = {each.name: each for each in pictures(report(study, options).document)}
    if name not in found or ending not in DRAWERS:
        raise Http404(f"no picture {name}.{ending}; there are: {', '.join(found)}, each as svg and png")
    draw, media_type = DRAWERS[ending]
    return _download(request, study, options, f"{name}.{ending}", draw(found[name]), media_type)


def _download(
    request: HttpRequest,
    study: Study,
    options: ReportOptions,
    name: str,
    content: str | bytes,
    media_type: str,
) -> HttpResponse:
    log.info("report downloaded", extra={"study": study.slug, "file": name, "user": request.user.pk})
    stem, _, ending = name.rpartition(".")
    simulated = "-simulated" if options.population.value == "simulated" else ""
    disposition = f'attachment; filename="{study.slug}-{stem}{simulated}.{ending}"'
    return HttpResponse(content, content_type=media_type, headers={"Content-Disposition": disposition})
