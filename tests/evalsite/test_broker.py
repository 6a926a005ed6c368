"""What ends a connection to the broker must not end a worker."""

from __future__ import annotations

import pytest
from kombu import Connection, Queue

from evalsite.celery import app


@pytest.fixture
def holding(queue: object) -> Connection:
    """A connection that holds a message which nobody has acknowledged; with Redis or the embedded queue."""
    if not app.conf.broker_url.startswith("redis"):
        pytest.skip("the broker is RabbitMQ")
    connection = app.connection_for_read()
    channel = connection.default_channel
    bound = Queue("unfinished", channel=channel)
    bound.declare()
    connection.Producer().publish("a task", routing_key="unfinished")
    assert bound.get(no_ack=False)
    return connection


def test_a_lost_connection_that_is_closed_again_with_unfinished_messages_raises_nothing(
    holding: Connection,
) -> None:
    # What Celery's consumer does, when reading had failed before the channel could be closed.
    channel = holding.default_channel
    holding._do_close_transport()
    channel.close()


def test_a_connection_that_is_there_gives_unfinished_messages_back(holding: Connection) -> None:
    holding.close()
    with app.connection_for_read() as another:
        message = Queue("unfinished", channel=another.default_channel).get(no_ack=True)
    assert message is not None


def test_one_client_sends_for_a_channel_until_its_pool_is_made_anew(queue: object) -> None:
    if not app.conf.broker_url.startswith("redis"):
        pytest.skip("the broker is RabbitMQ")
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
        channel._disconnect_pools()  # as when Redis was away
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()
