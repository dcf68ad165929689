"""The shelf in a terminal: a table that fits a hundred columns."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from reports.shelf.entry import Entry
from reports.wording import listed

_MOST_SUTS = 4
_MOST_LETTERS = 180
_STATUS = {"complete": "green", "running": "cyan", "interrupted": "yellow", "": "dim"}


def shelf_table(entries: Sequence[Entry]) -> Table:
    """A row an entry: what and when, how it ended, what was compared, and what was found."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    table.add_column("Run", overflow="fold", min_width=20, max_width=26)
    table.add_column("Status", overflow="fold", max_width=12)
    table.add_column("SUTs", overflow="fold", max_width=22)
    table.add_column("Answer", overflow="fold", ratio=1)
    for entry in entries:
        table.add_row(_named(entry), _status(entry), _suts(entry), _answer(entry))
    return table


def _named(entry: Entry) -> str:
    kind = "" if entry.kind == "run" else f"{entry.kind} "
    when = f"{entry.at:%Y-%m-%d %H:%M}" if entry.when else ""
    tags = f"\n[cyan]{escape(' '.join(entry.tags))}[/]" if entry.tags else ""
    return f"[bold]{escape(entry.name)}[/]\n[dim]{kind}{when} {entry.revision[:7]}[/]{tags}"


def _status(entry: Entry) -> str:
    colour = _STATUS.get(entry.status, "red")
    counted = f"\n[dim]{entry.trusted}[/]" if entry.trusted else ""
    return f"[{colour}]{entry.status}[/]{counted}"


def _suts(entry: Entry) -> str:
    """Each variant, or where they are many how many of each architecture."""
    if len(entry.suts) <= _MOST_SUTS:
        return escape("\n".join(entry.suts))
    counts = {
        name: sum(sut.partition(":")[0] == name for sut in entry.suts)
        for name in entry.architectures
    }
    return escape("\n".join(f"{name} ({count})" for name, count in counts.items()))


def _answer(entry: Entry) -> str:
    text = shortened(entry.answer or entry.summary)
    said = escape(text) if entry.answer else f"[dim]{escape(text)}[/]"
    doubt = f"[red]{escape(entry.doubt)}[/]" if entry.doubt else ""
    make = ""
    if entry.command and not entry.page:
        make = f"[dim]no page yet: {escape(entry.command)}[/]"
    return "\n".join(part for part in (said if text else "", doubt, make) if part)


def shortened(text: str) -> str:
    """The beginning of a long text, cut between words."""
    if len(text) <= _MOST_LETTERS:
        return text
    return text[:_MOST_LETTERS].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def counted(shown: int, found: int, whole: int) -> str:
    """How many there are, and how many of them were asked for and are shown."""
    parts = [f"{shown} shown"] if shown != found else []
    parts += [f"{found} found"] if found != whole else []
    return f"{listed([*parts, f'{whole} on the shelf'])}"
