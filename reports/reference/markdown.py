"""Tables and text as GitHub's Markdown takes them."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, one line a row; every row has a cell for each heading."""
    lines = [tuple(head), ("---",) * len(head), *map(tuple, rows)]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """Text that stays inside one cell: bars are escaped, lines are joined."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as it would be typed; the empty text is empty."""
    return f"`{text}`" if text else ""
