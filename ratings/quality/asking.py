"""Ask a worker to judge a whole population of a study; somebody pressed a button and does not wait for it."""

from __future__ import annotations

import logging

from chat import waking
from chat.models import Study

logger = logging.getLogger(__name__)

JUDGE_STUDY = "ratings.judge_study"


def ask_for_everybody(study: Study, *, simulated: bool) -> bool:
    """Whether it could be asked; when the queue is away nothing was, and nobody asks again by itself."""
    asked = waking.wake(JUDGE_STUDY, study.pk, simulated)
    if not asked:
        logger.warning("the queue cannot be reached; no judgement was asked", extra={"study": study.slug})
    return asked
