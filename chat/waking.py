"""Waking a worker for what nobody waits for: any worker takes it, whatever models it holds.

What is to be done stands in the database; a call that is lost is made again, or was not needed. Tasks are called by
their names, since they stand on the services that call them.
"""

from __future__ import annotations

from celery import current_app
from kombu.exceptions import OperationalError as QueueAway

from modelhub.serving import routing


def wake(task: str, *args: object) -> bool:
    """Put a task of this name on the queue; False when the queue is away."""
    try:
        current_app.send_task(task, args, queue=routing.ASIDE, retry=False, ignore_result=True)
    except QueueAway:
        return False
    return True
