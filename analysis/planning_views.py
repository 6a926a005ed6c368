"""The researcher's pages for planning: any study, and one that may adopt its plan."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from analysis import plan_form
from analysis.charts import chart
from analysis.errors import AdoptionRefused
from analysis.exports import plan as exports
from analysis.models import StudyPlan
from analysis.plan_form import Filled
from analysis.planning import adoption, live, standing
from analysis.planning.page import standing_parts
from analysis.plots.key import key
from analysis.policy import REPORT_POLICY
from chat.models import Study
from chat.staff import staff_only

log = logging.getLogger(__name__)

REFUSED = 400


@require_safe
@staff_only
@csp_update(REPORT_POLICY)
def planner(request: HttpRequest) -> HttpResponse:
    """How many talks find a difference; the address keeps the scenario."""
    form = plan_form.filled(request.GET)
    return render(request, "analysis/plan.html", _context(form, None), status=_status(request, form))


@require_safe
@staff_only
def planner_file(request: HttpRequest, ending: str) -> HttpResponse:
    """The same as a file to keep."""
    form = plan_form.filled(request.GET)
    if ending not in exports.ENDINGS.values() or form.plan is None:
        raise Http404(f"There is no plan as {ending}.")
    content, media_type = exports.file(exports.PlanShown(form.plan, form.source.source), ending)
    return HttpResponse(
        content,
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="plan.{ending}"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
@csp_update(REPORT_POLICY)
def study_plan(request: HttpRequest, slug: str) -> HttpResponse:
    """Plan for a study's models; a draft adopts what is shown, an opened one shows its plan and looks."""
    study = get_object_or_404(Study, slug=slug)
    if request.method == "POST":
        return _adopt(request, study)
    form = plan_form.filled(request.GET, study, standing.plan_of(study))
    context = _context(form, study) | {"adopted": request.GET.get("adopted", "")}
    return render(request, "analysis/plan.html", context, status=_status(request, form))


def _status(request: HttpRequest, form: Filled) -> int:
    """What nobody sent is nobody's mistake."""
    return REFUSED if form.reasons and request.GET else 200


def _adopt(request: HttpRequest, study: Study) -> HttpResponse:
    """Adopt what was sent, or withdraw what was adopted."""
    form = plan_form.filled(request.POST, study)
    told = {"actor": request.user.get_username(), "note": plan_form.text(request.POST, "note")}
    try:
        if request.POST.get("act") == "withdraw":
            adoption.withdraw(study, **told)
            return redirect(f"{reverse('study_plan', args=[study.slug])}?adopted=withdrawn")
        if form.plan is None:
            return render(request, "analysis/plan.html", _context(form, study), status=REFUSED)
        adopted = adoption.adopt(
            study,
            form.plan,
            axis=form.axis,
            on_stop=_on_stop(request),
            spread_source=form.source.source,
            pair=_pair(request),
            **told,
        )
    except AdoptionRefused as refused:
        return render(
            request, "analysis/plan.html", _context(form, study) | {"refusal": str(refused)}, status=409
        )
    log.info("plan adopted on its page", extra={"study": study.slug, "user": request.user.pk})
    return redirect(f"{reverse('study_plan', args=[study.slug])}?adopted={adopted.version}")


def _on_stop(request: HttpRequest) -> str:
    sent = request.POST.get("on_stop", "")
    return sent if sent in StudyPlan.OnStop.values else StudyPlan.OnStop.ADVISE.value


def _pair(request: HttpRequest) -> list[int]:
    sent = [request.POST.get("first", ""), request.POST.get("second", "")]
    return [int(each) for each in sent if each.isdecimal() and len(each) < 6]


def _context(form: Filled, study: Study | None) -> dict[str, Any]:
    plan = form.plan
    context: dict[str, Any] = {
        "section": "plan" if study else "planner",
        "study": study,
        "form": form,
        "groups": plan_form.groups(form, study),
        "command": plan_form.command(form, study),
        "on_stop": StudyPlan.OnStop.choices,
        "formats": exports.PLAN_FORMATS,
        "query": f"?{urlencode(form.sent)}",
    }
    if plan:
        context |= _shown(form)
    if study:
        context |= standing_parts(study, live.planned_of(study))
    return context


def _shown(form: Filled) -> dict[str, Any]:
    """A plan's sentences, tables and figure."""
    plan = form.plan
    assert plan
    shown = exports.PlanShown(plan, form.source.source)
    curve = exports.curve_picture(shown)
    drawn = chart(curve)
    return {
        "plan": plan,
        "sentences": exports.sentences(shown),
        "looks_head": exports.LOOK_HEAD,
        "looks": [exports.look_row(each) for each in plan.looks],
        "curve_head": exports.CURVE_HEAD,
        "curve": [exports.curve_row(each) for each in plan.curve],
        "questions_head": exports.QUESTION_HEAD,
        "questions": exports.question_rows(plan),
        "chart": drawn,
        "chart_key": key(curve.figure),
        "figures": {drawn.name: drawn.drawn},
    }
