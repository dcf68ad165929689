"""What it takes to deploy each SUT, as far as the run itself knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.estimate import Estimate, Missing, Scale, Value, over_blocks, within
from reports.results import Results
from reports.trial_result import TrialResult

_INFINITY = float("inf")
_METRICS: tuple[tuple[str, Scale], ...] = (
    ("start_up_s", "log"),
    ("idle_cores", "linear"),
    ("pss_peak_mb", "log"),
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """One SUT's deployments, one a block.

    Attributes:
        components: as their usage is told.
        over_hops: stages that are called over a hop; None where the SUT does not tell.
        processes / threads: the most at one reading in any trial's steady state.
        start_up_s: from the first process to the last readiness check, over the blocks.
        idle_cores: cores in use before load began, over the blocks.
        pss_peak_mb: the most of any load step, over the blocks.
        by_block: metric -> block -> what it read.
    """

    sut: str
    components: tuple[str, ...]
    over_hops: tuple[str, ...] | None
    processes: int | None
    threads: int | None
    start_up_s: Estimate
    idle_cores: Estimate
    pss_peak_mb: Estimate
    by_block: Mapping[str, Mapping[int, Value]]

    def blocks(self, metric: str) -> tuple[tuple[int, float], ...]:
        """Block and reading, where there is one."""
        found = self.by_block[metric].items()
        return tuple((block, value) for block, value in found if not isinstance(value, Missing))


def deployments(results: Results) -> Iterator[Deployed]:
    """Each SUT's, in the run's order, of trials that can be trusted; probes are trials too."""
    every = [*(trial for cell in results.cells for trial in cell.trials), *results.probes]
    for sut in results.record.suts:
        mine = [t for t in every if t.record.place.sut == sut.key and t.record.valid and t.picture]
        if mine:
            yield _deployed(sut.key, sorted(mine, key=lambda trial: trial.record.place.order))


def _deployed(sut: str, trials: Sequence[TrialResult]) -> Deployed:
    pictures = [trial.picture for trial in trials if trial.picture is not None]
    told = trials[0].record.info or {}
    found = {key: dict(_by_block(trials, key)) for key, _ in _METRICS}
    estimates = {
        key: within(over_blocks(list(found[key].values()), scale), 0, _INFINITY)
        for key, scale in _METRICS
    }
    return Deployed(
        sut,
        tuple(dict.fromkeys(name for p in pictures for name in p.cores)),
        tuple(told["remote_stages"]) if "remote_stages" in told else None,
        max((sum(p.processes.values()) for p in pictures if p.processes), default=None),
        max((sum(p.threads.values()) for p in pictures if p.threads), default=None),
        **estimates,
        by_block=found,
    )


def _by_block(trials: Sequence[TrialResult], key: str) -> Iterator[tuple[int, Value]]:
    """A block's first trial tells how it was deployed; memory is the most of all its trials."""
    for block in dict.fromkeys(trial.record.place.block for trial in trials):
        values = [t.values[key] for t in trials if t.record.place.block == block]
        known = [value for value in values if not isinstance(value, Missing)]
        yield block, max(known) if known and key == "pss_peak_mb" else values[0]
