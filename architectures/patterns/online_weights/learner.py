"""The learner: one thread of one process of a deployment, beside the requests and not in their way.

Every process that takes feedback has this thread; the one that holds the lease learns. It runs at
the serving threads' own priority: a thread of a lower one, set aside by the kernel while it holds
the interpreter's lock, would make them wait for it. Instead it works in steps of a fraction of a
millisecond and rests four times as long as it worked.
"""

import logging
import secrets
from threading import Event, Thread
from time import monotonic_ns

from architectures.backends import BackendError
from architectures.patterns.online_weights.head import from_bytes, shipped
from architectures.patterns.online_weights.intake import unpacked
from architectures.patterns.online_weights.lease import Lease
from architectures.patterns.online_weights.names import COUNTED, HEAD, LEASE, QUEUE
from architectures.patterns.online_weights.sgd import BATCH, Student
from architectures.state import Store, SupersededError

PUBLISH_EVERY_S = 0.5
"""Between two versions at least: each is read by every replica, and seen in the answers."""

_IDLE_S = 0.1
_REST = 4
"""Times as long as it worked: a fifth of a core at most."""

_LOG = logging.getLogger("servebench.learner")


class Learner:
    """Learns from the queue of feedback, and publishes what it has learnt, until it is stopped.

    Args:
        store: holds the queue, the lease and the versions.
        tier: that is served.
    """

    def __init__(self, store: Store, tier: str) -> None:
        self._store = store
        self._first = shipped(tier)
        self._lease = Lease(store, LEASE, secrets.token_hex(4))
        self._stopping = Event()
        self._student: Student | None = None
        self._version = 0
        self._learned = 0
        self._steps = 0
        self._published_ns = 0
        self._thread = Thread(target=self._run, name="learns-weights", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the running step end, publish nothing more, and leave the lease to another."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        rest_s = 0.0
        while not self._stopping.wait(rest_s):
            try:
                rest_s = self._turn()
            except BackendError as error:
                _LOG.warning("nothing is learnt for now: %s", error)
                rest_s = 1.0
            except Exception:  # noqa: BLE001 - the thread must outlive one bad step
                _LOG.exception("a step of learning failed; its feedback is lost")
                rest_s = 1.0
        try:
            self._lease.release()
        except BackendError:
            _LOG.warning("the lease could not be left; it will lapse")

    def _turn(self) -> float:
        """Learn from a mini-batch at most; how long to rest then, in seconds."""
        if not self._lease.hold():
            self._student = None
            return _IDLE_S
        student = self._caught_up()
        items = self._store.pop(QUEUE, BATCH)
        started_ns = monotonic_ns()
        if items:
            self._steps += student.study([unpacked(item) for item in items])
            self._learned += len(items)
        if self._learned and started_ns - self._published_ns >= PUBLISH_EVERY_S * 1e9:
            self._publish(student)
        worked_s = (monotonic_ns() - started_ns) / 1e9
        return _REST * worked_s if items else _IDLE_S

    def _caught_up(self) -> Student:
        """The student; a fresh one where somebody else made a version current since."""
        version = self._store.current_version(HEAD)
        if self._student is None or version != self._version:
            current = self._store.read(HEAD)
            head = from_bytes(current.blob, self._first) if current else self._first
            self._student = Student(head)
            self._version = current.version if current else 0
            self._learned = self._steps = 0
        return self._student

    def _publish(self, student: Student) -> None:
        """Publish, unless an operator or another learner has: then what was learnt since is lost.

        Whoever stalled for longer than its lease finds out here: it builds on an old version.
        """
        try:
            published = self._store.publish(HEAD, student.head.to_bytes(), onto=self._version)
        except SupersededError:
            self._student = None
            return
        self._version, self._published_ns = published.version, published.published_ns
        self._store.count({f"{COUNTED}learned": self._learned, f"{COUNTED}steps": self._steps})
        self._learned = self._steps = 0
