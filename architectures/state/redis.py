"""The store as a service: a Redis server that a deployment's processes share."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError
from redis.retry import Retry

from architectures.backends import DIRECTORY_VARIABLE, BackendError
from architectures.state.store import KEPT_VERSIONS, Published, SupersededError

if TYPE_CHECKING:
    from redis.client import Pipeline

TIMEOUT_S = 2.0
"""For a connection, and for each answer."""

_SCHEMES = ("redis", "rediss")

_PUBLISH = """
if ARGV[4] ~= '' and ARGV[4] ~= (redis.call('GET', KEYS[4]) or '0') then return 0 end
local version = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], version, ARGV[1])
redis.call('HSET', KEYS[3], version, ARGV[2])
redis.call('SET', KEYS[4], version)
redis.call('HDEL', KEYS[2], version - ARGV[3])
redis.call('HDEL', KEYS[3], version - ARGV[3])
return version
"""
_MAKE_CURRENT = """
local blob = redis.call('HGET', KEYS[2], ARGV[1])
if blob then
    redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
    redis.call('SET', KEYS[4], ARGV[1])
end
return blob
"""
_READ = """
local version = ARGV[1]
if version == '' then version = redis.call('GET', KEYS[4]) end
if not version then return false end
return {version, redis.call('HGET', KEYS[2], version), redis.call('HGET', KEYS[3], version)}
"""


def open_redis(url: str, variable: str) -> "RedisStore":
    """A store at a URL; nothing is connected yet.

    Args:
        url: ``redis://[[user]:password@]host[:port][/database]``, or ``rediss://`` for TLS.
        variable: which named it, for errors. They show no credentials.

    Raises:
        BackendError: the URL cannot be read.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        # Its own words may hold a piece of the password.
        raise BackendError(_unreadable(variable)) from None
    if scheme not in _SCHEMES or not host:
        raise BackendError(_unreadable(variable))
    try:
        client = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # A call that is tried again after a lost answer would add twice.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise BackendError(_unreadable(variable)) from None
    return RedisStore(client, f"{scheme}://{host}:{port or 6379}", _space())


def _unreadable(variable: str) -> str:
    return (
        f"{variable} is no URL of a state store that we know; give "
        "redis://[:PASSWORD@]HOST:PORT[/DATABASE], or unset it to keep the state in a file"
    )


def _space() -> str:
    """Sets a deployment's keys apart from those of others, and of those before it."""
    folder = os.environ.get(DIRECTORY_VARIABLE, "")
    return f"servebench:{sha256(folder.encode()).hexdigest()[:12]}:"


class RedisStore:
    """A :class:`architectures.state.store.Store` on a server. Its pool survives a fork.

    Args:
        client: with timeouts.
        address: of the server, without credentials.
        space: every key begins so.
    """

    def __init__(self, client: "Redis", address: str, space: str) -> None:
        self._client: Any = client
        self._address = address
        self._space = space
        self._publish = client.register_script(_PUBLISH)
        self._make_current = client.register_script(_MAKE_CURRENT)
        self._read = client.register_script(_READ)

    def get(self, key: str) -> bytes | None:
        """A value, or None."""
        with self._asking() as client:
            return cast("bytes | None", client.get(self._key("kept", key)))

    def put(self, key: str, value: bytes) -> None:
        """Set a value."""
        with self._asking() as client:
            client.set(self._key("kept", key), value)

    def update(self, key: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Read, change and write a value; done again where somebody wrote in between."""
        place = self._key("kept", key)
        with self._asking() as client, client.pipeline() as pipe:
            while True:
                try:
                    return _changed(pipe, place, change)
                except WatchError:
                    continue

    def publish(self, name: str, blob: bytes, onto: int | None = None) -> Published:
        """Make a blob the newest and the current version of a name."""
        now_ns = monotonic_ns()
        given = (blob, now_ns, KEPT_VERSIONS, "" if onto is None else onto)
        with self._asking():
            version = self._publish(self._keys_of(name), given)
        if not version:
            raise SupersededError(name)
        return Published(int(version), blob, now_ns)

    def current_version(self, name: str) -> int:
        """Which version is current; 0 where nothing was published."""
        with self._asking() as client:
            return int(client.get(self._key("current", name)) or 0)

    def read(self, name: str, version: int | None = None) -> Published | None:
        """A version, by default the current one."""
        wanted = "" if version is None else version
        with self._asking():
            found = self._read(self._keys_of(name), (wanted,))
        if found is None or found[1] is None:
            return None
        number, blob, published_ns = found
        return Published(int(number), blob, int(published_ns))

    def make_current(self, name: str, version: int) -> Published:
        """Go back (or forth) to a version that was published."""
        now_ns = monotonic_ns()
        with self._asking():
            blob = self._make_current(self._keys_of(name), (version, now_ns))
        if blob is None:
            raise KeyError(version)
        return Published(version, blob, now_ns)

    def count(self, additions: Mapping[str, float]) -> None:
        """Add to counters, all at once."""
        place = self._space + "counted"
        with self._asking() as client, client.pipeline() as pipe:
            for name, addition in additions.items():
                pipe.hincrbyfloat(place, name, addition)
            pipe.execute()

    def counters(self, prefix: str) -> dict[str, float]:
        """Counters whose names begin so."""
        with self._asking() as client:
            found = client.hgetall(self._space + "counted")
        named = {name.decode(): float(value) for name, value in found.items()}
        return {name: value for name, value in named.items() if name.startswith(prefix)}

    def push(self, queue: str, items: Sequence[bytes], most: int) -> int:
        """Append to a queue, dropping its oldest beyond ``most``; returns its length."""
        place = self._key("queued", queue)
        with self._asking() as client, client.pipeline() as pipe:
            if items:
                pipe.rpush(place, *items)
            pipe.ltrim(place, -most, -1)
            pipe.llen(place)
            return int(pipe.execute()[-1])

    def pop(self, queue: str, count: int) -> list[bytes]:
        """Take up to so many of a queue's oldest items."""
        with self._asking() as client:
            return cast("list[bytes]", client.lpop(self._key("queued", queue), count) or [])

    def close(self) -> None:
        """Close this process's connections."""
        self._client.close()

    def _key(self, kind: str, name: str) -> str:
        return f"{self._space}{kind}:{name}"

    def _keys_of(self, name: str) -> tuple[str, ...]:
        """The newest version's number, blobs, times, and the current version's number."""
        return tuple(self._key(kind, name) for kind in ("newest", "blobs", "times", "current"))

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """The client; what goes wrong with it is told in our words, without credentials."""
        try:
            yield self._client
        except RedisError as error:
            raise BackendError(
                f"the state store at {self._address} did not answer as it should "
                f"({type(error).__name__}); see that a Redis server runs there, takes the "
                "password, and has memory left"
            ) from error


def _changed(pipe: "Pipeline", place: str, change: Callable[[bytes | None], bytes]) -> bytes:
    """One attempt to change a value.

    Raises:
        WatchError: somebody else changed it meanwhile.
    """
    pipe.watch(place)  # type: ignore[no-untyped-call]
    value = change(cast("bytes | None", pipe.get(place)))
    pipe.multi()
    pipe.set(place, value)
    pipe.execute()
    return value
