"""What a person's work is worth: approved, a bonus, or rejected. Decided by people, told to no provider from here.

Pay and data are decided apart: who is excluded may still be paid, and mostly should be. Nothing rejects anybody by
itself; a rejection that one member of staff asks for holds once another confirms it. Every step is a Decision, which
nobody can change; how somebody stands follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.conf import settings
from django.db import transaction

from chat.models import Participation
from chat.participation import to_be_paid
from ratings.errors import DecisionRefused, NotPayableSo
from ratings.models import Decision
from ratings.quality.decisions import check, record

Act, Reason = Decision.Act, Decision.Reason
ACTS = (Act.APPROVE, Act.REJECT, Act.CONFIRM, Act.BONUS)
FOR_APPROVING = (Reason.WORK, Reason.MISTAKE, Reason.APPEAL, Reason.OTHER)
FOR_REJECTING = (
    Reason.RATINGS,
    Reason.WRITING,
    Reason.UNSAFE,
    Reason.ACCOUNTS,
    Reason.GENERATED,
    Reason.OTHER,
)
FOR_A_BONUS = (Reason.WORK, Reason.EXTRA, Reason.OTHER)
#: What Prolific asks of the message to somebody who is rejected; other providers ask less.
SHORTEST_REJECTION = 100
#: The person reads it; providers refuse an empty one.
SHORTEST_BONUS_TEXT = 10
#: More than this is a slip of the decimal point.
HIGHEST_BONUS = Decimal(100)
CENT = Decimal("0.01")


class Pay(StrEnum):
    """How a person's pay stands."""

    OPEN = "open"
    ASKED = "rejection asked"
    REJECTED = "rejected"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Bonus:
    """``amount`` in whole units of ``currency``, two digits after the point."""

    amount: Decimal
    currency: str
    text: str
    by: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(slots=True)
class Standing:
    """What follows from the decisions about somebody's pay. ``last`` made it so; ``asked`` asked for a rejection."""

    pay: Pay = Pay.OPEN
    last: Decision | None = None
    asked: Decision | None = None
    bonuses: list[Bonus] = field(default_factory=list)

    @property
    def bonus_total(self) -> Decimal:
        return sum((each.amount for each in self.bonuses), Decimal(0))

    def follow(self, decision: Decision) -> None:
        """Take the next decision into account."""
        match decision.act:
            case Act.APPROVE:
                self.pay, self.last, self.asked = Pay.APPROVED, decision, None
            case Act.REJECT:
                self.pay, self.last, self.asked = Pay.ASKED, decision, decision
            case Act.CONFIRM:
                self.pay, self.last = Pay.REJECTED, decision
            case Act.BONUS:
                self.bonuses.append(_bonus(decision))


def _bonus(decision: Decision) -> Bonus:
    told = decision.details["bonus"]
    return Bonus(Decimal(told["amount"]), told["currency"], decision.note, decision.actor)


def standing(made: Iterable[Decision]) -> Standing:
    """How somebody stands after these decisions about them, in any order; those about other things count nothing."""
    found = Standing()
    for decision in sorted(made, key=lambda each: each.pk):
        found.follow(decision)
    return found


# --- What can be decided ------------------------------------------------------------------------------------------


def approve(participation: Participation, *, reason: str, actor: str, note: str = "") -> Decision:
    """The work is paid; also in place of a rejection, whether it was confirmed or not.

    Raises DecisionRefused, NotPayableSo.
    """
    check(reason, FOR_APPROVING, note)

    def may(now: Standing) -> None:
        if now.pay is Pay.APPROVED:
            raise NotPayableSo("This work is approved already.")

    return _decide(participation, Act.APPROVE, reason, note, actor, may)


def ask_rejection(participation: Participation, *, reason: str, actor: str, note: str) -> Decision:
    """Ask for a rejection; ``note`` is what the person will read. Raises DecisionRefused, NotPayableSo."""
    check(reason, FOR_REJECTING, note)
    _check_text(note, SHORTEST_REJECTION)

    def may(now: Standing) -> None:
        if now.pay is not Pay.OPEN:
            raise NotPayableSo(f"This work is {now.pay}: it cannot be rejected anew.")

    return _decide(participation, Act.REJECT, reason, note, actor, may)


def confirm_rejection(participation: Participation, *, actor: str) -> Decision:
    """A second person agrees: now it holds. Raises NotPayableSo, also for whoever asked for it."""

    def may(now: Standing) -> None:
        if now.pay is not Pay.ASKED or now.asked is None:
            raise NotPayableSo("No rejection waits for a second person here.")
        if now.asked.actor == actor:
            raise NotPayableSo("You asked for this rejection: somebody else has to confirm it.")

    asked = standing(participation.decisions.filter(act__in=ACTS)).asked
    return _decide(participation, Act.CONFIRM, asked.reason if asked else Reason.OTHER, "", actor, may)


def give_bonus(
    participation: Participation,
    *,
    amount: str,
    reason: str,
    actor: str,
    note: str,
    already: int | None = None,
) -> Decision:
    """``amount`` of PAY_CURRENCY beside the pay; ``note`` is what the person will read.

    ``already`` is how many bonuses whoever decides knew of: a form that is sent twice gives one. Raises
    DecisionRefused, NotPayableSo.
    """
    check(reason, FOR_A_BONUS, note)
    money = _money(amount)
    _check_text(note, SHORTEST_BONUS_TEXT)

    def may(now: Standing) -> None:
        if now.pay is not Pay.APPROVED:
            raise NotPayableSo(f"This work is {now.pay}: approve it before a bonus.")
        if already is not None and already != len(now.bonuses):
            raise NotPayableSo(
                f"{len(now.bonuses)} bonuses were given by now, and {already} when this page was shown: look again."
            )

    told = {"amount": str(money), "currency": settings.PAY_CURRENCY}
    return _decide(participation, Act.BONUS, reason, note, actor, may, bonus=told)


def _check_text(text: str, shortest: int) -> None:
    length, longest = len(text.strip()), Decision._meta.get_field("note").max_length or 0
    if not shortest <= length <= longest:
        raise DecisionRefused(
            f"The text that the person will read has {length} characters; write {shortest} to {longest}, and say "
            "what was looked at.",
            field="note",
        )


def _money(text: str) -> Decimal:
    """An amount above 0 with at most two digits after the point."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise DecisionRefused(f"{text!r} is no amount; write it as 1.50.", field="amount") from None
    if not amount.is_finite() or not 0 < amount <= HIGHEST_BONUS or amount != amount.quantize(CENT):
        raise DecisionRefused(
            f"{text.strip()} cannot be a bonus; it lies above 0, is at most {HIGHEST_BONUS} and has two digits after "
            "the point.",
            field="amount",
        )
    return amount.quantize(CENT)


def _decide(
    participation: Participation,
    act: Decision.Act,
    reason: str,
    note: str,
    actor: str,
    may: Callable[[Standing], None],
    **details: object,
) -> Decision:
    """Write the decision if ``may``, which raises, lets it: of two at once the second sees the first."""
    with transaction.atomic():
        Participation.objects.select_for_update().get(pk=participation.pk)
        if not to_be_paid(participation.study).filter(pk=participation.pk).exists():
            raise NotPayableSo(_why_nothing(participation))
        may(standing(participation.decisions.filter(act__in=ACTS)))
        return record(participation, act, reason, note, actor, **details)


def _why_nothing(participation: Participation) -> str:
    if participation.worker.simulated:
        return "A program held these talks: nobody is paid for them."
    return "This person has not come to the end with a talk to be paid for; there is nothing to decide yet."
