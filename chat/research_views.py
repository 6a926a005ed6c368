"""The researcher's pages of studies and their talks."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chat import studies as services
from chat.models import Arm, Conversation, Participation, Report, Study
from chat.staff import staff_only

TALKS_PER_PAGE = 25
CHANGES = {"open": services.open_study, "pause": services.pause, "close": services.close}


@require_safe
@staff_only
def studies(request: HttpRequest) -> HttpResponse:
    """Every study with how far it is."""
    shown = [_summary(study) for study in Study.objects.all()]
    return render(request, "chat/studies.html", {"section": "studies", "summaries": shown})


def _summary(study: Study) -> dict[str, object]:
    arms = services.progress(study)
    sums = {
        name: sum(getattr(arm, name) for arm in arms)
        for name in ("done", "talking", "target", "simulated_done")
    }
    return {"study": study, "arms": arms, **sums}


@require_safe
@staff_only
def study(request: HttpRequest, slug: str) -> HttpResponse:
    """One study: progress per arm, the evaluators' link, and where to go from here."""
    found = get_object_or_404(Study, slug=slug)
    context = _summary(found) | {
        "section": "study",
        "link": request.build_absolute_uri(reverse("enter", args=[found.slug])),
        "idle_minutes": int(found.idle_limit.total_seconds() // 60),
        "floor_s": found.reply_floor.total_seconds(),
        "counts": _counts(found),
        "now": timezone.now(),
    }
    return render(request, "chat/study.html", context)


def _counts(study: Study) -> dict[str, int]:
    """People alone; three queries."""
    states = Conversation.State
    talks = Conversation.objects.filter(arm__study=study, simulated=False)
    counts = talks.aggregate(
        talking=Count("id", filter=Q(state__in=Conversation.LIVE)),
        complete=Count("id", filter=Q(state=states.COMPLETE)),
        early=Count("id", filter=Q(state__in=[states.ABANDONED, states.FAILED, states.WITHDRAWN])),
    )
    people = Participation.objects.filter(study=study, worker__simulated=False, consented_at__isnull=False)
    return counts | {
        "people": people.count(),
        "reports": Report.objects.filter(message__conversation__in=talks).count(),
    }


@require_POST
@staff_only
def change_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open, pause or close a study; an unknown word changes nothing."""
    found = get_object_or_404(Study, slug=slug)
    change = CHANGES.get(request.POST.get("change", ""))
    if change:
        change(found)
    return redirect("study", slug)


@require_safe
@staff_only
def talks(request: HttpRequest, slug: str) -> HttpResponse:
    """The study's talks, newest first, by state, model and kind of worker."""
    found = get_object_or_404(Study, slug=slug)
    arms = found.arms.select_related("revision__model")
    chosen = _chosen(request.GET, arms)
    context = {
        "section": "talks",
        "study": found,
        "page": Paginator(_talks(found, chosen), TALKS_PER_PAGE).get_page(request.GET.get("page")),
        "chosen": chosen,
        "filtered": any(chosen.values()),
        "states": Conversation.State.choices,
        "arms": arms,
    }
    return render(request, "chat/talks.html", context)


def _chosen(query: QueryDict, arms: Iterable[Arm]) -> dict[str, str]:
    """The filters that a query names; what is not on offer counts as not chosen."""
    offered = {
        "state": Conversation.State.values,
        "arm": [str(arm.position) for arm in arms],
        "who": ["people", "simulated"],
    }
    return {
        name: query.get(name, "") if query.get(name) in values else "" for name, values in offered.items()
    }


def _talks(study: Study, chosen: dict[str, str]) -> QuerySet[Conversation]:
    found = Conversation.objects.filter(arm__study=study)
    if chosen["state"]:
        found = found.filter(state=chosen["state"])
    if chosen["arm"]:
        found = found.filter(arm__position=int(chosen["arm"]))
    if chosen["who"]:
        found = found.filter(simulated=chosen["who"] == "simulated")
    return (
        found.select_related("arm__revision__model", "participation__worker")
        .annotate(said=Count("messages", distinct=True), reports=Count("messages__reports", distinct=True))
        .order_by("-started_at")
    )
