"""Who is asking for an evaluator's page, and where in the study they belong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chat.errors import TalkNotFound
from chat.identity import worker_id_of
from chat.models import Conversation, Participation
from chat.participation import Step, StepKind, next_step

#: The page of each step that has no talk; all others stand at the door of the next talk.
PAGES = {
    StepKind.CONSENT: "consent",
    StepKind.THANKS: "thanks",
    StepKind.LEFT: "thanks",
    StepKind.DECLINED: "thanks",
}


def own_participation(request: HttpRequest, slug: str) -> Participation | None:
    """The asking worker's part in a study; one query, none without a genuine cookie."""
    worker_id = worker_id_of(request.COOKIES)
    if not worker_id:
        return None
    return (
        Participation.objects.select_related("study", "worker")
        .filter(worker=worker_id, study__slug=slug)
        .first()
    )


def own_conversation(request: HttpRequest, conversation_id: UUID) -> Conversation:
    """The asking worker's talk. Raises TalkNotFound for missing and foreign ones alike."""
    worker_id = worker_id_of(request.COOKIES)
    try:
        return Conversation.objects.select_related(
            "participation__study", "participation__worker", "context"
        ).get(pk=conversation_id, participation__worker=worker_id)
    except Conversation.DoesNotExist as error:
        raise TalkNotFound() from error


def for_participant(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the asker's participation; newcomers are sent to the study's entrance."""

    @wraps(view)
    def found(request: HttpRequest, slug: str) -> HttpResponse:
        participation = own_participation(request, slug)
        if participation is None:
            return redirect("enter", slug)
        return view(request, participation)

    return found


def step_url(step: Step, participation: Participation) -> str:
    """The page of a step."""
    if step.conversation:
        return reverse("talk" if step.kind == StepKind.TALK else "rate", args=[step.conversation.pk])
    return reverse(PAGES.get(step.kind, "start_talk"), args=[participation.study.slug])


def onward(participation: Participation) -> HttpResponse:
    """A redirect to wherever this participation stands."""
    return redirect(step_url(next_step(participation), participation))
