"""Two runs beside each other in a terminal."""

from collections.abc import Callable

from rich.console import Console

from reports.compared import phrases, tables
from reports.compared.record import Compared


def show(console: Console, compared: Compared) -> None:
    """The comparison in a terminal: which runs, what differs, the controls, the figures."""

    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, soft_wrap=True, highlight=False, markup=False)

    _before(compared, say)
    for step in compared.places:
        table = tables.terminal(compared, step)
        if table.row_count:
            console.print(table)
    for text in compared.words:
        say(text, "bold")
    if compared.comparable:
        say(f"{phrases.NOT_PAIRED} To decide: {compared.decide}")


def _before(compared: Compared, say: Callable[..., None]) -> None:
    """Which runs they are and what stands between them, before any figure."""
    for name, side in zip("AB", compared.sides, strict=True):
        say(f"{name}: {side.chosen} ({side.created_utc[:16].replace('T', ' ')} UTC)")
    for why in compared.refusals:
        say(f"not comparable: {why}", "bold red")
    for one in compared.differs:
        say(f"differs: {one.key}: {one.baseline} and {one.candidate}", "dim")
    for text in (*compared.only, *compared.cautions):
        say(f"note: {text}")
