"""The researcher's page of one worker: what was found, with the very words, and the two decisions about it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat.errors import ChatError
from chat.models import Participation
from chat.staff import staff_only
from ratings.axes import Axis
from ratings.errors import DecisionRefused
from ratings.models import Decision
from ratings.quality import board, decisions
from ratings.quality import policy as policies
from ratings.quality.dossier import dossier


@require_safe
@staff_only
def worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """One worker of the study. Ten queries, however much they said."""
    return _page(request, _participation(slug, participation_id))


def _participation(slug: str, participation_id: UUID) -> Participation:
    """A participation of another study is none here."""
    return get_object_or_404(
        Participation.objects.select_related("study", "worker", "judgement"),
        pk=participation_id,
        study__slug=slug,
    )


def _page(
    request: HttpRequest, participation: Participation, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    policy = policies.held(participation.study)
    (row,) = board.rows([participation], policy)
    found = dossier(participation, policy)
    reasons = decisions.FOR_RESTORING if participation.excluded_at else decisions.FOR_EXCLUDING
    context = {
        "section": "workers",
        "study": participation.study,
        "participation": participation,
        "row": row,
        "policy": policy,
        "dossier": found,
        "axes": list(Axis),
        "reasons": [(reason.value, reason.label) for reason in reasons],
        "reason": request.POST.get("reason", Decision.Reason.POLICY.value if row.is_due else ""),
        "note": request.POST.get("note", ""),
        "refusal": refusal,
        "refused_field": _field(request) if status == DecisionRefused.status else "",
        "just_made": _just_made(request, found.decisions),
    }
    return render(request, "ratings/quality_worker.html", context, status=status)


def _field(request: HttpRequest) -> str:
    """Which field a refused decision is about: the note that another reason needs, else the reason."""
    return "note" if request.POST.get("reason") == Decision.Reason.OTHER else "reason"


def _just_made(request: HttpRequest, made: tuple[Decision, ...]) -> Decision | None:
    """The decision that the address names, while none followed: it is told of, and an exclusion can be undone."""
    if made and request.GET.get("decided") == str(made[0].pk):
        return made[0]
    return None


@require_POST
@staff_only
def exclude_worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Exclude them, for a reason."""
    return _decide(request, _participation(slug, participation_id), decisions.exclude)


@require_POST
@staff_only
def restore_worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Bring them back, for a reason."""
    return _decide(request, _participation(slug, participation_id), decisions.restore)


def _decide(
    request: HttpRequest, participation: Participation, decide: Callable[..., Decision]
) -> HttpResponse:
    try:
        made = decide(
            participation,
            reason=request.POST.get("reason", ""),
            note=request.POST.get("note", ""),
            actor=request.user.get_username(),
        )
    except (DecisionRefused, ChatError) as refusal:
        participation.refresh_from_db(fields=["excluded_at"])
        return _page(request, participation, refusal=str(refusal), status=refusal.status)
    address = reverse("worker", args=[participation.study.slug, participation.pk])
    return redirect(f"{address}?decided={made.pk}")
