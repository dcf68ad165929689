"""A side's scenario as the file that its own harness reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.pairs.document import as_toml
from harness.pairs.sides import Side
from harness.scenario_file import parse_scenario

_OPEN = ("rates", "sweep", "workload", "shape", "trace")
_CLOSED = ("concurrency", "think_time_s")


def write_scenario(
    side: Side, path: Path, *, load: Mapping[str, Any], suts: Sequence[str] | None = None
) -> None:
    """Write what a side plays: its document, with other keys of ``[load]``.

    ``[capacity]`` goes, and whatever contradicts the keys: another way of saying what is offered,
    and the other loop's keys.

    Args:
        side: whose document.
        path: the file; written anew.
        load: keys of ``[load]`` that replace the document's.
        suts: in place of the side's one SUT.

    Raises:
        ScenarioError: what comes of it cannot be run; the file says what it is.
    """
    document = {key: value for key, value in side.document.items() if key != "capacity"}
    document["load"] = _loaded(document["load"], load)
    if suts is not None:
        document["suts"] = list(suts)
    text = as_toml(document)
    path.write_text(text, encoding="utf-8")
    parse_scenario(text, str(path))


def _loaded(own: Mapping[str, Any], load: Mapping[str, Any]) -> dict[str, Any]:
    closed = "concurrency" in load or load.get("loop") == "closed"
    offered = "rates" in load or "sweep" in load
    dropped: tuple[str, ...] = ()
    if closed:
        dropped = _OPEN
    elif offered:
        dropped = ("rates", "sweep", *_CLOSED)
    kept = {key: value for key, value in own.items() if key not in dropped}
    if closed or offered:
        kept["loop"] = "closed" if closed else "open"
    return {**kept, **load}
