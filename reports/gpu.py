"""What a trial's GPUs did in steady state, where there were any: ``gpu.parquet``."""

import numpy as np
import pandas as pd

from reports.estimate import Missing, Value
from reports.frames import TrialFrames
from reports.usage import added, grown

NO_GPU = Missing("no GPU was read")


def was_read(trial: TrialFrames) -> bool:
    """Whether there was a GPU to read."""
    return not trial.gpu.empty


def utilization(trial: TrialFrames) -> Value:
    """Mean over readings and over the SUT's GPUs: share of the time in which a kernel ran."""
    return _mean(trial, "utilization")


def power_w(trial: TrialFrames) -> Value:
    """Mean power of the SUT's GPUs together."""
    mean = _mean(trial, "power_w")
    return mean if isinstance(mean, Missing) else mean * len(_devices(trial))


def memory_mb(trial: TrialFrames) -> Value:
    """The most memory that the SUT's components held on its GPUs, by component rows."""
    if trial.gpu.empty:
        return NO_GPU
    held = memory_by_component(trial).sum(axis=1)
    return float(held.max()) / 1e6 if len(held) else Missing("the driver does not tell by process")


def memory_by_component(trial: TrialFrames) -> pd.DataFrame:
    """GPU memory in bytes: one row a reading, one column a component; empty where none is told."""
    rows = trial.gpu
    if rows.empty:
        return pd.DataFrame()
    held = rows[rows["component"].notna()]
    return held.pivot_table("memory_bytes", "t_ns", "component", aggfunc="sum", sort=False)


def busy_gpu_s(trial: TrialFrames) -> Value:
    """Seconds the SUT's GPUs were busy, all of them together."""
    share = utilization(trial)
    if isinstance(share, Missing):
        return share
    return share * len(_devices(trial)) * trial.steady_s


def energy_j(trial: TrialFrames) -> Value:
    """Joules that the SUT's GPUs took, what they draw at rest included."""
    rows, phases = trial.gpu, trial.phases
    if rows.empty:
        return NO_GPU
    own = [_of(rows, device) for device in _devices(trial)]
    return added([grown(one, "energy_j", phases.steady_ns, phases.end_ns) for one in own])


def _mean(trial: TrialFrames, column: str) -> Value:
    rows, phases = trial.gpu, trial.phases
    if rows.empty:
        return NO_GPU
    steady = rows[(rows["t_ns"] >= phases.steady_ns) & (rows["t_ns"] < phases.end_ns)]
    means = [_of(steady, device)[column].mean() for device in _devices(trial)]
    mean = float(np.mean(means)) if means else float("nan")
    return Missing("the device does not tell") if np.isnan(mean) else mean


def _devices(trial: TrialFrames) -> list[int]:
    """Those that a component held memory of; where nobody is told who holds what, all of them."""
    rows = trial.gpu
    held = rows.loc[rows["component"].notna(), "device"].unique()
    return [int(device) for device in (held if len(held) else rows["device"].unique())]


def _of(rows: pd.DataFrame, device: int) -> pd.DataFrame:
    """A device's own rows."""
    return rows[(rows["device"] == device) & rows["component"].isna()]
