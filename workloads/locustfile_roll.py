"""Who plays: Locust's master admits load workers, gives each its part, and collects what it played.

Our own workers share this machine's files and clock. A remote one is lent the plan and the payloads
in pieces, asks for our clock, and sends its samples and report back; all of it in Locust messages.
Nobody else takes part: a worker that comes when all are here is not answered until the next trial.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import gevent
from gevent.event import AsyncResult, Event
from locust.runners import STATE_MISSING, MasterRunner

from workloads.clock import to_conductors_clock
from workloads.parcel import Arriving, Parcel, ParcelError, parcel, piece

PROTOCOL = 2
"""Of the messages below. Both sides must speak the same."""

OURS = "servebench_"
JOIN = f"{OURS}join"
PART = f"{OURS}part"
FETCH = f"{OURS}fetch"
PIECE = f"{OURS}piece"
PING = f"{OURS}ping"
PONG = f"{OURS}pong"
PLAYED = f"{OURS}played"
COLLECT = f"{OURS}collect"
RESULT = f"{OURS}result"
THANKS = f"{OURS}thanks"

PIECE_LIMIT_S = 20.0
"""Patience with one piece of a file."""

Say: TypeAlias = Callable[[str], None]


@cache
def identity() -> dict[str, Any]:
    """What two sides must have in common: the protocol, the version, and the very code that sends.

    Two commits of one version may send and measure differently.
    """
    code = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        code.update(source.read_bytes())
    return {
        "protocol": PROTOCOL,
        "version": version("servebench"),
        "code": code.hexdigest()[:12],
    }


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers there are to be.

    Attributes:
        local: forked here.
        remote: started elsewhere.
    """

    local: int
    remote: int

    @property
    def workers(self) -> int:
        """All of them."""
        return self.local + self.remote


@dataclass(frozen=True, slots=True)
class Member:
    """A worker that plays: its number, where it runs, and whether we forked it."""

    worker: int
    host: str
    remote: bool

    def __str__(self) -> str:
        """For an error."""
        return f"load worker {self.worker} ({'on ' + self.host if self.remote else 'ours'})"


class Roll:
    """The workers of one trial.

    Args:
        environment: Locust's.
        crew: who is to come.
        lent: what remote workers are lent, by name; empty where there are none.
        out: where their samples and reports go.
        say: tells the harness a line.
        fail: ends the run, saying why.

    Attributes:
        complete: set when all have come.
    """

    def __init__(
        self,
        environment: Any,
        crew: Crew,
        lent: dict[str, Path],
        out: Path | None,
        *,
        say: Say,
        fail: Say,
    ) -> None:
        self.crew = crew
        self.complete = Event()
        self._environment = environment
        self._runner: Any = environment.runner
        self._leads = isinstance(environment.runner, MasterRunner)
        self._lent = lent
        self._parcels = {name: asdict(parcel(path)) for name, path in lent.items()}
        self._out = out
        self._say = say
        self._fail = fail
        self._members: dict[str, Member] = {}
        self._pieces: dict[str, AsyncResult] = {}
        for message, listener in (
            (JOIN, self._on_join),
            (FETCH, self._on_fetch),
            (PING, self._on_ping),
            (PLAYED, self._on_played),
            (RESULT, self._on_result),
        ):
            self._runner.register_message(message, listener)
        if self._leads:
            self._behind_the_door = self._runner.handle_message
            self._runner.handle_message = self._door

    def close(self) -> None:
        """Once complete, Locust is left with those who play and no others."""
        while not self.complete.wait(1.0):
            self._forget_the_missing()
        if self._leads:
            for client in list(self._runner.clients):
                if client not in self._members:
                    del self._runner.clients[client]

    def missing(self) -> Iterator[str]:
        """Members that have left or gone silent, in words."""
        return (str(self._members[client]) for client in self._gone())

    def _gone(self) -> list[str]:
        if not self._leads:
            return []
        nodes = {client: self._runner.clients.get(client) for client in self._members}
        return [
            client for client, node in nodes.items() if node is None or node.state == STATE_MISSING
        ]

    def _forget_the_missing(self) -> None:
        """Before all are here, a remote one that left makes room for another.

        One of ours has no other; it may only be starved of CPU, and be heard of again.
        """
        for client in self._gone():
            if self._members[client].remote:
                del self._members[client]
                self._tell_who_is_here()

    def _door(self, client: str, msg: Any) -> None:
        """Locust's handling of a message, for those it is meant for.

        Locust would share the load anew with a worker that comes late, and count a word from one
        that another trial left behind.
        """
        if msg.type == "client_ready" and self.complete.is_set() and client not in self._members:
            return
        if msg.type.startswith(OURS) and msg.type != JOIN and client not in self._members:
            return
        self._behind_the_door(client, msg)

    def _on_join(self, msg: Any, **_: Any) -> None:
        client, told = msg.node_id, msg.data
        if self._leads and client not in self._runner.clients:
            return  # it joined another trial's master, and will try again
        if client not in self._members:
            refused = self._refusal(client, told)
            if refused is not None:
                self._runner.send_message(PART, refused, client)
                return
            self._members[client] = Member(
                self._free_number(), _word(told["host"]), bool(told["remote"])
            )
            self._tell_who_is_here()
        member = self._members[client]
        lent = self._parcels if member.remote else {}
        url = self._environment.host
        part = {"worker": member.worker, "workers": self.crew.workers, "url": url, "lent": lent}
        self._runner.send_message(PART, part, client)
        if len(self._members) == self.crew.workers:
            self.complete.set()

    def _free_number(self) -> int:
        taken = {member.worker for member in self._members.values()}
        return next(number for number in range(self.crew.workers) if number not in taken)

    def _refusal(self, client: str, told: Any) -> dict[str, Any] | None:
        """Why a worker may not play, in its answer's words; None if it may."""
        differs = difference(identity(), told)
        if differs:
            self._say(f"turned_away {_word(told.get('host'))}: {_word(differs)}")
            self._dismiss(client)
            return {"refused": differs}
        most = self.crew.remote if told["remote"] else self.crew.local
        if sum(member.remote == told["remote"] for member in self._members.values()) < most:
            return None
        self._dismiss(client)
        return {"full": most}

    def _dismiss(self, client: str) -> None:
        if self._leads:
            self._runner.clients.pop(client, None)

    def _tell_who_is_here(self) -> None:
        remote = sum(member.remote for member in self._members.values())
        local = len(self._members) - remote
        self._say(f"here {local} {self.crew.local} {remote} {self.crew.remote}")

    def _on_fetch(self, msg: Any, **_: Any) -> None:
        name, offset = msg.data
        if name in self._lent:
            self._runner.send_message(PIECE, piece(self._lent[name], offset), msg.node_id)

    def _on_ping(self, msg: Any, **_: Any) -> None:
        heard_ns = time.perf_counter_ns()
        self._runner.send_message(
            PONG, [msg.data, heard_ns, time.perf_counter_ns()], client_id=msg.node_id
        )

    def _on_result(self, msg: Any, **_: Any) -> None:
        if msg.node_id in self._pieces:
            self._pieces[msg.node_id].set(msg.data)

    def _on_played(self, msg: Any, **_: Any) -> None:
        gevent.spawn(self._collect, msg.node_id, msg.data)

    def _collect(self, client: str, announced: dict[str, Any]) -> None:
        """Bring a remote worker's samples and report here, and their readings to our clock."""
        member, out = self._members[client], self._out
        if out is None or not member.remote:
            return
        samples = out / f"samples-{member.worker}.parquet"
        report = out / f"generator-{member.worker}.json"
        try:
            for path, name in ((samples, "samples"), (report, "report")):
                self._receive(client, name, Arriving(path, Parcel(**announced[name])))
            to_conductors_clock(samples, report)
        except gevent.Timeout:
            self._fail(f"{member} stopped sending its samples")
        except (OSError, ParcelError, ValueError, KeyError, TypeError) as error:
            self._fail(f"what {member} sent cannot be used: {error!r}")
        else:
            self._runner.send_message(THANKS, None, client)

    def _receive(self, client: str, name: str, arriving: Arriving) -> None:
        while arriving.wanted is not None:
            self._pieces[client] = AsyncResult()
            self._runner.send_message(COLLECT, [name, arriving.wanted], client)
            arriving.add(self._pieces[client].get(timeout=PIECE_LIMIT_S))
        arriving.finish()


def _word(told: object) -> str:
    """What another machine says, on one line: a line break would begin a word to the harness."""
    return " ".join(str(told).split())[:200]


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Why two sides may not play together, in words and with what to do; empty if they may."""
    for name, what in (
        ("protocol", "protocol"),
        ("version", "version of servebench"),
        ("code", "code of the load generator (a digest of workloads/*.py)"),
    ):
        if ours[name] != theirs.get(name):
            return (
                f"the run has {what} {ours[name]}, the worker {theirs.get(name)}; "
                "check out the same commit on both machines"
            )
    return ""
