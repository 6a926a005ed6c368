"""The rating page."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from chat.doors import own_conversation
from chat.errors import TalkNotFound
from chat.models import Conversation
from chat.participation import talk_number
from chat.standing import ending_words
from chat.turns import note_presence
from ratings.errors import AlreadyRated, NotRatingYet, RatingError, RatingsRefused
from ratings.forms import asked, posted_scores
from ratings.submit import item_of, submit

#: The name of the button that says "I am still here".
STAY = "stay"


@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The questions about a talk that is over; afterwards, when they were answered."""
    try:
        conversation = own_conversation(request, conversation_id)
    except TalkNotFound as error:
        raise Http404 from error
    if request.method == "POST":
        return _stay(request, conversation) if STAY in request.POST else _submit(request, conversation)
    match conversation.state:
        case Conversation.State.RATING:
            return render(request, "ratings/rate.html", _context(conversation) | _questions(conversation))
        case Conversation.State.COMPLETE:
            return render(
                request, "ratings/rated.html", _context(conversation) | {"at": conversation.ended_at}
            )
    # The talk's own page says that it goes on, or how it ended.
    return redirect("talk", conversation.pk)


def _stay(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """The person is still there: the same page with what they have chosen, and the time runs anew."""
    if conversation.state != Conversation.State.RATING:
        return redirect("rate", conversation.pk)
    note_presence(conversation.pk)
    questions = _questions(conversation, posted_scores(request.POST))
    return render(request, "ratings/rate.html", _context(conversation) | questions)


def _submit(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    scores = posted_scores(request.POST)
    try:
        submit(conversation.pk, conversation.participation_id, scores)
    except RatingsRefused as refusal:
        context = _context(conversation) | _questions(conversation, scores, refusal.reasons)
        return render(request, "ratings/rate.html", context | {"refused": True}, status=refusal.status)
    except AlreadyRated as refusal:
        return render(
            request, "ratings/rated.html", _context(conversation) | {"at": refusal.at, "again": True}
        )
    except RatingError as refusal:
        return _not_now(request, conversation, refusal)
    return redirect("enter", conversation.participation.study.slug)


def _not_now(request: HttpRequest, conversation: Conversation, refusal: RatingError) -> HttpResponse:
    """The talk goes on, or ended without a rating."""
    slug = conversation.participation.study.slug
    goes_on = isinstance(refusal, NotRatingYet)
    context = _context(conversation) | {
        "reason": str(refusal),
        "why": "" if goes_on else ending_words(conversation),
        "onward": reverse("talk", args=[conversation.pk]) if goes_on else reverse("enter", args=[slug]),
    }
    return render(request, "ratings/not_now.html", context, status=refusal.status)


def _questions(
    conversation: Conversation,
    scores: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> dict[str, object]:
    item = item_of(conversation)
    return {"item": item, "questions": asked(item, scores, reasons)}


def _context(conversation: Conversation) -> dict[str, object]:
    participation = conversation.participation
    return {
        "study": participation.study,
        "idle_s": int(participation.study.idle_limit.total_seconds()),
        "number": talk_number(conversation),
        "cap": participation.talks_cap,
        "can_leave": participation.state == participation.State.CONSENTED,
    }
