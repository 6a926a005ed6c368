"""One worker's way through one study: enter, consent, talk, leave, and the code at the end.

The way is decided here and nowhere else; pages ask ``next_step`` and go where it points.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from chat import assignment
from chat.endings import end
from chat.errors import BadToken, NoCodeYet, StudyNotOpen, WrongStep
from chat.models import Arm, Conversation, Participation, Study, Worker

logger = logging.getLogger(__name__)

SIMULATION_SALT = "simulated-worker"
#: A simulation's links are used at once.
SIMULATION_TOKEN_AGE_S = 24 * 3600
CODE_SALT = "chat.completion_code"
CODE_CHARACTERS, CODE_GROUP = 20, 5


class StepKind(StrEnum):
    """Where a worker is to go next."""

    CONSENT = "consent"
    START = "start"
    TALK = "talk"
    RATE = "rate"
    THANKS = "thanks"
    #: Nothing finished and nothing to do: they left, declined, or the study takes no more.
    LEFT = "left"
    DECLINED = "declined"
    #: There is room, but no model can take another talk just now.
    WAIT = "wait"
    PAUSED = "paused"
    CLOSED = "closed"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Step:
    """The next step; ``conversation`` is set for talk and rate.

    ``completed`` counts finished talks, ``failed`` those that failed by the site's fault; both are paid.
    """

    kind: StepKind
    completed: int
    conversation: Conversation | None = None
    failed: int = 0

    @property
    def paid(self) -> int:
        return self.completed + self.failed


def simulation_token(behaviour: str) -> str:
    """A link's ``sim`` parameter, which marks whoever enters with it as simulated."""
    return signing.TimestampSigner(salt=SIMULATION_SALT).sign(behaviour)


def behaviour_of(token: str) -> str:
    """The behaviour that a genuine simulation token names. Raises BadToken."""
    try:
        return signing.TimestampSigner(salt=SIMULATION_SALT).unsign(token, max_age=SIMULATION_TOKEN_AGE_S)
    except signing.BadSignature as error:
        raise BadToken() from error


def enter(study: Study, worker: Worker | None, *, simulated_as: str = "") -> Participation:
    """The worker's participation, made at the first visit; without a worker, a new one is made.

    A person never turns into a simulated worker: a simulation's link makes a worker of its own. Raises
    StudyNotOpen for newcomers when the study is not open; those who take part already may always return.
    """
    if worker and simulated_as and not worker.simulated:
        worker = None
    if worker and (known := Participation.objects.filter(study=study, worker=worker).first()):
        return known
    if not Study.objects.filter(pk=study.pk, state=Study.State.OPEN).exists():
        raise StudyNotOpen()
    with transaction.atomic():
        worker = worker or Worker.objects.create(simulated=bool(simulated_as), behaviour=simulated_as[:30])
        participation, _ = Participation.objects.get_or_create(
            study=study, worker=worker, defaults={"talks_cap": study.conversations_per_worker}
        )
    logger.info("study entered", extra={"participation": participation.pk, "study": study.slug})
    return participation


def consent(participation: Participation) -> None:
    """Record consent to the study's present text; who declined may think again. Raises WrongStep after the end."""
    asked = [Participation.State.ENTERED, Participation.State.DECLINED]
    text = participation.study.consent_text
    changed = Participation.objects.filter(pk=participation.pk, state__in=asked).update(
        state=Participation.State.CONSENTED,
        consent_sha256=hashlib.sha256(text.encode()).hexdigest(),
        consented_at=timezone.now(),
    )
    participation.refresh_from_db()
    if not changed and participation.state != Participation.State.CONSENTED:
        raise WrongStep()


def decline(participation: Participation) -> None:
    """Record that consent was not given. Raises WrongStep when it was given before (then one leaves)."""
    changed = Participation.objects.filter(pk=participation.pk, state=Participation.State.ENTERED).update(
        state=Participation.State.DECLINED
    )
    participation.refresh_from_db()
    if not changed and participation.state != Participation.State.DECLINED:
        raise WrongStep()


def leave(participation: Participation) -> None:
    """End the worker's part early: a live talk is kept as withdrawn and its slot goes back. Twice is once."""
    with transaction.atomic():
        for conversation in live_talks(participation):
            end(conversation.pk, Conversation.State.WITHDRAWN)
        Participation.objects.filter(pk=participation.pk, state=Participation.State.CONSENTED).update(
            state=Participation.State.LEFT, ended_at=timezone.now()
        )
    participation.refresh_from_db()


def live_talks(participation: Participation) -> QuerySet[Conversation]:
    """The worker's talk that is under way, if any; the database allows one."""
    return Conversation.objects.filter(participation=participation, state__in=Conversation.LIVE)


def completed_talks(participation: Participation) -> int:
    return participation.conversations.filter(state=Conversation.State.COMPLETE).count()


def failed_talks(participation: Participation) -> int:
    """Talks that failed by the site's fault after the worker had said something: they are paid like finished ones."""
    failed = participation.conversations.filter(state=Conversation.State.FAILED)
    return failed.filter(last_position__gt=0).count()


def talk_number(conversation: Conversation) -> int:
    """The talk's number as its worker counts: talks before it that failed by the site's fault are left out."""
    talks = Conversation.objects.filter(participation=conversation.participation_id)
    before = talks.filter(ordinal__lt=conversation.ordinal)
    return before.exclude(state=Conversation.State.FAILED).count() + 1


def paid_talks(participation: Participation) -> int:
    return completed_talks(participation) + failed_talks(participation)


def next_step(participation: Participation) -> Step:
    """Where the worker goes next. Ends the participation when nothing is left for it to do."""
    participation.refresh_from_db()
    completed, failed = completed_talks(participation), failed_talks(participation)
    live = live_talks(participation).first()
    return Step(_kind(participation, live, completed + failed), completed, live, failed)


def _kind(participation: Participation, live: Conversation | None, paid: int) -> StepKind:
    match Participation.State(participation.state):
        case Participation.State.ENTERED:
            return _when_open(participation.study, StepKind.CONSENT)
        case Participation.State.DECLINED:
            return StepKind.DECLINED
        case Participation.State.LEFT | Participation.State.DONE:
            return StepKind.THANKS if paid else StepKind.LEFT
    if live:
        return StepKind.TALK if live.state == Conversation.State.CHATTING else StepKind.RATE
    return _between_talks(participation, paid)


def _between_talks(participation: Participation, paid: int) -> StepKind:
    """Another talk, a wait, or the end."""
    study = participation.study
    excluded = participation.excluded_at is not None
    if study.state == Study.State.PAUSED and not excluded:
        return StepKind.PAUSED
    capped = participation.talks_taken >= participation.talks_cap or excluded
    if study.is_open and not capped and (arms := arms_with_room(participation)):
        return StepKind.START if assignment.arms_that_answer(arms) else StepKind.WAIT
    if capped or paid:
        _finish(participation)
        return StepKind.THANKS if paid else StepKind.LEFT
    return StepKind.FULL if study.is_open else StepKind.CLOSED


def _when_open(study: Study, step: StepKind) -> StepKind:
    match study.state:
        case Study.State.OPEN:
            return step
        case Study.State.PAUSED:
            return StepKind.PAUSED
    return StepKind.CLOSED


def arms_with_room(participation: Participation) -> list[Arm]:
    """Arms that have a slot for this worker; simulated workers need none. One query."""
    arms = Arm.objects.filter(study=participation.study)
    return list(arms if participation.worker.simulated else arms.filter(taken__lt=F("target")))


def _finish(participation: Participation) -> None:
    Participation.objects.filter(pk=participation.pk, state=Participation.State.CONSENTED).update(
        state=Participation.State.DONE, ended_at=timezone.now()
    )


def completion_code(participation: Participation) -> str:
    """The participation's code, e.g. ``AB2CD-EF3GH-IJ4KL-MN5OP``: 100 bits of an HMAC, the same at each return.

    It is computed from the id and the site's key and stored nowhere. Raises NoCodeYet before the end and
    for those who have no talk to be paid for.
    """
    participation.refresh_from_db()
    ended = participation.state in (Participation.State.DONE, Participation.State.LEFT)
    if not ended or not paid_talks(participation):
        raise NoCodeYet()
    return _code(participation)


def is_code_of(participation: Participation, claimed: str) -> bool:
    """Whether a claimed code is this participation's own, valid one; compared in constant time."""
    try:
        code = completion_code(participation)
    except NoCodeYet:
        return False
    return constant_time_compare(code, claimed.strip().upper())


def to_be_paid(study: Study) -> QuerySet[Participation]:
    """People who came to the end with a talk to be paid for: those who have a code. In the order in which they came."""
    paid = Q(state=Conversation.State.COMPLETE) | Q(state=Conversation.State.FAILED, last_position__gt=0)
    talks = Conversation.objects.filter(paid, participation=OuterRef("pk"))
    ended = [Participation.State.DONE, Participation.State.LEFT]
    people = Participation.objects.filter(
        Exists(talks), study=study, state__in=ended, worker__simulated=False
    )
    return people.select_related("worker").order_by("created_at", "pk")


def codes_of(participations: Iterable[Participation]) -> dict[UUID, str]:
    """The codes of those whom ``to_be_paid`` names; no query."""
    return {each.pk: _code(each) for each in participations}


def _code(participation: Participation) -> str:
    digest = salted_hmac(CODE_SALT, str(participation.pk), algorithm="sha256").digest()
    text = base64.b32encode(digest).decode()[:CODE_CHARACTERS]
    return "-".join(text[i : i + CODE_GROUP] for i in range(0, CODE_CHARACTERS, CODE_GROUP))
