"""Where a talk stands, as its page is told. No queries: everything is read from rows that are at hand."""

from __future__ import annotations

from chat.events import Event, MessageEvent, Notice, Phase, State, stamp
from chat.models import Conversation, Message

ENDINGS = {
    Conversation.State.ABANDONED: "This conversation was closed because nothing was written for a long time.",
    Conversation.State.FAILED: "We are sorry: your partner cannot be reached. This conversation has ended, and it "
    "is not your fault.",
    Conversation.State.WITHDRAWN: "You have left this conversation.",
}
#: Of a worker who was excluded while they talked. Why is the researchers' to tell.
EXCLUDED = "This conversation has ended, and there are no more for you in this study."
PAID = "You are paid for your time: for your completion code it counts like a conversation that you finished."


def state_of(conversation: Conversation) -> State:
    """Whose move it is and how far the talk is; the participation's study must be at hand."""
    study = conversation.participation.study
    said = conversation.worker_turns
    phase = _phase(conversation)
    return State(
        phase=phase,
        turn=said,
        of=study.min_turns,
        words=study.max_words,
        may_finish=phase == Phase.YOURS and said >= study.min_turns,
    )


def _phase(conversation: Conversation) -> Phase:
    match conversation.state:
        case Conversation.State.CHATTING:
            return Phase.PARTNER if conversation.awaits_reply else Phase.YOURS
        case Conversation.State.RATING:
            return Phase.RATING
        case Conversation.State.COMPLETE:
            return Phase.COMPLETE
    return Phase.ENDED


def standing_of(conversation: Conversation) -> list[Event]:
    """The frames that bring a page up to date, beside messages: for a talk that ended early, first how."""
    state = state_of(conversation)
    if state.phase != Phase.ENDED:
        return [state]
    return [Notice(str(conversation.state), ending_words(conversation)), state]


def ending_words(conversation: Conversation) -> str:
    """How a talk ended that is not rated, and whether it is paid."""
    if conversation.participation.excluded_at and not conversation.is_paid_failure:
        return EXCLUDED
    words = ENDINGS[Conversation.State(conversation.state)]
    return f"{words} {PAID}" if conversation.is_paid_failure else words


def event_of(message: Message) -> MessageEvent:
    """A stored message as its page gets it: without evidence and times."""
    return MessageEvent(
        position=message.position,
        speaker="you" if message.speaker == Message.Speaker.WORKER else "partner",
        text=message.text,
        at=stamp(message.created_at),
    )
