"""Celery's transport for Redis, where a queue that dies must not take the worker with it."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis
from redis import ConnectionPool, Redis


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


class SteadyChannel(redis.Channel):
    """Keeps one client for what it sends.

    Kombu 5.7.0 makes a new one for each message and each acknowledgement, with tables of Redis's whole language: a
    sixth of a busy worker's time. A client takes a connection from the pool for each command, so threads may share it.
    """

    QoS = RestoringQoS
    _kept: tuple[ConnectionPool, Redis] | None = None

    def _create_client(self, asynchronous: bool = False) -> Redis:
        if asynchronous:
            # These hold a connection of their own, on which one waits for messages.
            return super()._create_client(asynchronous=True)
        pool = self.pool
        if self._kept is None or self._kept[0] is not pool:
            self._kept = pool, super()._create_client()
        return self._kept[1]


def keep_workers_alive() -> None:
    """For every connection that is made in this process from now on."""
    redis.Transport.Channel = SteadyChannel
