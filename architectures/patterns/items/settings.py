"""How many connections the parts get and how long they are waited for, from the environment."""

import os
from dataclasses import dataclass, field

from architectures import backends
from architectures.backends import BackendError


@dataclass(frozen=True, slots=True)
class Part:
    """One stateful part as one process uses it.

    Attributes:
        url: None is the embedded default; may hold credentials, so it is in no repr.
        pool: most connections of this process.
        timeout_s: of one operation, the wait for a connection included.
    """

    url: str | None = field(repr=False)
    pool: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class ModerationPart(Part):
    """The moderation API as one process uses it; ``timeout_s`` spans all attempts of a request.

    Attributes:
        retry_ratio: retries for each request, at most.
        open_s: how long its circuit breaker stays open before it probes.
    """

    retry_ratio: float
    open_s: float


def database() -> Part:
    """Tenants, products and items.

    Raises:
        BackendError: a variable cannot be meant.
    """
    return Part(
        _place(backends.DATABASE_VARIABLE, "postgresql", "postgres"),
        int(_number(backends.DATABASE_POOL_VARIABLE, 5, whole=True)),
        _number(backends.DATABASE_TIMEOUT_VARIABLE, 1.0),
    )


def features() -> Part:
    """The feature store.

    Raises:
        BackendError: a variable cannot be meant.
    """
    return Part(
        _place(backends.FEATURES_VARIABLE, "redis", "rediss"),
        int(_number(backends.FEATURES_POOL_VARIABLE, 8, whole=True)),
        _number(backends.FEATURES_TIMEOUT_VARIABLE, 0.25),
    )


def moderation() -> ModerationPart:
    """The moderation API.

    Raises:
        BackendError: a variable cannot be meant.
    """
    return ModerationPart(
        _place(backends.MODERATION_VARIABLE, "http", "https"),
        int(_number(backends.MODERATION_POOL_VARIABLE, 32, whole=True)),
        _number(backends.MODERATION_TIMEOUT_VARIABLE, 0.5),
        _number(backends.MODERATION_RETRY_RATIO_VARIABLE, 0.1),
        _number(backends.MODERATION_OPEN_VARIABLE, 2.0),
    )


def _place(variable: str, *schemes: str) -> str | None:
    """The URL in a variable; an error does not repeat it, because it may hold a password."""
    url = backends.url(variable)
    if url is None or url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        return url
    raise BackendError(
        f"{variable} is no URL of a part we know: give {schemes[0]}://HOST:PORT, or leave it out"
    )


def _number(variable: str, usual: float, *, whole: bool = False) -> float:
    text = os.environ.get(variable, "")
    if not text:
        return usual
    try:
        value = float(int(text) if whole else float(text))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        kind = "a whole number" if whole else "a number"
        raise BackendError(f"{variable} = {text!r}: give {kind} above 0, or leave it out")
    return value
