"""The researcher's report of a study."""

from __future__ import annotations

from csp.decorators import csp_update
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analysis.errors import UnknownChoice
from analysis.exports import FORMATS
from analysis.policy import REPORT_POLICY
from analysis.reading.frames import Population, choose_population, complete_talks
from analysis.remembered import report as remembered
from analysis.remembered import state_of
from analysis.report_options import LEVELS, ReportOptions, parsed
from analysis.report_page import report_page
from analysis.statistics.interval_methods import METHOD_LABELS
from chat.models import Participation, Study
from chat.staff import staff_only
from ratings.axes import Axis


@require_safe
@staff_only
@csp_update(REPORT_POLICY)
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """The answer, Table 7, and every part of the analysis with its charts and tables."""
    study = get_object_or_404(Study, slug=slug)
    options = options_of(request, study)
    talks, found = complete_talks(study).items(), remembered(study, options)
    context = {
        "section": "report",
        "study": study,
        "options": options,
        "choices": _choices(study, options),
        "page": report_page(found),
        "table_formats": FORMATS,
        "populations": [(each, count, options.of(each).query) for each, count in talks],
        "state": found.state,
        "now": timezone.now(),
    }
    return render(request, "analysis/report.html", context)


@require_safe
@staff_only
def report_state(request: HttpRequest, slug: str) -> JsonResponse:
    """A text that is another one when a report that was made now would be another."""
    study = get_object_or_404(Study, slug=slug)
    return JsonResponse({"state": state_of(study, options_of(request, study).population)})


def options_of(request: HttpRequest, study: Study) -> ReportOptions:
    """What the address asks of a report; without a wish for a population, what the study has."""
    asked = request.GET.dict()
    population = Population.PEOPLE if asked.get("population") else choose_population(study)
    try:
        return parsed(asked, population)
    except UnknownChoice as error:
        raise BadRequest(str(error)) from None


def population_of(request: HttpRequest, study: Study) -> Population:
    """The population that the address asks for; without a wish, what the study has."""
    asked = request.GET.get("population")
    if asked is None:
        return choose_population(study)
    try:
        return Population(asked)
    except ValueError:
        raise BadRequest(f"population is {asked!r}; known: people, simulated") from None


def _choices(study: Study, options: ReportOptions) -> dict[str, object]:
    """What the form offers, each as value and words."""
    simulated = options.population is Population.SIMULATED
    excluded = Participation.objects.filter(
        study=study, excluded_at__isnull=False, worker__simulated=simulated
    ).count()
    return {
        "methods": [(method.value, label) for method, label in METHOD_LABELS.items()],
        "levels": [(f"{100 * level:g}", f"{100 * level:g} %") for level in LEVELS],
        "axes": [(axis.value, axis.label) for axis in Axis],
        "method": METHOD_LABELS[options.method],
        "excluded": excluded,
        "chosen": options.pairs(),
    }
