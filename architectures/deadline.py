"""When the request at hand must be answered, for whatever works on it further down."""

from contextvars import ContextVar, Token
from time import monotonic_ns
from typing import Final

from architectures.contract import MAX_TIMEOUT_S

_NS: Final = 1_000_000_000
_ENDS_NS: Final[ContextVar[int | None]] = ContextVar("ends_ns", default=None)


def begin(timeout_s: float) -> Token[int | None]:
    """From here on, in this context, there are ``timeout_s`` seconds."""
    return _ENDS_NS.set(monotonic_ns() + round(timeout_s * _NS))


def end(token: Token[int | None]) -> None:
    """The request of a :func:`begin` is over; what follows it has no deadline of its own."""
    _ENDS_NS.reset(token)


def ends_ns() -> int:
    """CLOCK_MONOTONIC of the deadline; without one, that of the longest a request may take."""
    ends = _ENDS_NS.get()
    return monotonic_ns() + round(MAX_TIMEOUT_S * _NS) if ends is None else ends
