"""Many simulated gates of each profile and truth, and how often each method was right."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from tests.gate_study.blocks import Evidence
from tests.gate_study.methods import Method, methods
from tests.gate_study.ours import Said
from tests.gate_study.profiles import PROFILES, Profile
from tests.gate_study.series import evidence
from tests.selfbench.rows import Row

TRUTHS = (1.0, 1.05, 1.1, 1.2)
_CHUNK = 25


@dataclass(slots=True)
class Tally:
    """What one method said of one truth, counted.

    Attributes:
        said: word -> how often.
        by: metric -> in how many of them it was called worse.
        pairs: played, of all together.
    """

    said: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    minutes: float = 0.0

    def add(self, said: Said, pair_s: float) -> None:
        """Count one."""
        self.said[said.word] += 1
        self.by.update(said.by)
        self.pairs += said.pairs
        self.minutes += said.pairs * pair_s / 60

    def merge(self, other: "Tally") -> None:
        """Count another's too."""
        self.said += other.said
        self.by += other.by
        self.pairs += other.pairs
        self.minutes += other.minutes

    def row(self) -> Row:
        """Shares of all, and means."""
        n = self.said.total()
        shares = {
            word: self.said[word] / n for word in ("regression", "inconclusive", "pass", "unfit")
        }
        low, high = interval(self.said["regression"], n)
        return {
            **shares,
            "low": low,
            "high": high,
            "pairs": self.pairs / n or None,
            "minutes": self.minutes / n or None,
            "n": n,
            "by": " ".join(f"{key}:{count}" for key, count in self.by.most_common()),
        }


def interval(found: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's two-sided 95 % interval of a share."""
    centre, reach = found + z * z / 2, z * np.sqrt(found * (n - found) / n + z * z / 4)
    return float((centre - reach) / (n + z * z)), float((centre + reach) / (n + z * z))


def simulate(
    profiles: Iterable[str], truths: Sequence[float], gates: int, seed: int, processes: int
) -> Iterator[Row]:
    """One row a profile, truth and method, as they are done.

    The same seed, profile and number give the same machine, whatever the truth.
    """
    with get_context("spawn").Pool(processes) as pool:
        for name in profiles:
            for truth in truths:
                jobs = [
                    (
                        PROFILES[name],
                        truth,
                        (seed, ord(name[-1])),
                        range(at, min(at + _CHUNK, gates)),
                    )
                    for at in range(0, gates, _CHUNK)
                ]
                found: dict[str, Tally] = {}
                for part in pool.imap_unordered(_chunk, jobs):
                    for method, tally in part.items():
                        found.setdefault(method, Tally()).merge(tally)
                for method, tally in found.items():
                    yield {"profile": name, "truth": truth, "method": method, **tally.row()}


def _chunk(job: tuple[Profile, float, tuple[int, ...], range]) -> dict[str, Tally]:
    profile, truth, seed, numbers = job
    return judged(evidence((*seed, n), profile, truth, other_ways=truth == 1) for n in numbers)


def judged(series: Iterable[Evidence], by: "dict[str, Method] | None" = None) -> dict[str, Tally]:
    """What every method says of each piece of evidence, counted."""
    found: dict[str, Tally] = {}
    for one in series:
        for name, method in (by or methods()).items():
            said = method(one)
            if said is not None:
                found.setdefault(name, Tally()).add(said, one.pair_s)
    return found


def run_spread(profile: Profile, blocks: int = 300, seed: int = 1) -> Row:
    """How much equal blocks differ: apart for days, and next to each other."""
    apart, beside = [], []
    for n in range(blocks):
        one = evidence((seed, 999, n), profile, 1.0)
        apart.append(np.log(one.stored[0].values["response_p95_ms"]))
        pair = one.pairs[0]
        beside.append(
            [np.log(p.values[k]) for p in (pair.baseline, pair.candidate) for k in _SHOWN]
        )
    ratios = np.array(beside)[:, : len(_SHOWN)] - np.array(beside)[:, len(_SHOWN) :]
    spread = dict(zip(_SHOWN, ratios.std(axis=0, ddof=1).tolist(), strict=True))
    return {
        "profile": profile.name,
        "machine": profile.words,
        "run CV p95": float(np.std(apart)),
        **spread,
    }


_SHOWN = ("cpu_ms", "response_p50_ms", "response_p95_ms", "goodput_rps", "start_up_s")
