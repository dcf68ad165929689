"""A run's estimates, trials and comparisons as long tables: the very numbers of its summary."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.export.sheet import ESTIMATE, FLOAT, TEXT, WHOLE, YES, Row, Sheet, schema, sheet
from reports.export.source import Source

_NAMED = {"run_id": TEXT, "scenario": TEXT}
_SUT = {"sut": TEXT, "architecture": TEXT, "variant": TEXT}
_ASKED = {"step": WHOLE, "asked": TEXT, "offered_rps": FLOAT, "concurrency": WHOLE}

ESTIMATES = schema(
    **_NAMED, **_SUT, **_ASKED, about=TEXT, part=TEXT, metric=TEXT, **ESTIMATE,
    recorded_trials=WHOLE, trusted_trials=WHOLE,
)  # fmt: skip
TRIALS = schema(
    **_NAMED, **_SUT, block=WHOLE, **_ASKED, probe=WHOLE, order=WHOLE, outcome=TEXT, trusted=YES,
    reasons=TEXT, error=TEXT, ended_early=TEXT, metric=TEXT, unit=TEXT, value=FLOAT, missing=TEXT,
)  # fmt: skip
COMPARISONS = schema(**_NAMED, **_ASKED, metric=TEXT, this=TEXT, other=TEXT, word=TEXT, **ESTIMATE)


def estimates(source: Source) -> Sheet:
    """A row an estimate.

    ``about`` says of what: ``metric``, in a capacity search ``part`` says that it is at capacity;
    ``stage`` and ``component``, which ``part`` names; ``cost``, by the price row that ``part``
    names; ``capacity``; ``deployment``, over all blocks; ``ceiling``, whose batch size ``part``
    names.
    """
    return sheet(ESTIMATES, lambda: _estimates(source))


def trials(source: Source) -> Sheet:
    """A row a trial and metric, probes of capacity searches too, and those not to be trusted.

    A value that is missing says why; a trial that was not played has one row, without a metric.
    """
    return sheet(TRIALS, lambda: _trials(source))


def comparisons(source: Source) -> Sheet:
    """A row a pair of SUTs, step and metric: the ratio of this to other, paired by block."""
    return sheet(COMPARISONS, lambda: _comparisons(source))


def sut_columns(key: str) -> dict[str, str]:
    """A SUT's key and its two parts."""
    architecture, _, variant = key.partition(":")
    return {"sut": key, "architecture": architecture, "variant": variant}


def _estimates(source: Source) -> Iterator[Row]:
    found = source.summary
    same = {**source.named, "level": found["level"]}
    for cell in found["cells"]:
        place = {
            **same,
            **sut_columns(cell["sut"]),
            **source.asked(source.record.steps[cell["step"]]),
            "recorded_trials": cell["recorded"],
            "trusted_trials": cell["trusted"],
        }
        yield from (place | row for row in _of_cell(cell))
    for capacity in found["capacities"]:
        place = {**same, **sut_columns(capacity["sut"]), "asked": "capacity"}
        yield from (place | row for row in _of_capacity(capacity))
    for deployed in found["deployments"]:
        for metric, value in _known(deployed):
            yield same | sut_columns(deployed["sut"]) | _about("deployment", None, metric, value)
    for ceiling in found["ceiling"]:
        for metric in ("rate_rps", "cpu_ms"):
            row = _about("ceiling", f"batch {ceiling['batch_size']}", metric, ceiling[metric])
            yield same | row


def _of_cell(cell: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (_about("metric", None, key, value) for key, value in cell["estimates"].items())
    for stage in cell["stages"]:
        for key, value in stage.items():
            if key != "stage":
                yield _about("stage", stage["stage"], key, value)
    for metric, by_part in cell.items():
        if metric != "estimates" and isinstance(by_part, Mapping):
            for part, value in _known(by_part):
                yield _about("component", part, metric, value)
    yield from _costs(cell["usd_per_million"])


def _of_capacity(capacity: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield _about("capacity", None, "capacity_rps", capacity["rps"])
    yield _about("capacity", None, "capacity_efficiency", capacity["efficiency"])
    for key, value in capacity["estimates"].items():
        yield _about("metric", "at capacity", key, value)
    yield from _costs(capacity["usd_per_million"])


def _costs(priced: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for price, kinds in priced.items():
        for kind, value in kinds.items():
            yield _about("cost", price, f"usd_per_million_{kind}", value)


def _known(values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those that are estimates."""
    found = ((key, value) for key, value in values.items() if isinstance(value, Mapping))
    return ((key, value) for key, value in found if "point" in value)


def _about(
    about: str, part: str | None, metric: str, estimate: Mapping[str, Any]
) -> dict[str, Any]:
    return {"about": about, "part": part, "metric": metric, **estimate}


def _trials(source: Source) -> Iterator[Row]:
    found = source.summary
    units = {key: metric["unit"] for key, metric in found["metrics"].items()}
    every = (*source.run.trials, *source.run.probes)
    by_place = {(t.place.block, t.place.step, t.place.sut, t.place.probe): t for t in every}
    for trial in (*found["trials"], *found["probes"]):
        key = (trial["block"], trial["step"], trial["sut"], trial["probe"])
        same = {
            **source.named,
            **sut_columns(trial["sut"]),
            **{name: trial[name] for name in ("block", "probe", "order", "outcome")},
            **{name: trial[name] for name in ("error", "ended_early")},
            **source.asked_of(by_place[key]),
            "trusted": trial["valid"],
            "reasons": " ".join(reason["code"] for reason in trial["reasons"]),
        }
        if not trial["values"]:
            yield same
        for metric, value in trial["values"].items():
            why = trial["missing"].get(metric)
            yield same | {
                "metric": metric, "unit": units[metric], "value": value, "missing": why
            }  # fmt: skip


def _comparisons(source: Source) -> Iterator[Row]:
    found = source.summary
    for one in found["comparisons"]:
        yield {
            **source.named,
            **source.asked(source.record.steps[one["step"]]),
            **{name: one[name] for name in ("metric", "this", "other", "word")},
            **one["ratio"],
            "level": found["level"],
        }
