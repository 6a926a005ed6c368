"""Celery's transport for Redis, where a queue that dies must not take the worker with it."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis


class RestoringQoS(redis.QoS):
    """Gives unfinished messages back, unless their connection is gone.

    Kombu 5.7.0 closes a lost connection twice. The first time ends early, at a read that fails; the second time
    finds messages to give back and no address to give them to, which raises an AttributeError that ends the worker.
    Redis holds them as unacknowledged, and the sweeper asks for the turns again long before they come back.
    """

    def restore_unacked(self, client: Any = None) -> None:
        if self.channel.connection.client is None:
            self._delivered.clear()
            return
        super().restore_unacked(client)


def keep_workers_alive() -> None:
    """For every connection that is made in this process from now on."""
    redis.Channel.QoS = RestoringQoS
