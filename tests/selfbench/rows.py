"""A measurement's rows, their medians over rounds, and how they are shown."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

Row: TypeAlias = dict[str, Any]


def medians(rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """One row for each value of ``keys``: the median of every other column, and how many rounds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return [_median(group, keys) for group in groups.values()]


def _median(group: Sequence[Row], keys: Sequence[str]) -> Row:
    first = group[0]
    middle = {name: median(row[name] for row in group) for name in first if name not in keys}
    return {key: first[key] for key in keys if key in first} | middle | {"rounds": len(group)}


def show(title: str, rows: Sequence[Row], console: Console) -> None:
    """Print rows as a table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names, title=title)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def save(path: Path, title: str, rows: Sequence[Row]) -> None:
    """Write rows as JSON, and as a Markdown table beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"title": title, "rows": rows}, indent=1) + "\n")
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [
        " | ".join(names),
        " | ".join("---" for _ in names),
        *(" | ".join(_cell(row.get(name)) for name in names) for row in rows),
    ]
    path.with_suffix(".md").write_text("".join(f"| {line} |\n" for line in lines))
