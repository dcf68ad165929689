"""What a trial's components used, from readings taken a few times a second."""

import numpy as np
import pandas as pd

from reports.estimate import Missing, Value
from reports.frames import GENERATOR, TrialFrames

LEAST_COVERED = 0.9
"""Share of the steady state that readings must span; the rest is taken to go on alike."""

LEAST_IDLE_S = 0.4


def components(trial: TrialFrames) -> list[str]:
    """The SUT's components in the order they were first read; the generator is none of them."""
    return [name for name in trial.usage["component"].unique() if name != GENERATOR]


def steady_cpu_s(trial: TrialFrames) -> Value:
    """CPU-seconds of all components together over the steady state."""
    return cpu_s_between(trial, trial.phases.steady_ns, trial.phases.end_ns)


def cpu_s_between(trial: TrialFrames, start_ns: int, end_ns: int) -> Value:
    """CPU-seconds of all components together between two clock readings."""
    spent = (_between(trial, name, "cpu_s", start_ns, end_ns) for name in components(trial))
    return added(list(spent))


def steady_count(trial: TrialFrames, column: str) -> Value:
    """What a cumulative column of ``usage.parquet`` grew by, all components over steady state."""
    if column not in trial.usage:
        return Missing("not recorded by the version that made this run")
    start_ns, end_ns = trial.phases.steady_ns, trial.phases.end_ns
    return added([_between(trial, name, column, start_ns, end_ns) for name in components(trial)])


def component_cpu_s(trial: TrialFrames, component: str) -> Value:
    """CPU-seconds of one component over the steady state.

    Its cumulative reading is interpolated at both ends. Where readings end early the rate seen
    is carried on, so that a late last reading never makes a SUT look thrifty.
    """
    return _between(trial, component, "cpu_s", trial.phases.steady_ns, trial.phases.end_ns)


def _between(trial: TrialFrames, component: str, column: str, start_ns: int, end_ns: int) -> Value:
    return grown(trial.usage[trial.usage["component"] == component], column, start_ns, end_ns)


def grown(rows: pd.DataFrame, column: str, start_ns: int, end_ns: int) -> Value:
    """What a cumulative column grew by between two times, by its readings around and in them."""
    rows = rows[rows[column].notna()]
    times, total = rows["t_ns"].to_numpy(), rows[column].to_numpy(dtype=np.float64)
    window = end_ns - start_ns
    if len(times) < 2:  # noqa: PLR2004 - a difference needs two
        return Missing("no usage readings")
    first, last = max(times[0], start_ns), min(times[-1], end_ns)
    if last - first < LEAST_COVERED * window:
        return Missing(f"usage readings cover {max(last - first, 0) / window:.0%} of the window")
    spent = np.interp(last, times, total) - np.interp(first, times, total)
    return float(spent * window / (last - first))


def added(values: list[Value]) -> Value:
    """The sum, or why one of them is missing."""
    if not values:
        return Missing("no usage readings")
    total = 0.0
    for value in values:
        if isinstance(value, Missing):
            return value
        total += value
    return total


def idle_cores(trial: TrialFrames) -> Value:
    """Cores in use before load began, over the readings taken then."""
    before = trial.usage.loc[trial.usage["t_ns"] <= trial.phases.start_ns, "t_ns"]
    if before.empty or before.max() - before.min() < LEAST_IDLE_S * 1e9:
        return Missing("no idle period was recorded")
    start_ns, end_ns = int(before.min()), int(before.max())
    spent = added([_between(trial, name, "cpu_s", start_ns, end_ns) for name in components(trial)])
    return spent if isinstance(spent, Missing) else spent / ((end_ns - start_ns) / 1e9)


def pss_by_component(trial: TrialFrames) -> pd.DataFrame:
    """PSS in bytes: one row a reading, one column a component.

    Every reading counts, those just before and after the load too: where many processes make it
    dear, PSS is read so seldom that there may be no other.
    """
    usage = trial.usage
    rows = usage[usage["pss_bytes"].notna() & (usage["component"] != GENERATOR)]
    if rows.empty:
        return pd.DataFrame()
    last = rows.drop_duplicates(["t_ns", "component"], keep="last")
    wide = last.set_index(["t_ns", "component"])["pss_bytes"].unstack()  # noqa: PD010 - faster
    return wide[[name for name in components(trial) if name in wide]].ffill()


def peak_pss_bytes(trial: TrialFrames) -> Value:
    """The highest sum over components at one time."""
    pss = pss_by_component(trial)
    if pss.empty or pss.shape[1] < len(components(trial)):
        return Missing("no PSS readings of every component")
    return float(pss.sum(axis=1).max())


def pss_byte_s(trial: TrialFrames) -> Value:
    """PSS of all components together, integrated over the steady state: byte-seconds.

    Between readings it is taken to change evenly, before the first and after the last not at all.
    """
    pss = pss_by_component(trial)
    if pss.empty or pss.shape[1] < len(components(trial)):
        return Missing("no PSS readings of every component")
    times, total = pss.index.to_numpy(), pss.fillna(0.0).sum(axis=1).to_numpy()
    start_ns, end_ns = trial.phases.steady_ns, trial.phases.end_ns
    within = times[(times > start_ns) & (times < end_ns)]
    at_ns = np.concatenate([[start_ns], within, [end_ns]])
    return float(np.trapezoid(np.interp(at_ns, times, total), (at_ns - start_ns) / 1e9))
