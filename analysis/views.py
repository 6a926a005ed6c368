"""The researcher's report and its files."""

from __future__ import annotations

import logging

from csp.decorators import csp_update
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analysis.errors import UnknownFormat
from analysis.exports import FORMATS, format_named
from analysis.frames import Population, choose_population, complete_talks
from analysis.plots import forest, mark, span
from analysis.policy import REPORT_POLICY
from analysis.report import report_of
from analysis.tables.headline import headline
from analysis.tables.table7 import BOLD_SENTENCE, Table7
from analysis.version import code_version
from chat.models import Study
from chat.staff import staff_only

log = logging.getLogger(__name__)


@require_safe
@staff_only
@csp_update(REPORT_POLICY)
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """Table 7 of a study, with its headline, plots and downloads."""
    study = get_object_or_404(Study, slug=slug)
    population = population_of(request, study)
    table = report_of(study, population)
    context = {
        "section": "report",
        "study": study,
        "table": table,
        "said": headline(table),
        "bold_rule": BOLD_SENTENCE,
        "formats": FORMATS,
        "counts": [(each, talks) for each, talks in complete_talks(study).items()],
        "now": timezone.now(),
        "code_version": code_version(),
        **_pictures(table),
    }
    return render(request, "analysis/report.html", context)


@require_safe
@staff_only
def report_file(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """Table 7 as a file to keep."""
    study = get_object_or_404(Study, slug=slug)
    try:
        form = format_named(ending)
    except UnknownFormat as error:
        raise Http404(str(error)) from error
    table = report_of(study, population_of(request, study))
    log.info("report downloaded", extra={"study": study.slug, "form": form.name, "user": request.user.pk})
    name = f"{study.slug}-table7{'-simulated' if table.simulated else ''}.{form.ending}"
    return HttpResponse(
        form.render(table),
        content_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def population_of(request: HttpRequest, study: Study) -> Population:
    """The population that the address asks for; without a wish, what the study has."""
    asked = request.GET.get("population")
    if asked is None:
        return choose_population(study)
    try:
        return Population(asked)
    except ValueError:
        raise BadRequest(f"population is {asked!r}; known: people, simulated") from None


def _pictures(table: Table7) -> dict[str, object]:
    """Rows with the drawing of each cell, and a figure for each axis on which there is something to compare."""
    shown = span(table)
    drawable = [
        axis for axis in table.axes if sum(cell.low is not None for _, cell in table.column(axis)) > 1
    ]
    return {
        "span": shown,
        "rows": [(row, [(cell, mark(cell, shown)) for cell in row.cells]) for row in table.rows],
        "plotted": drawable,
        "figures": {axis.value: forest(table, axis, shown) for axis in drawable},
    }
