"""The researcher's page of one worker: what was found, with the very words, and what is decided about them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chat.errors import ChatError
from chat.models import Participation
from chat.participation import to_be_paid
from chat.staff import staff_only
from ratings import payment
from ratings.axes import Axis
from ratings.errors import DecisionRefused, RatingError
from ratings.models import Decision
from ratings.quality import board, decisions
from ratings.quality import policy as policies
from ratings.quality.dossier import dossier


@require_safe
@staff_only
def worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """One worker of the study. Eleven queries, however much they said."""
    return _page(request, _participation(slug, participation_id))


def _participation(slug: str, participation_id: UUID) -> Participation:
    """A participation of another study is none here."""
    return get_object_or_404(
        Participation.objects.select_related("study", "worker", "judgement"),
        pk=participation_id,
        study__slug=slug,
    )


def _page(
    request: HttpRequest,
    participation: Participation,
    refused: RatingError | ChatError | None = None,
    form: str = "",
) -> HttpResponse:
    """``form`` is the one that was sent, whose fields keep what was entered."""
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
        "reasons": _choices(reasons),
        "due_reason": Decision.Reason.POLICY.value if row.is_due else "",
        "sent": {"form": form, **{name: request.POST.get(name, "") for name in ("reason", "note", "amount")}},
        "refusal": str(refused) if refused else "",
        "refused_field": refused.field if isinstance(refused, DecisionRefused) else "",
        "just_made": _just_made(request, found.decisions),
        **_pay(request, participation, found.decisions),
    }
    return render(request, "ratings/quality_worker.html", context, status=refused.status if refused else 200)


def _choices(reasons: tuple[Decision.Reason, ...]) -> list[tuple[str, str]]:
    return [(reason.value, str(reason.label)) for reason in reasons]


def _pay(request: HttpRequest, participation: Participation, made: tuple[Decision, ...]) -> dict[str, object]:
    """What is decided, and can be, about their pay; one query."""
    now = payment.standing(made)
    return {
        "pay": now,
        "is_payable": to_be_paid(participation.study).filter(pk=participation.pk).exists(),
        "asked_by_me": now.asked is not None and now.asked.actor == request.user.get_username(),
        "approving": _choices(payment.FOR_APPROVING),
        "rejecting": _choices(payment.FOR_REJECTING),
        "giving": _choices(payment.FOR_A_BONUS),
        "shortest_rejection": payment.SHORTEST_REJECTION,
        "shortest_bonus_text": payment.SHORTEST_BONUS_TEXT,
        "currency": settings.PAY_CURRENCY,
    }


def _just_made(request: HttpRequest, made: tuple[Decision, ...]) -> Decision | None:
    """The decision that the address names, while none followed: it is told of, and an exclusion can be undone."""
    if made and request.GET.get("decided") == str(made[0].pk):
        return made[0]
    return None


@require_POST
@staff_only
def exclude_worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Exclude them, for a reason."""
    return _decide(request, _participation(slug, participation_id), decisions.exclude, "decide")


@require_POST
@staff_only
def restore_worker(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Bring them back, for a reason."""
    return _decide(request, _participation(slug, participation_id), decisions.restore, "decide")


@require_POST
@staff_only
def approve_pay(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Their work is paid."""
    return _decide(request, _participation(slug, participation_id), payment.approve, "approve")


@require_POST
@staff_only
def reject_pay(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """Ask for a rejection, with the text that they will read; somebody else confirms it."""
    return _decide(request, _participation(slug, participation_id), payment.ask_rejection, "reject")


@require_POST
@staff_only
def confirm_rejection(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """The second person's word."""

    def confirm(participation: Participation, *, actor: str, **unasked: str) -> Decision:
        return payment.confirm_rejection(participation, actor=actor)

    return _decide(request, _participation(slug, participation_id), confirm, "confirm")


@require_POST
@staff_only
def give_bonus(request: HttpRequest, slug: str, participation_id: UUID) -> HttpResponse:
    """A bonus; a form that is sent twice gives one."""
    already = request.POST.get("already", "")

    def give(participation: Participation, **told: str) -> Decision:
        known = int(already) if already.isdecimal() and len(already) < 6 else -1
        return payment.give_bonus(participation, amount=request.POST.get("amount", ""), already=known, **told)

    return _decide(request, _participation(slug, participation_id), give, "bonus")


def _decide(
    request: HttpRequest, participation: Participation, decide: Callable[..., Decision], form: str
) -> HttpResponse:
    try:
        made = decide(
            participation,
            reason=request.POST.get("reason", ""),
            note=request.POST.get("note", ""),
            actor=request.user.get_username(),
        )
    except (RatingError, ChatError) as refusal:
        participation.refresh_from_db(fields=["excluded_at"])
        return _page(request, participation, refusal, form)
    address = reverse("worker", args=[participation.study.slug, participation.pk])
    return redirect(f"{address}?decided={made.pk}")
