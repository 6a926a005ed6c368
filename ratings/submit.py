"""Store what a person says about a talk: once, all four axes, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from chat.endings import complete
from chat.models import Conversation
from chat.turns import open_talk
from ratings.axes import QUESTIONS, Axis
from ratings.errors import AlreadyRated, NotRatingYet, RatingsRefused, TalkNotRated
from ratings.models import HIGHEST, LOWEST, Rating
from ratings.quality.due import mark_due

logger = logging.getLogger(__name__)

#: The only ways to write a score; "2.5", " 3" and "３" are none of them.
SCORES = {str(score): score for score in range(LOWEST, HIGHEST + 1)}


def submit(conversation_id: UUID, participation_id: UUID, scores: Mapping[str, str | int]) -> None:
    """Store the four ratings of a talk and complete it, in one transaction.

    ``scores`` has exactly the four axes, each 1 to 5. Raises TalkNotFound, NotRatingYet, TalkNotRated,
    AlreadyRated, RatingsRefused; nothing is stored then.
    """
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        _check_due(conversation)
        checked = check_scores(scores)
        Rating.objects.bulk_create(
            Rating(conversation=conversation, axis=axis, score=score) for axis, score in checked.items()
        )
        complete(conversation.pk)
        mark_due(participation_id)
    logger.info("talk rated", extra={"talk": conversation_id})


def _check_due(conversation: Conversation) -> None:
    """The talk's row is locked, so that of two submissions the second sees what the first stored."""
    match conversation.state:
        case Conversation.State.RATING:
            return
        case Conversation.State.CHATTING:
            raise NotRatingYet()
        case Conversation.State.COMPLETE:
            assert conversation.ended_at
            raise AlreadyRated(conversation.ended_at)
    raise TalkNotRated()


def check_scores(scores: Mapping[str, str | int]) -> dict[Axis, int]:
    """Every axis with its score, in the order of the questions. Raises RatingsRefused. Pure."""
    reasons = {name: "There is no such question." for name in scores if name not in Axis.values}
    checked: dict[Axis, int] = {}
    for question in QUESTIONS:
        given = scores.get(question.axis.value, "")
        if given == "":
            reasons[question.axis.value] = "Please choose a number from 1 to 5."
        elif isinstance(given, bool) or str(given) not in SCORES:
            reasons[question.axis.value] = (
                f"“{given}” is not on the scale; please choose a number from 1 to 5."
            )
        else:
            checked[question.axis] = SCORES[str(given)]
    if reasons:
        raise RatingsRefused(reasons)
    return checked
