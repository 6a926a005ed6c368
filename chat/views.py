"""The evaluator's pages: each asks where the person stands, calls one service and answers.

Nothing here may tell which model somebody talks to: contexts are built from named fields alone.
"""

from __future__ import annotations

import re
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from chat import participation as services
from chat import turns
from chat.assignment import start_talk as start
from chat.devices import leave_traces
from chat.doors import for_participant, onward, own_conversation, step_url
from chat.errors import (
    BadToken,
    ChatError,
    NoCodeYet,
    PartnersAway,
    StudyNotOpen,
    TalkNotFound,
    WrongStep,
)
from chat.identity import cookie_value, worker_of
from chat.models import Conversation, Participation, Report, Study
from chat.participation import StepKind
from chat.standing import ending_words, state_of

#: How often a page that waits for a partner looks again; its module does so by itself.
LOOK_AGAIN_S = 5
#: Up to five words and a full stop, with more to follow.
LEAD = re.compile(r"(?:\S+\s+){0,4}\S+[.:?!]\s+")
#: A page that is asked for and sent in.
page_and_form = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
def enter(request: HttpRequest, slug: str) -> HttpResponse:
    """The study's link: know the person again or for the first time, and send them to their step."""
    study = get_object_or_404(Study, slug=slug)
    try:
        participation = services.enter(study, worker_of(request.COOKIES), simulated_as=_simulated_as(request))
    except (BadToken, StudyNotOpen) as refusal:
        return _closed(request, study, refusal)
    answer = onward(participation)
    answer.set_cookie(
        settings.WORKER_COOKIE_NAME,
        cookie_value(participation.worker),
        max_age=settings.WORKER_COOKIE_AGE_S,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    leave_traces(request, participation, answer)
    return answer


def _simulated_as(request: HttpRequest) -> str:
    token = request.GET.get("sim", "")
    return services.behaviour_of(token) if token else ""


def _closed(request: HttpRequest, study: Study, refusal: ChatError) -> HttpResponse:
    context = {"study": study, "kind": refusal.code, "reason": str(refusal)}
    return render(request, "chat/closed.html", context, status=refusal.status)


@page_and_form
@for_participant
def consent(request: HttpRequest, participation: Participation) -> HttpResponse:
    """Read what the study is, then agree or decline."""
    if request.method == "POST":
        return _answer_consent(request, participation)
    step = services.next_step(participation)
    if step.kind not in (StepKind.CONSENT, StepKind.DECLINED):
        return redirect(step_url(step, participation))
    return _consent_page(request, participation)


def _consent_page(
    request: HttpRequest, participation: Participation, *, missing: bool = False
) -> HttpResponse:
    study = participation.study
    context = {"study": study, "paragraphs": led_paragraphs(study.consent_text), "missing": missing}
    return render(request, "chat/consent.html", context, status=400 if missing else 200)


def led_paragraphs(text: str) -> list[tuple[str, str]]:
    """Paragraphs, each as its lead and the rest: a first sentence of a few words leads, as a heading would."""
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    return [_lead_and_rest(paragraph) for paragraph in paragraphs]


def _lead_and_rest(paragraph: str) -> tuple[str, str]:
    lead = LEAD.match(paragraph)
    return (lead[0].strip(), paragraph[lead.end() :]) if lead else ("", paragraph)


def _answer_consent(request: HttpRequest, participation: Participation) -> HttpResponse:
    choice = request.POST.get("choice")
    if choice == "agree" and request.POST.get("agreed") != "yes":
        return _consent_page(request, participation, missing=True)
    try:
        if choice == "agree":
            services.consent(participation)
        elif choice == "decline":
            services.decline(participation)
    except WrongStep:
        # Answered before, perhaps in another tab: their present step tells them so.
        pass
    answer = onward(participation)
    leave_traces(request, participation, answer)
    return answer


@page_and_form
@for_participant
def start_talk(request: HttpRequest, participation: Participation) -> HttpResponse:
    """The pause before a talk: what is to come, how far one is, and the button that starts it."""
    if request.method == "POST":
        return _start(participation)
    step = services.next_step(participation)
    if step.kind == StepKind.WAIT:
        return _wait(request, participation, step)
    if step.kind in (StepKind.PAUSED, StepKind.CLOSED, StepKind.FULL):
        context = _step_context(participation, step) | {
            "kind": step.kind.value,
            "may_stop": step.paid > 0,
        }
        return render(request, "chat/closed.html", context)
    if step.kind != StepKind.START:
        return redirect(step_url(step, participation))
    return render(request, "chat/next.html", _step_context(participation, step))


def _wait(request: HttpRequest, participation: Participation, step: services.Step) -> HttpResponse:
    """No partner is free. The page asks for itself again until its status is another."""
    context = _step_context(participation, step) | {"may_stop": step.paid > 0}
    page = render(request, "chat/waiting.html", context, status=PartnersAway.status)
    page.headers["Retry-After"] = str(LOOK_AGAIN_S)
    return page


def _start(participation: Participation) -> HttpResponse:
    try:
        conversation = start(participation)
    except ChatError:
        # Full, closed or over since the page was shown: the present step says which.
        return onward(participation)
    return redirect("talk" if conversation.state == Conversation.State.CHATTING else "rate", conversation.pk)


def _step_context(participation: Participation, step: services.Step) -> dict[str, object]:
    return {
        "study": participation.study,
        "completed": step.completed,
        "failed": step.failed,
        "number": participation.talks_taken + 1,
        "cap": participation.talks_cap,
        "minutes": int(participation.study.idle_limit.total_seconds() // 60),
        "can_leave": participation.state == Participation.State.CONSENTED,
    }


@require_GET
def talk(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The room. Talks that are over are told so, or lead on to their rating."""
    try:
        conversation = own_conversation(request, conversation_id)
    except TalkNotFound as error:
        raise Http404 from error
    state = Conversation.State(conversation.state)
    if state in (Conversation.State.RATING, Conversation.State.COMPLETE):
        return redirect("rate", conversation.pk)
    context = _talk_context(conversation)
    if state != Conversation.State.CHATTING:
        return render(request, "chat/ended.html", context | _ending(conversation))
    return render(request, "chat/talk.html", context | {"room": _room(conversation)})


def _ending(conversation: Conversation) -> dict[str, object]:
    return {"reason": ending_words(conversation), "is_paid": conversation.is_paid_failure}


def _talk_context(conversation: Conversation) -> dict[str, object]:
    participation = conversation.participation
    return {
        "study": participation.study,
        "number": services.talk_number(conversation),
        "cap": participation.talks_cap,
        "can_leave": participation.state == Participation.State.CONSENTED,
        "minutes": int(participation.study.idle_limit.total_seconds() // 60),
        "persona": conversation.context.worker_persona,
        "topic": conversation.context.topic,
        "situation": conversation.context.situation,
        "seeds": [("you", conversation.context.worker_seed), ("partner", conversation.context.model_seed)],
        "pips": range(participation.study.min_turns),
        "report_reasons": Report.Reason.choices,
    }


def _room(conversation: Conversation) -> dict[str, object]:
    """What the room's module starts with: the same values that the socket's frames carry."""
    reported = Report.objects.filter(message__conversation=conversation).values_list(
        "message__position", flat=True
    )
    return {
        "socket": f"/ws/t/{conversation.pk}/",
        "rate": reverse("rate", args=[conversation.pk]),
        "onward": reverse("enter", args=[conversation.participation.study.slug]),
        "last": conversation.participation.study.max_turns,
        "idle_s": int(conversation.participation.study.idle_limit.total_seconds()),
        "personas": conversation.context.worker_persona,
        "keeps_typing": conversation.participation.study.keeps_paradata,
        "state": state_of(conversation).to_frame(),
        "messages": [event.to_frame() for event in turns.resume(conversation, 0)],
        "reported": sorted(set(reported)),
    }


@page_and_form
@for_participant
def leave(request: HttpRequest, participation: Participation) -> HttpResponse:
    """Say what leaving means, and do it when it is confirmed."""
    if request.method == "POST":
        services.leave(participation)
        return onward(participation)
    step = services.next_step(participation)
    if participation.state != Participation.State.CONSENTED:
        return redirect(step_url(step, participation))
    context = _step_context(participation, step) | {
        "talking": step.kind == StepKind.TALK,
        "rating": step.kind == StepKind.RATE,
        "back": step_url(step, participation),
    }
    return render(request, "chat/leave.html", context)


@require_GET
@for_participant
def thanks(request: HttpRequest, participation: Participation) -> HttpResponse:
    """The end: the completion code for those who finished a talk, thanks for all."""
    step = services.next_step(participation)
    if step.kind not in (StepKind.THANKS, StepKind.LEFT, StepKind.DECLINED):
        return redirect(step_url(step, participation))
    context = {
        "study": participation.study,
        "kind": step.kind.value,
        "completed": step.completed,
        "failed": step.failed,
        "code": _code(participation),
    }
    return render(request, "chat/thanks.html", context)


def _code(participation: Participation) -> str:
    try:
        return services.completion_code(participation)
    except NoCodeYet:
        return ""
