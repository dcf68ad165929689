"""Following a published name: every process learns of a version soon after it became current."""

import logging
import os
from collections.abc import Callable
from threading import Event, Lock, Thread

from architectures.backends import BackendError
from architectures.state.store import Published, Store

_LOG = logging.getLogger("servebench.state")


class Follower:
    """Calls back with each version that becomes current, in this process.

    Versions that were current for less than a poll may be passed over; the last one never is.

    Args:
        store: to ask.
        name: to follow.
        apply: takes each version that became current; called by one thread at a time. A version
            that it fails on is logged and left alone: what was served before stays. Where it raises
            BackendError it is called again.
        every_s: between two polls: about the longest that a version waits to be seen.
    """

    def __init__(
        self, store: Store, name: str, apply: Callable[[Published], None], every_s: float = 0.05
    ) -> None:
        self._store = store
        self._name = name
        self._apply = apply
        self._every_s = every_s
        self._starting = Lock()
        self._pid = 0
        self._seen = 0
        self._away = False
        self._closed = Event()

    def follow(self, *, at_once: bool = True) -> None:
        """Begin, once a process; call it on every use, it costs next to nothing.

        Threads do not outlive a fork, and stages are loaded before one: hence on use, and not on
        loading.

        Args:
            at_once: the first call applies the current version before it returns, so that nothing
                is served from before it; False leaves that to the thread, and delays nobody.
        """
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid == os.getpid():
                return
            if at_once:
                self._poll()
            Thread(target=self._run, name=f"follows-{self._name}", daemon=True).start()
            self._pid = os.getpid()

    def close(self) -> None:
        """End the thread soon; nothing more is applied after its current poll."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._poll()
            self._closed.wait(self._every_s)

    def _poll(self) -> None:
        try:
            version = self._store.current_version(self._name)
            published = self._store.read(self._name) if version != self._seen else None
            if published is not None:
                self._try(published)
                self._seen = published.version
        except BackendError as error:
            if not self._away:
                _LOG.warning("%s is followed no further for now: %s", self._name, error)
            self._away = True
            return
        if self._away:
            _LOG.warning("%s is followed again", self._name)
            self._away = False

    def _try(self, published: Published) -> None:
        try:
            self._apply(published)
        except BackendError:
            raise  # the version is not to blame: it is applied when the store is back
        except Exception:  # noqa: BLE001 - whatever it is, the next version may be good
            _LOG.exception(
                "version %d of %s cannot be applied; what was served before stays",
                published.version,
                self._name,
            )
