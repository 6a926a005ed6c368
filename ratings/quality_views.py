"""The researcher's page of a study's workers: who is flagged, who is due, and what can be done with all at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.errors import ChatError
from chat.models import Study
from chat.staff import staff_only
from ratings.models import Decision, Policy
from ratings.quality import board, decisions
from ratings.quality import policy as policies
from ratings.quality.asking import ask_for_everybody
from ratings.quality.board import Show
from ratings.quality.catalogue import BY_NAME

PEOPLE, SIMULATED = "people", "simulated"
WORKERS_PER_PAGE = 50
#: Digits of a row's number that every database takes.
LONGEST_NUMBER = 18
#: So many names stand on the page that asks whether to exclude them all.
MOST_NAMED = 100


@require_safe
@staff_only
def workers(request: HttpRequest, slug: str) -> HttpResponse:
    """A study's workers, those who are due first. Eleven queries, however many there are."""
    return _workers(request, get_object_or_404(Study, slug=slug), request.GET.get("population"))


def _workers(
    request: HttpRequest, study: Study, asked: str | None, *, queue_away: bool = False
) -> HttpResponse:
    begun = board.populations(study)
    population = _population(asked, begun)
    simulated, policy = population == SIMULATED, policies.held(study)
    expected = board.expected_false_flags(study, simulated=simulated)
    context = {
        "section": "workers",
        "study": study,
        "population": population,
        "simulated": simulated,
        "populations": begun.items(),
        "policy": policy,
        "counts": board.counts(policy, simulated=simulated),
        "expected": expected,
        "rules": board.rule_lines(policy, expected, simulated=simulated),
        "queue_away": queue_away,
        "now": timezone.now(),
        **_listed(request, policy, simulated),
        **_told(request, study, simulated),
    }
    return render(request, "ratings/quality_workers.html", context, status=503 if queue_away else 200)


def _population(asked: str | None, begun: Mapping[str, int]) -> str:
    """The population that was asked for; without a wish people, unless only simulated workers came."""
    if asked is None:
        return SIMULATED if begun[SIMULATED] and not begun[PEOPLE] else PEOPLE
    if asked not in begun:
        raise BadRequest(f"population is {asked!r}; known: {', '.join(begun)}")
    return asked


def _listed(request: HttpRequest, policy: Policy, simulated: bool) -> dict[str, object]:
    """The workers that the address asks for; an unknown filter is none."""
    wanted, rule = request.GET.get("show", ""), request.GET.get("rule", "")
    show = Show(wanted) if wanted in list(Show) else Show.ALL
    found = board.workers(policy, simulated=simulated, show=show, rule=rule if rule in BY_NAME else "")
    page = Paginator(found, WORKERS_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "show": show,
        "shows": list(Show),
        "rule": BY_NAME.get(rule),
        "page": page,
        "rows": board.rows(page.object_list, policy),
    }


def _told(request: HttpRequest, study: Study, simulated: bool) -> dict[str, object]:
    """What became of a button that was pressed just before: a run that was asked, workers who were excluded."""
    told: dict[str, object] = {}
    if asked_at := _moment(request.GET.get("asked", "")):
        told["asked_at"] = asked_at
        told["judged_since"] = board.judged_since(study, asked_at, simulated=simulated)
    if (first := request.GET.get("decided", "")).isdecimal():
        by_policy = study.decisions.filter(act=Decision.Act.EXCLUDE, reason=Decision.Reason.POLICY)
        told["carried_out"] = by_policy.filter(pk__gte=int(first[:LONGEST_NUMBER])).count()
    return told


def _moment(text: str) -> datetime | None:
    """A time with its zone; None for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _address(study: Study, **query: object) -> str:
    return f"{reverse('workers', args=[study.slug])}?{urlencode(query)}"


@require_POST
@staff_only
def judge_workers(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a judgement of the whole population."""
    study = get_object_or_404(Study, slug=slug)
    population = _population(request.POST.get("population"), board.populations(study))
    asked_at = timezone.now()
    if not ask_for_everybody(study, simulated=population == SIMULATED):
        return _workers(request, study, population, queue_away=True)
    return redirect(_address(study, population=population, asked=asked_at.isoformat()))


# --- Whom the policy names ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def carry_out_policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Whom the policy names, and the button that excludes them."""
    study = get_object_or_404(Study, slug=slug)
    sent = request.POST if request.method == "POST" else request.GET
    population = _population(sent.get("population"), board.populations(study))
    if request.method == "POST":
        return _carry_out(request, study, population)
    return _confirm(request, study, population)


def _confirm(
    request: HttpRequest, study: Study, population: str, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    policy = policies.held(study)
    due = board.workers(policy, simulated=population == SIMULATED, show=Show.DUE)
    context = {
        "section": "workers",
        "study": study,
        "population": population,
        "simulated": population == SIMULATED,
        "policy": policy,
        "number": due.count(),
        "rows": board.rows(due[:MOST_NAMED], policy),
        "note": request.POST.get("note", ""),
        "refusal": refusal,
    }
    return render(request, "ratings/quality_carry_out.html", context, status=status)


def _carry_out(request: HttpRequest, study: Study, population: str) -> HttpResponse:
    """Exclude as many as the page said. Where their number has changed meanwhile, ask again."""
    simulated = population == SIMULATED
    number = board.workers(policies.held(study), simulated=simulated, show=Show.DUE).count()
    if request.POST.get("workers") != str(number):
        changed = f"The policy names {number} workers now. Look at them, then press the button again."
        return _confirm(request, study, population, refusal=changed, status=409)
    try:
        note, actor = request.POST.get("note", ""), request.user.get_username()
        made = decisions.carry_out(study, simulated=simulated, actor=actor, note=note)
    except ChatError as error:
        return _confirm(request, study, population, refusal=str(error), status=error.status)
    told = {"show": Show.EXCLUDED, "decided": made[0].pk} if made else {}
    return redirect(_address(study, population=population, **told))
