"""Store what a person says about a talk: once, all four axes, the attention item where one is asked, nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from uuid import UUID

from django.db import transaction

from chat.endings import complete
from chat.models import Conversation
from chat.turns import open_talk
from ratings import attention
from ratings.attention import AttentionItem, attention_item
from ratings.axes import QUESTIONS
from ratings.errors import AlreadyRated, NotRatingYet, RatingsRefused, TalkNotRated
from ratings.models import HIGHEST, LOWEST, AttentionAnswer, Rating
from ratings.quality.due import mark_due

logger = logging.getLogger(__name__)

#: What apps above do when a talk is complete, in the transaction that stores its ratings.
on_complete: list[Callable[[Conversation], object]] = []
#: The only ways to write a score; "2.5", " 3" and "３" are none of them.
SCORES = {str(score): score for score in range(LOWEST, HIGHEST + 1)}


def submit(conversation_id: UUID, participation_id: UUID, scores: Mapping[str, str | int]) -> None:
    """Store the four ratings of a talk and complete it, in one transaction.

    ``scores`` has exactly the four axes, and ``attention`` where an item is asked, each 1 to 5; whether the item was
    answered as it asks changes nothing here. Raises TalkNotFound, NotRatingYet, TalkNotRated, AlreadyRated,
    RatingsRefused; nothing is stored then.
    """
    with transaction.atomic():
        conversation = open_talk(conversation_id, participation_id)
        _check_due(conversation)
        item = item_of(conversation)
        checked = check_scores(scores, item)
        if item:
            AttentionAnswer.objects.create(
                conversation=conversation, asked=item.number, given=checked.pop(attention.NAME)
            )
        Rating.objects.bulk_create(
            Rating(conversation=conversation, axis=axis, score=score) for axis, score in checked.items()
        )
        complete(conversation.pk)
        mark_due(participation_id)
        for tell in on_complete:
            tell(conversation)
    logger.info("talk rated", extra={"talk": conversation_id})


def item_of(conversation: Conversation) -> AttentionItem | None:
    """The attention item of a talk whose study was fetched with it."""
    study = conversation.participation.study
    return attention_item(study.attention_every, conversation.ordinal, study.seed, conversation.pk)


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


def check_scores(scores: Mapping[str, str | int], item: AttentionItem | None = None) -> dict[str, int]:
    """Every axis with its score, in the order of the questions, then the item's. Raises RatingsRefused. Pure."""
    asked = [question.axis.value for question in QUESTIONS] + ([attention.NAME] if item else [])
    reasons = {name: "There is no such question." for name in scores if name not in asked}
    checked: dict[str, int] = {}
    for name in asked:
        given = scores.get(name, "")
        if given == "":
            reasons[name] = "Please choose a number from 1 to 5."
        elif isinstance(given, bool) or str(given) not in SCORES:
            reasons[name] = f"“{given}” is not on the scale; please choose a number from 1 to 5."
        else:
            checked[name] = SCORES[str(given)]
    if reasons:
        raise RatingsRefused(reasons)
    return checked
