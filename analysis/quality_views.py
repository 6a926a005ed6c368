"""What excluding workers does to Table 7, as a page and as files."""

from __future__ import annotations

import logging
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from analysis.exclusions import effect_of_worker, effects, in_a_sentence
from analysis.exports import QUALITY_FORMATS
from analysis.quality_report import quality_report
from analysis.reading.frames import Population
from analysis.views import population_of
from chat.models import Participation, Study
from chat.staff import staff_only

log = logging.getLogger(__name__)


@require_safe
@staff_only
def exclusion_effects(request: HttpRequest, slug: str) -> HttpResponse:
    """Table 7 before and after, for each rule alone and for all together."""
    study = get_object_or_404(Study, slug=slug)
    population = population_of(request, study)
    found = effects(study, population)
    shown = request.GET.get("left_out", "policy")
    context = {
        "section": "workers",
        "study": study,
        "here": "effects",
        "population": population,
        "simulated": population is Population.SIMULATED,
        "populations": list(Population),
        "effects": found,
        "shown": next((each for each in found.variants if each.name == shown), found.variants[0]),
        "formats": QUALITY_FORMATS,
    }
    return render(request, "analysis/exclusion_effects.html", context)


@require_safe
@staff_only
def worker_effect(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """What excluding one worker, or restoring them, would change: every cell; with ``brief`` one sentence as JSON."""
    found = Participation.objects.select_related("study", "worker")
    participation = get_object_or_404(found, pk=participation_id, study__slug=slug)
    effect = effect_of_worker(participation)
    if "brief" in request.GET:
        return JsonResponse({"text": in_a_sentence(effect, restoring=participation.excluded_at is not None)})
    context = {
        "section": "workers",
        "study": participation.study,
        "participation": participation,
        "shown": effect,
        "sentence": in_a_sentence(effect, restoring=participation.excluded_at is not None),
    }
    return render(request, "analysis/worker_effect.html", context)


@require_safe
@staff_only
def quality_file(request: HttpRequest, slug: str, ending: str) -> HttpResponse:
    """Findings, rules and effects as a file; how often honest workers are flagged is the command's to simulate."""
    study = get_object_or_404(Study, slug=slug)
    population = population_of(request, study)
    form = next((each for each in QUALITY_FORMATS if each.ending == ending), None)
    if form is None:
        raise Http404(f"no quality.{ending}; there are: {', '.join(each.ending for each in QUALITY_FORMATS)}")
    text = form.render(quality_report(study, population, seeds=0))
    log.info("quality downloaded", extra={"study": study.slug, "form": form.name, "user": request.user.pk})
    name = f"{study.slug}-quality{'-simulated' if population is Population.SIMULATED else ''}.{form.ending}"
    return HttpResponse(
        text,
        content_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
