"""Judging as a Celery task. One that is lost is asked again by the sweeper; one that runs twice finds the same."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="ratings.judge_due")
def judge_due() -> None:
    """Judge the workers who finished talks, with the safety classifier's look at what they wrote."""
    from ratings.quality import due, judging, safety

    safety.try_to_look_at(judging.who_is_due())
    if judging.judge_due() == judging.MOST_AT_ONCE:
        due.ask()
