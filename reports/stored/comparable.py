"""Which stored runs a run may be held against: what refuses, what caps, what then and what now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.stored.record import NOT_RECORDED, StoredRun

LEAST = 10
"""Stored runs below which there is no limit: with 3 it stands at 8 spreads, with 10 at 3."""

WINDOW = 30
"""The newest that are used: what is older says what this machine was, and more add no sharpness."""

_NAMED = 6
"""Differences that a sentence names; of more it gives the number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key in which two runs differ."""

    key: str
    then: str
    now: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.key}: then {_short(self.then)}, now {_short(self.now)}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A stored run that is not comparable, and why."""

    run: StoredRun
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Peers:
    """The stored runs that a run is held against.

    Attributes:
        runs: oldest first, at most :data:`WINDOW`.
        caps: what may have changed the machine since: no word stronger than inconclusive.
        refused: the others, oldest first.
    """

    runs: tuple[StoredRun, ...]
    caps: tuple[Difference, ...]
    refused: tuple[Refused, ...]

    @property
    def enough(self) -> bool:
        """Whether they carry a limit."""
        return len(self.runs) >= LEAST

    @property
    def why_not(self) -> str:
        """Why they carry none, in words; empty where they do."""
        if self.enough:
            return ""
        total = len(self.runs) + len(self.refused)
        said = f"{len(self.runs)} of {total} stored runs are comparable, a limit needs {LEAST}"
        if not self.refused:
            return said
        return f"{said}; the newest of the others differs in {named(self.refused[-1].differences)}"


def peers(run: StoredRun, stored: Sequence[StoredRun]) -> Peers:
    """Choose what a run is held against.

    Runs that agree in all that must agree are used; of them those of this very kernel and host
    alone, where there are enough. The run itself is never among them.

    Args:
        run: that is judged.
        stored: oldest first.
    """
    others = [other for other in stored if other.digest != run.digest]
    same = [other for other in others if other.must_agree == run.must_agree]
    alike = [other for other in same if other.should_agree == run.should_agree]
    used = (alike if len(alike) >= LEAST else same)[-WINDOW:]
    caps = {d.key: d for o in used for d in differences(o.should_agree, run.should_agree)}
    refused = tuple(
        Refused(other, differences(other.must_agree, run.must_agree))
        for other in others
        if other.must_agree != run.must_agree
    )
    return Peers(tuple(used), tuple(caps.values()), refused)


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """The keys in which they differ, by name."""
    return tuple(
        Difference(key, then.get(key, NOT_RECORDED), now.get(key, NOT_RECORDED))
        for key in sorted({**then, **now})
        if then.get(key) != now.get(key)
    )


def named(found: Sequence[Difference]) -> str:
    """Differences in one line."""
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return "; ".join(map(str, found[:_NAMED])) + more


def _short(value: str) -> str:
    """A digest's beginning tells it apart; a long list's does not, so it keeps more."""
    return value if len(value) <= 60 else f"{value[:16]}..."  # noqa: PLR2004 - a line's worth
