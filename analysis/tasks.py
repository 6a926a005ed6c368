"""Planned looks as a Celery task. One that is lost is asked again by the sweeper; one that runs twice stores once."""

from __future__ import annotations

from celery import shared_task

from analysis.planning.due import TAKE_LOOK
from chat.models import Study


@shared_task(name=TAKE_LOOK)
def take_look(study_id: int) -> None:
    """Take the look that is due, if one is; a study that is gone meanwhile has none."""
    from analysis.planning import looks  # which imports SciPy: only a worker that is asked needs it

    study = Study.objects.filter(pk=study_id).first()
    if study is not None:
        looks.take_due(study)
