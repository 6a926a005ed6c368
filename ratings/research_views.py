"""The researcher's transcript: a talk with its evidence, what was said about it, and what was reported."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from chat.models import Conversation, Message
from chat.staff import staff_only
from ratings.axes import QUESTIONS

#: Keys of a reply's evidence that the transcript shows in words of its own, in this order.
SHOWN = ("skill", "source", "score")


@dataclass(frozen=True, slots=True)
class Line:
    """One message with where it came from; ``evidence`` pairs a name with a text."""

    message: Message
    mine: bool
    evidence: list[tuple[str, str]]
    reports: list[str]


@require_safe
@staff_only
def transcript(request: HttpRequest, slug: str, conversation_id: UUID) -> HttpResponse:
    """One talk as it was held. Six queries."""
    talk = get_object_or_404(
        Conversation.objects.select_related(
            "arm__study", "arm__revision__model", "context", "participation__worker"
        ),
        pk=conversation_id,
        arm__study__slug=slug,
    )
    context = {
        "section": "talks",
        "study": talk.arm.study,
        "talk": talk,
        "lines": _lines(talk),
        "ratings": _ratings(talk),
        "seeds": [("worker", talk.context.worker_seed), ("model", talk.context.model_seed)],
        **_neighbours(talk),
    }
    return render(request, "ratings/transcript.html", context)


def _lines(talk: Conversation) -> list[Line]:
    return [_line(message) for message in talk.messages.order_by("position").prefetch_related("reports")]


def _line(message: Message) -> Line:
    return Line(
        message=message,
        mine=message.speaker == Message.Speaker.WORKER,
        evidence=_evidence(message.evidence),
        reports=[report.get_reason_display() for report in message.reports.all()],
    )


def _evidence(evidence: dict[str, object]) -> list[tuple[str, str]]:
    """The well-known keys first, then whatever else an agent told."""
    names = [name for name in SHOWN if name in evidence] + sorted(
        name for name in evidence if name not in SHOWN
    )
    return [(name, _as_text(evidence[name])) for name in names if evidence[name] not in (None, "")]


def _as_text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _ratings(talk: Conversation) -> list[tuple[str, str, int]]:
    """Axis, question and score, in the order of Table 7; empty when the talk was not rated."""
    scores = dict(talk.ratings.values_list("axis", "score"))
    return [(q.axis.label, q.text, scores[q.axis.value]) for q in QUESTIONS if q.axis.value in scores]


def _neighbours(talk: Conversation) -> dict[str, UUID | None]:
    """The study's talks that began just before and just after."""
    of_study = Conversation.objects.filter(arm__study=talk.arm.study_id).values_list("pk", flat=True)
    return {
        "older": of_study.filter(started_at__lt=talk.started_at).order_by("-started_at").first(),
        "newer": of_study.filter(started_at__gt=talk.started_at).order_by("started_at").first(),
    }
