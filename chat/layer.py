"""The channel layer of talks: Redis publish and subscribe, of which only groups are used."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from channels_redis.pubsub import RedisPubSubChannelLayer


class GroupLayer(RedisPubSubChannelLayer):
    """A socket's own channel is a queue in its process, which needs no subscription.

    Nobody sends to a single channel, so that a socket opens although Redis is away, and Redis has half as many
    subscriptions to keep.
    """

    async def new_channel(self, prefix: str = "specific.") -> str:
        layer = self._get_layer()
        channel = f"{layer.prefix}{prefix}{uuid4().hex}"
        layer.channels[channel] = asyncio.Queue()
        return channel
