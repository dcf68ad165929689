"""The shelf in a terminal: a table that fits a hundred columns."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from reports.shelf.entry import Entry

_MOST_SUTS = 4
_MOST_LETTERS = 180
_STATUS = {
    "complete": "green",
    "running": "cyan",
    "interrupted": "yellow",
    "unfinished": "yellow",
    "": "dim",
}


def shelf_table(entries: Sequence[Entry]) -> Table:
    """A row an entry: what and when, how it ended, what was compared, and what was found."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_lines=True)
    table.add_column("Run", overflow="fold", max_width=34)
    table.add_column("SUTs", overflow="fold", max_width=25)
    table.add_column("Answer", overflow="fold")
    for entry in entries:
        table.add_row(_named(entry), _suts(entry), _answer(entry))
    return table


def _named(entry: Entry) -> str:
    when = f"{entry.at:%Y-%m-%d %H:%M}" if entry.when else ""
    stamped = entry.name.startswith(f"{entry.at:%Y%m%d-%H}")
    counted = f"[dim], {entry.trusted}[/]" if entry.trusted else ""
    dim = " ".join(filter(None, ("" if stamped else when, entry.revision)))
    lines = (
        f"[bold]{escape(entry.name)}[/]",
        f"[{_STATUS.get(entry.status, 'red')}]{_state(entry)}[/]{counted}",
        f"[dim]{escape(dim)}[/]" if dim else "",
        f"[cyan]{escape(' '.join(entry.tags))}[/]" if entry.tags else "",
    )
    return "\n".join(filter(None, lines))


def _state(entry: Entry) -> str:
    """What it is, where it is no run, and how it ended."""
    kind = "" if entry.kind in {"run", "unknown"} else entry.kind
    return escape(" ".join(filter(None, (kind, entry.status))))


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
    text = escape(shortened(entry.answer or entry.summary))
    lines = (
        text if entry.answer or not text else f"[dim]{text}[/]",
        f"[red]{escape(shortened(entry.doubt))}[/]" if entry.doubt else "",
        "[dim]no page yet[/]" if entry.command and not entry.page else "",
    )
    return "\n".join(filter(None, lines))


def shortened(text: str) -> str:
    """The beginning of a long text, cut between words."""
    if len(text) <= _MOST_LETTERS:
        return text
    return text[:_MOST_LETTERS].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def counted(shown: int, found: int, whole: int) -> str:
    """How many there are, and how many of them were asked for and are shown."""
    parts = (
        f"{shown} of {found} shown" if shown != found else "",
        f"{found} found" if found != whole else "",
        f"{whole} on the shelf",
    )
    return ", ".join(filter(None, parts))
