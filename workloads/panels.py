"""What a web UI shows beside Locust's own figures: panels, as a file that is written anew.

The harness writes the file, for it sees the SUT; Locust's leading process reads it whenever the
page asks. A file and no call: neither may ever wait for the other.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Panel:
    """One tab of the web UI: a table.

    Attributes:
        key: unique among the panels; a plain word.
        title: of the tab.
        columns: column's key -> its title, unit included, in order.
        rows: one value a column, by its key; text and numbers as they are shown.
    """

    key: str
    title: str
    columns: dict[str, str]
    rows: tuple[dict[str, str | float | None], ...] = ()


def write_panels(path: Path, panels: tuple[Panel, ...]) -> None:
    """Write all panels; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(panel) for panel in panels]))
    partial.rename(path)


def read_panels(path: Path) -> tuple[Panel, ...]:
    """The panels as last written; none where there is no file yet."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return ()
    return tuple(Panel(**{**one, "rows": tuple(one["rows"])}) for one in found)
