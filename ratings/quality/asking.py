"""Ask a worker to judge a whole population of a study; somebody pressed a button and does not wait for it."""

from __future__ import annotations

import logging

from kombu.exceptions import OperationalError as QueueAway

from chat.models import Study
from modelhub.serving import routing

logger = logging.getLogger(__name__)


def ask_for_everybody(study: Study, *, simulated: bool) -> bool:
    """Whether it could be asked; when the queue is away nothing was, and nobody asks again by itself."""
    from ratings.tasks import judge_study

    try:
        judge_study.apply_async((study.pk, simulated), queue=routing.ASIDE, retry=False)
    except QueueAway:
        logger.warning("the queue cannot be reached; no judgement was asked", extra={"study": study.slug})
        return False
    return True
