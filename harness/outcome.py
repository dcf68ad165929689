"""The table a run ends with: points without intervals, for a first look; ``reports`` has the rest.

Samples of a SUT's valid trials at one load step are pooled; trials that cannot be trusted are
counted and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.table import Table

from harness.record import Phases, RunRecord, Step, Sut, TrialRecord
from harness.run_directory import RunDirectory
from harness.usage import GENERATOR
from harness.validity import samples_needed
from workloads.sample import Outcome, read_samples

_UNKNOWN = "-"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One valid trial's steady state.

    Attributes:
        completed: good answers that came within it.
        in_time: those of them within the objective's response time.
        response_s: of every good answer to its requests, from the intended start.
        cpu_s: of all the SUT's components.
    """

    steady_s: float
    completed: int
    in_time: int
    response_s: npt.NDArray[np.float64]
    cpu_s: float


def see(directory: RunDirectory, record: TrialRecord, response_limit_s: float) -> Seen:
    """Read one trial's samples and usage."""
    assert record.phases is not None  # noqa: S101 - a valid trial was played
    phases = record.phases
    folder = directory.trial(record.place)
    samples = read_samples(sorted(folder.glob("samples-*.parquet")))
    good = samples.filter(pc.equal(samples["outcome"], int(Outcome.OK)))
    intended_ns, received_ns = (good[n].to_numpy() for n in ("intended_ns", "received_ns"))
    of_steady = (intended_ns >= phases.steady_ns) & (intended_ns < phases.end_ns)
    in_steady = (received_ns >= phases.steady_ns) & (received_ns < phases.end_ns)
    response_s = (received_ns - intended_ns) / 1e9
    return Seen(
        steady_s=(phases.end_ns - phases.steady_ns) / 1e9,
        completed=int(in_steady.sum()),
        in_time=int((in_steady & (response_s <= response_limit_s)).sum()),
        response_s=response_s[of_steady],
        cpu_s=_cpu_s(directory, record, phases),
    )


def _cpu_s(directory: RunDirectory, record: TrialRecord, phases: Phases) -> float:
    """Not a number where nothing of the SUT was read: a running service without metrics."""
    table = pq.read_table(directory.trial(record.place) / "usage.parquet")
    rows = table.filter(pc.not_equal(table["component"], GENERATOR))
    summed = rows.group_by("t_ns").aggregate([("cpu_s", "sum")]).sort_by("t_ns")
    times, cpu_s = summed["t_ns"].to_numpy(), summed["cpu_s_sum"].to_numpy()
    if not len(times):
        return float("nan")
    return float(np.diff(np.interp((phases.steady_ns, phases.end_ns), times, cpu_s))[0])


def outcome_table(
    directory: RunDirectory, run: RunRecord, trials: Sequence[TrialRecord], response_limit_s: float
) -> Table:
    """One row per SUT and load step."""
    table = Table(
        title=run.run_id,
        box=SIMPLE_HEAD,
        caption="rates in requests per second, times and CPU (an answer) in ms, n answers; "
        "valid trials pooled, the report has intervals",
    )
    table.add_column("SUT", no_wrap=True)
    for head in ("offered", "throughput", "goodput", "p50", "p95", "CPU", "n", "valid"):
        table.add_column(head, justify="right", no_wrap=True)
    for sut in run.suts:
        for step in run.steps:
            table.add_row(*_row(directory, sut, step, trials, response_limit_s))
    return table


def _row(
    directory: RunDirectory,
    sut: Sut,
    step: Step,
    trials: Sequence[TrialRecord],
    response_limit_s: float,
) -> list[str]:
    of_steps = [t for t in trials if t.place.probe is None]
    mine = [t for t in of_steps if t.place.sut == sut.key and t.place.step == step.index]
    valid = [trial for trial in mine if trial.valid]
    head = [sut.key, f"{step.offered_rps:.4g}"]
    tail = f"{len(valid)}/{len(mine)}"
    if not valid:
        return [*head, *[_UNKNOWN] * 6, tail]
    seen = [see(directory, trial, response_limit_s) for trial in valid]
    steady_s = sum(one.steady_s for one in seen)
    response_s = np.concatenate([one.response_s for one in seen])
    completed = sum(one.completed for one in seen)
    return [
        *head,
        f"{completed / steady_s:.1f}",
        f"{sum(one.in_time for one in seen) / steady_s:.1f}",
        _percentile_ms(response_s, 50),
        _percentile_ms(response_s, 95),
        _cpu_ms(sum(one.cpu_s for one in seen), completed),
        str(len(response_s)),
        tail,
    ]


def _cpu_ms(cpu_s: float, completed: int) -> str:
    return f"{cpu_s / completed * 1e3:.2f}" if completed and not np.isnan(cpu_s) else _UNKNOWN


def _percentile_ms(response_s: npt.NDArray[np.float64], percentile: float) -> str:
    """A percentile, or nothing where fewer than ten samples lie beyond it."""
    if len(response_s) < samples_needed(percentile):
        return _UNKNOWN
    return f"{np.percentile(response_s, percentile) * 1e3:.1f}"
