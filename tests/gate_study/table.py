"""What was found, as it stands in the documents: Markdown from the JSON that the parts left."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.gate_study.live import KEPT, PLANTS, Kept, read
from tests.selfbench.rows import Row

_WORDS = ("pass", "inconclusive", "regression", "unfit")
_OURS = "this gate"
_NO_CHANGE = 1.0
_READ = (
    "Called a regression, in % of gates: at no change (a false alarm) / at +5 % / +10 % / +20 %."
)


def document(out: Path) -> str:
    """Every table there is something for."""
    parts = [
        _resampled(out / "simulated.json", "profile", "Simulated"),
        _resampled(out / "recorded.json", "scenario", "Recorded, labels swapped"),
        live(out / KEPT),
    ]
    return "\n\n".join(part for part in parts if part)


def _resampled(path: Path, place: str, title: str) -> str:
    if not path.is_file():
        return ""
    rows: list[Row] = json.loads(path.read_text())["rows"]
    places = list(dict.fromkeys(row[place] for row in rows))
    n = min(row["n"] for row in rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    called = [[name, *(_cell(rows, place, p, name) for p in places)] for name in methods]
    ours = [
        [
            row[place],
            _truth(row["truth"]),
            *(_percent(row[word]) for word in _WORDS),
            f"{row['pairs']:.1f}",
            f"{row['minutes']:.1f}",
        ]
        for row in rows
        if row["method"] == _OURS
    ]
    return "\n\n".join(
        (
            f"{title}, {n:,} gates a cell. {_READ}",
            markdown(["method", *places], called),
            "This gate, in % of gates:",
            markdown([place, "truth", *_WORDS, "pairs", "minutes"], ours),
        )
    )


def _cell(rows: Sequence[Row], place: str, at: str, method: str) -> str:
    found = [row for row in rows if row[place] == at and row["method"] == method]
    words = [_percent(row["regression"]) for row in sorted(found, key=lambda row: row["truth"])]
    return " / ".join(words) or "-"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}" if 0 < share < 0.1 else f"{share * 100:.0f}"


def _truth(factor: float) -> str:
    return "no change" if factor == _NO_CHANGE else f"+{(factor - 1) * 100:.0f} %"


def live(path: Path) -> str:
    """Real gates: equal sides counted, and a row a planted fault."""
    kept = read(path)
    if not kept:
        return ""
    names = list(dict.fromkeys(name for one in kept for name in one.get("others", {})))
    equal = [one for one in kept if not one["plant"]]
    groups: dict[str, list[Kept]] = {}
    for one in equal:
        groups.setdefault(one["scenario"], []).append(one)
    counts = [[name, *_counted(group, names)] for name, group in (*groups.items(), ("all", equal))]
    order = [planned.plant for planned in PLANTS]
    planted = sorted((o for o in kept if o["plant"]), key=lambda one: order.index(one["plant"]))
    return "\n\n".join(
        (
            "Live gates of equal sides; other methods' alarms of as many as they could judge:",
            markdown(["sides", "gates", *_WORDS, "other ends", "pairs", "minutes", *names], counts),
            "Live gates with a planted fault:",
            markdown(
                ["plant", "outcome", "called", "pairs", "redone", "minutes", *names],
                [_planted(one, names) for one in planted],
            ),
        )
    )


def _counted(group: Sequence[Kept], names: Sequence[str]) -> list[str]:
    ends = [one["outcome"] for one in group]
    others = [_alarms(group, name) for name in names]
    return [
        str(len(group)),
        *(str(ends.count(word)) for word in _WORDS),
        str(sum(end not in _WORDS for end in ends)),
        _mean(one.get("pairs") for one in group),
        _mean(one["minutes"] for one in group),
        *others,
    ]


def _alarms(group: Sequence[Kept], name: str) -> str:
    said = [word for one in group if (word := one.get("others", {}).get(name))]
    return f"{said.count('regression')} of {len(said)}"


def _mean(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.1f}" if known else "-"


def _planted(one: Kept, names: Sequence[str]) -> list[str]:
    others = [str(one.get("others", {}).get(name) or "-") for name in names]
    worse = [_called(key, row) for key, row in one.get("rows", {}).items() if _is_called(row)]
    return [
        one["plant"],
        one["outcome"],
        ", ".join(worse) or "-",
        str(one.get("pairs", "-")),
        str(one.get("redone", "-")),
        f"{one['minutes']:.1f}",
        *others,
    ]


def _is_called(row: Mapping[str, Any]) -> bool:
    return bool(row["gating"]) and row["word"] == "regression"


def _called(key: str, row: Mapping[str, Any]) -> str:
    """Ratios in percent, differences of shares in points."""
    estimate = row["estimate"]
    if estimate is None:
        return key
    points = key.endswith("_share")
    return (
        f"{key} {(estimate if points else estimate - 1) * 100:+.1f} {'points' if points else '%'}"
    )


def markdown(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
