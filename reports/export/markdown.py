"""A run's headline as Markdown, fit for a pull request: each figure with its interval and n."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.estimate import Estimate
from reports.export.source import Source
from reports.gate.markdown import escaped
from reports.wording import DASH, interval, number, plain, plural

HEADLINE = (
    ("goodput_rps", "Goodput"),
    ("response_p50_ms", "Response p50"),
    ("response_p95_ms", "Response p95"),
    ("cpu_ms", "CPU per request"),
    ("pss_peak_mb", "Peak PSS"),
    ("usd_per_million_reserved", "Cost, reserved"),
)
"""What fits beside the SUT, the SLO and the trials on a pull request's page."""

_LAID_OUT = 3
"""Load steps whose tables stand open; those of a longer sweep are folded."""


def run_markdown(source: Source) -> str:
    """The answer in words, then a table a load step, then what it rests on."""
    found, record = source.summary, source.record
    said = found["answer"]
    steps = {cell["step"]: cell for cell in found["cells"]}
    tables = [list(_step(source, step)) for step in steps]
    folded = len(tables) > _LAID_OUT
    parts = [
        f"### {escaped(str(record.scenario.get('summary') or source.named['scenario'] or ''))}",
        "",
        *(f"> {escaped(one['text'])}\n" for one in said if one["kind"] == "caution"),
        *(f"{escaped(one['text'])}\n" for one in said if one["kind"] != "caution"),
        *_capacities(found),
        *(["<details><summary>Every load step</summary>", ""] if folded else []),
        *(line for table in tables for line in table),
        *(["</details>", ""] if folded else []),
        *_facts(source),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _step(source: Source, index: int) -> Iterator[str]:
    found, step = source.summary, source.record.steps[index]
    cells = [cell for cell in found["cells"] if cell["step"] == index]
    offered = "" if step.concurrency is not None else f" ({number(step.offered_rps)} rps)"
    yield f"**{escaped(step.asked)}**{offered}"
    yield ""
    head = [_head(name, found["metrics"][key]) for key, name in HEADLINE]
    rows = [
        [
            escaped(cell["sut"]),
            *(_figure(cell["estimates"][key]) for key, _ in HEADLINE),
            escaped(cell["state"]),
            f"{cell['trusted']} of {cell['recorded']}",
        ]
        for cell in cells
    ]
    yield from _table(["SUT", *head, "SLO", "trials trusted"], rows)


def _capacities(found: Mapping[str, Any]) -> Iterator[str]:
    if not found["capacities"]:
        return
    yield "**Capacity**"
    yield ""
    rows = [
        [
            escaped(capacity["sut"]),
            _figure(capacity["rps"]),
            _figure(capacity["efficiency"]),
            _figure(capacity["estimates"]["usd_per_million_reserved"]),
        ]
        for capacity in found["capacities"]
    ]
    head = ["SUT", "capacity, rps", "rate / ceiling", "cost, reserved, USD per million"]
    yield from _table(head, rows)


def _head(name: str, metric: Mapping[str, str]) -> str:
    unit = "" if metric["unit"] == "share" else f", {metric['unit']}"
    return f"{name}{unit}"


def _figure(estimate: Mapping[str, Any]) -> str:
    """Point, interval and n; a dash where no figure can be given."""
    known = Estimate(*(estimate[name] for name in ("point", "low", "high", "n", "note")))
    if known.point is None:
        return DASH
    unit = estimate["unit"]
    ends = interval(known, unit)
    text = plain(known.point, unit)
    return f"{text} ({ends}, n = {known.n})" if ends else f"{text} (n = {known.n})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---{'|---:' * (len(head) - 1)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _facts(source: Source) -> Iterator[str]:
    record, found = source.record, source.summary
    described = record.environment.description
    trials = (*found["trials"], *found["probes"])
    trusted = sum(trial["valid"] for trial in trials)
    yield f"Intervals at {found['level']:.0%}; n counts blocks; a dash: no figure can be given."
    yield f"{trusted} of {plural(len(trials), 'trial')} trusted; run {record.status}."
    yield (
        f"Run `{record.run_id.replace('`', '')}`, servebench {escaped(record.version)}, "
        f"revision {escaped(described.get('revision', 'not recorded')[:12])}, "
        f"{escaped(record.environment.fingerprint.get('cpu_model', 'CPU not recorded'))}."
    )
