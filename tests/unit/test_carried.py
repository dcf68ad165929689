"""A full SUT keeps its throughput where its answers are too few, as they hang together, for p50."""

from dataclasses import replace

import numpy as np
import pytest

from reports.estimate import Missing
from reports.frames import TrialFrames, open_run, read_trial
from reports.metrics import measure
from reports.subject import Subject
from tests.golden.report.simulated_run import Plan, Truth, simulate

BUSY = Truth("monolith:batched", 9.0, 7.0, 300, queue_bound=6)
PERCENTILES = ("response_p50_ms", "response_p95_ms", "service_p50_ms")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> TrialFrames:
    """It sheds load."""
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, Plan(suts=(BUSY,), rates=(130.0,), blocks=1))
    run = open_run(path)
    found = read_trial(run, run.trials[0])
    assert found is not None
    return found


def with_levels(trial: TrialFrames, *levels_ms: float) -> TrialFrames:
    """Its answers take these times, one after another through the trial, give or take 2 %."""
    samples = trial.samples.copy()
    count = len(samples)
    level = np.array(levels_ms)[np.arange(count) * len(levels_ms) // count]
    scattered = level * np.random.default_rng(3).normal(1, 0.02, count)
    samples["received_ns"] = samples["intended_ns"] + (scattered * 1e6).astype(np.int64)
    return replace(trial, samples=samples)


def test_the_percentiles_of_one_excursion_are_withheld_and_nothing_else(
    trial: TrialFrames,
) -> None:
    values = measure(Subject(with_levels(trial, 40.0, 60.0), 0.05, None))
    for key in PERCENTILES:
        found = values[key]
        assert isinstance(found, Missing), key
        assert "answers of a full queue count as" in found.why
    for key in ("throughput_rps", "goodput_rps", "cpu_ms", "slo_share", "shed_share"):
        assert isinstance(values[key], float), key


@pytest.mark.parametrize("levels_ms", [(50.0, 50.5), (40.0, 60.0) * 20])
def test_of_many_excursions_or_none_they_are_carried(
    trial: TrialFrames, levels_ms: tuple[float, ...]
) -> None:
    values = measure(Subject(with_levels(trial, *levels_ms), 0.05, None))
    assert all(isinstance(values[key], float) for key in PERCENTILES)


def test_a_sut_that_shed_nothing_is_judged_by_the_trials_own_reasons(trial: TrialFrames) -> None:
    levelled = with_levels(trial, 40.0, 60.0)
    samples = levelled.samples.assign(status=200, ok=True)
    values = measure(Subject(replace(levelled, samples=samples), 0.05, None))
    assert all(isinstance(values[key], float) for key in PERCENTILES)
