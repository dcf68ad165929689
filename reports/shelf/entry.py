"""What the shelf says of one thing on it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "run", "web session", "effort", "gate", "claims", "comparison", "page", "unknown"
]
Status: TypeAlias = Literal[
    "complete", "interrupted", "unfinished", "running", "failed", "unfit", "unreadable", ""
]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many: trials that can be trusted, pairs that count, deployments measured."""

    good: int
    of: int
    noun: str

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.good} of {self.of} {self.noun}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the shelf.

    Attributes:
        kind: what lies there; ``unknown`` where no record of it can be read.
        name: its folder's or its file's, under the shelf.
        when: UTC, ISO 8601; empty where it cannot be told.
        suts: ``architecture:variant`` of each.
        trusted: None where nothing is counted.
        answer: the first sentence of what it found; empty where nobody has worked it out.
        summary: what it was for, in the scenario's words.
        revision: the commit's hash, with a plus where files were changed; empty if not recorded.
        page: its page, relative to the shelf; empty where there is none.
        command: how its page is made; empty where no command makes one.
        doubt: why some or all of it cannot be read, and what to do; empty where it can.
    """

    kind: Kind
    name: str
    when: str = ""
    scenario: str = ""
    status: Status = ""
    suts: tuple[str, ...] = ()
    trusted: Share | None = None
    answer: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    revision: str = ""
    page: str = ""
    command: str = ""
    doubt: str = ""

    @property
    def architectures(self) -> tuple[str, ...]:
        """Each once, in the order of the SUTs."""
        return tuple(dict.fromkeys(sut.partition(":")[0] for sut in self.suts))

    @property
    def at(self) -> datetime:
        """When, to sort by; what has no date comes last."""
        try:
            found = datetime.fromisoformat(self.when)
        except ValueError:
            return datetime.min.replace(tzinfo=UTC)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
