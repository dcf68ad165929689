"""Hops over a broker: Redis Streams, a consumer group a stage.

What stands in Redis, ``<stage>`` being the stage's name:

- ``calls:<stage>``: the stream; an entry is a message of ``architectures.wire``.
- ``replies:<gateway>``: a list, popped by the one gateway that waits for it.
- ``blob:<id>``, ``blob:<id>:reply``: what is too large for a stream's entry; it expires.
- ``alive:<stage>``: there as long as somebody takes the stage's messages.
- ``withdrawn``: a channel of the ids of messages that nobody waits for any more.
"""

from time import monotonic_ns
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

GROUP: Final = "servers"

WITHDRAWN: Final = "withdrawn"

BROKER: Final = "broker"
"""The broker's name among ``ServerConfig.peers``, and its component's."""

INLINE_BYTES: Final = 64 * 1024
"""A larger message lies under a key of its own: streams are read and trimmed by whole nodes."""

BEAT_S: Final = 1.0
"""How often a consumer says that it lives, and looks for the work of those that died."""

DEAD_AFTER_S: Final = 3.0
"""A consumer silent for so long has died; its work is anybody's."""

GRACE_S: Final = 0.25
"""A message is waited for, and kept, so much longer than its deadline, which then comes first."""

ID: Final = b"id"
REPLY_TO: Final = b"reply_to"
ENDS_NS: Final = b"ends_ns"
BODY: Final = b"body"
BLOB: Final = b"blob"

ID_BYTES: Final = 16
"""A reply begins with its message's id, and then one of:"""

ANSWERED: Final = b"A"
"""The replies follow."""

KEPT: Final = b"K"
"""The key follows under which they lie."""

FAILED: Final = b"F"
"""The service failed; its words follow."""


def stream(stage: str) -> str:
    """Where a stage's messages wait."""
    return f"calls:{stage}"


def alive(stage: str) -> str:
    """What stands while the stage is served."""
    return f"alive:{stage}"


def blob(name: bytes, end: str = "") -> str:
    """Where a message's calls lie, or with ``:reply`` its replies, that were too large."""
    return f"blob:{name.hex()}{end}"


def kept_ms(ends_ns: int) -> int:
    """How long to keep something for a message, in milliseconds."""
    return max(int((ends_ns - monotonic_ns()) / 1e6 + GRACE_S * 1e3), 1)


def open_broker(url: str) -> Any:
    """A client of the broker, its connections opened on first use.

    Nothing is sent again by itself: a message sent twice would be run twice. Reads that wait are
    bounded by what they ask for, not by the socket.
    """
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(url, protocol=2, socket_timeout=None, retry=retry)
