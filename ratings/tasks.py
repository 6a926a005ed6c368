"""Judging as Celery tasks. One that is lost is asked again, by the sweeper or by whoever pressed the button; one that
runs twice finds the same. What judges stands on SciPy: only a worker that is asked imports it.
"""

from __future__ import annotations

import logging

from celery import shared_task

from chat.models import Study
from ratings.quality.asking import JUDGE_STUDY
from ratings.quality.due import JUDGE_DUE

logger = logging.getLogger(__name__)


@shared_task(name=JUDGE_DUE)
def judge_due() -> None:
    """Judge the workers who finished talks, with the safety classifier's look at what they wrote."""
    from ratings.quality import rounds

    rounds.judge_due()


@shared_task(name=JUDGE_STUDY)
def judge_study(study_id: int, simulated: bool) -> None:
    """Judge everybody of one population; a study that is gone meanwhile has nobody.

    How far it is stands in the judgements themselves, which each batch stores (ratings.quality.board.judged_since).
    """
    from ratings.quality import judging

    study = Study.objects.filter(pk=study_id).first()
    if study is not None:
        judging.judge_study(study, simulated=simulated, on_progress=_tell)


def _tell(done: int, of: int) -> None:
    logger.info("judging a study", extra={"done": done, "of": of})
