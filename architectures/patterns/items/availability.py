"""A part that is there or not: what is raised, and one line in the log when that changes."""

import logging

_LOG = logging.getLogger("servebench.items")


class UnavailableError(Exception):
    """A part did not answer as it should, in the time it had."""


class Availability:
    """Logs when a part is lost and when it is back.

    Only the kind of an error is logged: messages of drivers may quote URLs, keys or rows. Errors
    under load come in thousands, and writing each would slow down the very system that suffers.
    """

    def __init__(self, part: str) -> None:
        self._part = part
        self._lost = False

    def lost(self, error: BaseException) -> UnavailableError:
        """Note a failure; the error to raise in its place."""
        kind = type(error).__name__
        if not self._lost:
            self._lost = True
            _LOG.warning("%s is unavailable: %s", self._part, kind)
        return UnavailableError(f"{self._part}: {kind}")

    def back(self) -> None:
        """Note a success."""
        if self._lost:
            self._lost = False
            _LOG.warning("%s is back", self._part)
