"""What is searched for on the shelf: every tag, any scenario, every architecture, since when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import PurePath
from urllib.parse import urlencode

from reports.shelf.entry import Entry
from reports.wording import listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search. Nothing is asked for by default.

    Attributes:
        tags: all of them.
        scenarios: any of them; a scenario's name, or its file.
        architectures: all of them; ``monolith``, or ``monolith:naive`` for one variant.
        since: not older than this.
    """

    tags: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    since: datetime | None = None

    def has(self, entry: Entry) -> bool:
        """Whether it is one of those searched for. What cannot be read might be, and is shown."""
        if entry.kind == "unknown":
            return self.since is None or not entry.when or entry.at >= _utc(self.since)
        names = self.names()
        return (
            all(tag in entry.tags for tag in self.tags)
            and (not names or entry.scenario in names)
            and all(one in entry.architectures or one in entry.suts for one in self.architectures)
            and (self.since is None or entry.at >= _utc(self.since))
        )

    def names(self) -> tuple[str, ...]:
        """The scenarios' names: of a file, its name without folder and suffix."""
        return tuple(PurePath(one).stem if one.endswith(".toml") else one for one in self.scenarios)

    def fragment(self) -> str:
        """The end of a link to the page of the shelf that asks the same; empty where nothing is."""
        asked = [
            *(("tag", tag) for tag in self.tags),
            *(("scenario", name) for name in self.names()),
            *(("architecture", one) for one in self.architectures),
            *([("since", f"{self.since:%Y-%m-%d}")] if self.since else []),
        ]
        return f"#{urlencode(asked)}" if asked else ""


def missed(wanted: Wanted, entries: Sequence[Entry]) -> Iterator[str]:
    """What nothing on the shelf has, and what is near to it."""
    known = {
        "tag": {tag for entry in entries for tag in entry.tags},
        "scenario": {entry.scenario for entry in entries if entry.scenario},
        "architecture": {one for e in entries for one in (*e.architectures, *e.suts)},
    }
    asked = (
        ("tag", wanted.tags),
        ("scenario", wanted.names()),
        ("architecture", wanted.architectures),
    )
    for noun, words in asked:
        for word in words:
            if word not in known[noun]:
                near = get_close_matches(word, sorted(known[noun]), n=3, cutoff=0.5)
                hint = f"; did you mean {listed(near)}?" if near else ""
                yield f"nothing on the shelf has the {noun} {word!r}{hint}"


def _utc(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)
