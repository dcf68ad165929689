"""The gateway's end of a hop over the broker."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from architectures import wire
from architectures.graph import Inputs
from architectures.microservices.hop import Reply, Transport, Unreachable
from architectures.microservices.layout import Service
from architectures.microservices.over_broker import ANSWERED, BROKER, KEPT, alive
from architectures.microservices.over_broker.mailbox import Mailbox, open_mailbox
from architectures.server_config import ServerConfig


@asynccontextmanager
async def transports(
    config: ServerConfig, services: Sequence[Service]
) -> AsyncIterator[Mapping[str, Transport]]:
    """Transports by their service's name; ``config.peers`` has the broker's URL."""
    async with open_mailbox(config.peers[BROKER], config.policy.queue_bound) as mailbox:
        yield {service.name: BrokerTransport(mailbox, service.stages) for service in services}


class BrokerTransport:
    """Messages to one service.

    Args:
        mailbox: of the gateway.
        stages: that the service hosts.
    """

    def __init__(self, mailbox: Mailbox, stages: Sequence[str]) -> None:
        self._mailbox = mailbox
        self._alive = [alive(stage) for stage in stages]

    async def exchange(self, stage: str, calls: Sequence[Inputs], ends_ns: int) -> Sequence[Reply]:
        """Send one message and read its replies; see ``Transport``."""
        kind, rest = await self._mailbox.send(stage, wire.encode_calls(calls), ends_ns)
        if kind == KEPT:
            rest = await self._fetched(stage, rest)
        elif kind != ANSWERED:
            raise wire.WireError(f"the service of {stage} says: {rest.decode()}")
        return wire.decode_replies(rest)

    async def is_ready(self) -> bool:
        """Whether somebody takes the messages of every stage of the service."""
        try:
            found: int = await self._mailbox.redis.exists(*self._alive)
        except (RedisError, OSError):
            return False
        return found == len(self._alive)

    async def _fetched(self, stage: str, key: bytes) -> bytes:
        try:
            kept: bytes | None = await self._mailbox.redis.getdel(key)
        except (RedisError, OSError) as error:
            raise Unreachable(f"the broker failed: {error!r}") from error
        if kept is None:
            raise Unreachable(f"a reply of {stage} came too late")
        return kept
