# ruff: noqa: INP001, T201 - a script beside the page it supports
"""Which rule finds a trend and does not cry wolf? The simulation behind 0009-steady-state.md.

``python docs/decisions/0009_steady_state.py``, about two minutes. Windows of 400 and 2,000
requests at 100 rps; the share of 300 windows that each rule calls unsteady.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from harness.steady_state import BINS, Floats, Window, levels, mann_kendall, unsteady
from harness.validity.of_window import effective_samples

WINDOWS, RATE_RPS = 300, 100.0
draw = np.random.default_rng(20261122)


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One simulated window: starts and response times, both in seconds."""

    start_s: Floats
    response_s: Floats

    @property
    def span_s(self) -> float:
        """From the first start to the last."""
        return float(self.start_s[-1] - self.start_s[0])


Series = Callable[[int], Played]
Rule = Callable[[Played], bool]


def starts(requests: int, shape: float = 1.0) -> Floats:
    """Gamma renewals at the rate; shape 1 is Poisson, below it comes in bursts."""
    return np.cumsum(draw.gamma(shape, 1 / (shape * RATE_RPS), requests))


def independent(law: Callable[[int], Floats], grow: float = 0.0) -> Series:
    """Independent response times whose level grows by ``grow`` through the window."""

    def play(requests: int) -> Played:
        start_s = starts(requests)
        return Played(start_s, law(requests) * (1 + grow * start_s / start_s[-1]))

    return play


def lognormal(requests: int) -> Floats:
    """A service that scatters by 30 %."""
    return 0.03 * np.exp(0.3 * draw.standard_normal(requests))


def correlated(phi: float, grow: float = 0.0) -> Series:
    """AR(1) on the logarithm."""

    def law(requests: int) -> Floats:
        noise = draw.standard_normal(requests + 1000) * (1 - phi**2) ** 0.5
        for i in range(1, len(noise)):
            noise[i] += phi * noise[i - 1]
        return 0.03 * np.exp(0.3 * noise[1000:])

    return independent(law, grow)


def queue(utilization: float, services: float = 1.0, arrivals: float = 1.0) -> Series:
    """One server, gamma services of that shape, gamma arrivals; begins after as many requests.

    Above a utilization of 1 it begins empty, and its queue grows through the window.
    """

    def play(requests: int) -> Played:
        before = requests if utilization < 1 else 0
        start_s = starts(before + requests, arrivals)
        service_s = draw.gamma(services, utilization / RATE_RPS / services, len(start_s))
        free_s, response_s = 0.0, np.empty(len(start_s))
        for i, (start, service) in enumerate(zip(start_s, service_s, strict=True)):
            free_s = max(free_s, start) + service
            response_s[i] = free_s - start
        return Played(start_s[before:] - start_s[before], response_s[before:])

    return play


def batching(utilization: float) -> Series:
    """A batch of all who wait, 16 at most, takes (3 + its size) / 19 of what 16 alone would."""

    def play(requests: int) -> Played:
        start_s, free_s, first = starts(2 * requests), 0.0, 0
        response_s = np.empty(len(start_s))
        while first < len(start_s):
            begin_s = max(free_s, start_s[first])
            after = min(int(np.searchsorted(start_s, begin_s, "right")), first + 16)
            free_s = begin_s + (3 + after - first) / 19 * 16 * utilization / RATE_RPS
            response_s[first:after] = free_s - start_s[first:after]
            first = after
        return Played(start_s[requests:] - start_s[requests], response_s[requests:])

    return play


def frozen(requests: int) -> Played:
    """20 ms of service, frozen once for a tenth of the window, wherever."""
    start_s = starts(requests)
    begin_s, length_s = draw.uniform(0, 0.9) * start_s[-1], 0.1 * start_s[-1]
    waits = np.where(start_s < begin_s, 0.0, np.clip(begin_s + length_s - start_s, 0, length_s))
    return Played(start_s, lognormal(requests) + waits)


def warming(times: float) -> Series:
    """Slower at first, by ``times`` its level; that decays with a seventh of the window."""

    def play(requests: int) -> Played:
        start_s = starts(requests)
        return Played(
            start_s, lognormal(requests) * (1 + times * np.exp(-7 * start_s / start_s[-1]))
        )

    return play


def _third_means(played: Played) -> Floats:
    parts = np.array_split(played.response_s, 3)
    return np.array([part.mean() for part in parts])


def coefficient_of_variation(played: Played) -> bool:
    """Unsteady where the means of ten bins scatter by more than 10 %: the usual lone rule."""
    bins = np.minimum(played.start_s / played.span_s * 10, 9).astype(int)
    means = np.bincount(bins, played.response_s, 10) / np.maximum(np.bincount(bins, None, 10), 1)
    return bool(means.std() / means.mean() > 0.1)  # noqa: PLR2004


def three_windows(played: Played) -> bool:
    """perf_analyzer's: unsteady where the means of three windows differ by more than 10 %."""
    means = _third_means(played)
    return bool(means.max() / means.min() > 1.1)  # noqa: PLR2004


def slope(played: Played) -> bool:
    """A straight line through bins, its standard error inflated for lag-1 autocorrelation."""
    logs = np.log(levels(window(played)))
    place = np.arange(BINS) - (BINS - 1) / 2
    gain = place @ logs / (place @ place)
    rest = logs - logs.mean() - gain * place
    lag = float(np.clip(rest[1:] @ rest[:-1] / (rest @ rest) + 1 / BINS, 0, 0.9))
    error = (rest @ rest / (BINS - 2) / (place @ place) * (1 + lag) / (1 - lag)) ** 0.5
    three_in_a_thousand = 3.33  # Student's t, 14 degrees of freedom, two-sided .005
    return bool(abs(gain) > three_in_a_thousand * error and abs(gain) * BINS > np.log(1.05))


def uncorrected(played: Played) -> bool:
    """Mann-Kendall as it stands in textbooks, at .05 and whatever the size."""
    logs = np.log(levels(window(played)))
    first, second = np.triu_indices(BINS, 1)
    score = np.sign(logs[second] - logs[first]).sum()
    variance = BINS * (BINS - 1) * (2 * BINS + 5) / 18
    return bool(abs(score) - 1 > 1.96 * variance**0.5)


def ours(played: Played) -> bool:
    """The rule of harness.steady_state."""
    return unsteady(window(played)) is not None


def window(played: Played) -> Window:
    """As the harness has it."""
    intended_ns = (played.start_s * 1e9).astype(np.int64) + 1
    ended_ns = intended_ns + (played.response_s * 1e9).astype(np.int64)
    span_ns = (int(intended_ns[0]), int(intended_ns[-1]) + 1)
    ok = np.ones(len(intended_ns), dtype=bool)
    return Window(span_ns, intended_ns, intended_ns, ended_ns, ok)


RULES: dict[str, Rule] = {
    "CoV": coefficient_of_variation,
    "3 windows": three_windows,
    "slope": slope,
    "plain MK": uncorrected,
    "ours": ours,
}

STEADY: dict[str, Series] = {
    "independent, 30 % scatter": independent(lognormal),
    "exponential": independent(lambda n: draw.exponential(0.03, n)),
    "Pareto 1.5": independent(lambda n: 0.02 * (1 + draw.pareto(1.5, n))),
    "bimodal 10 / 90 ms": independent(lambda n: draw.choice((0.01, 0.09), n)),
    "AR(1) .5": correlated(0.5),
    "AR(1) .9": correlated(0.9),
    "M/M/1 at .5": queue(0.5),
    "M/M/1 at .8": queue(0.8),
    "M/M/1 at .9": queue(0.9),
    "bursts at .6": queue(0.6, 100.0, 0.25),
    "one freeze": frozen,
}
UNSTEADY: dict[str, Series] = {
    "+10 %": independent(lognormal, 0.1),
    "+20 %": independent(lognormal, 0.2),
    "+50 %": independent(lognormal, 0.5),
    "AR(1) .9, +50 %": correlated(0.9, 0.5),
    "exponential, +50 %": independent(lambda n: draw.exponential(0.03, n), 0.5),
    "queue at 1.02": queue(1.02, 4.0),
    "queue at 1.1": queue(1.1, 4.0),
    "warm-up, 1.5 times at first": warming(0.5),
    "warm-up, twice at first": warming(1.0),
    "warm-up, four times at first": warming(3.0),
}


def rows(series: dict[str, Series]) -> Iterator[str]:
    """One line a series: each rule's shares at 400 / 2,000 requests."""
    for name, play in series.items():
        shares = []
        many = [[play(requests) for _ in range(WINDOWS)] for requests in (400, 2000)]
        for rule in RULES.values():
            few_share, many_share = (np.mean([rule(one) for one in some]) for some in many)
            shares.append(f"{few_share:.2f} / {many_share:.2f}")
        yield f"| {name} | {' | '.join(shares)} |"


COUNTED: dict[str, Series] = {
    "independent": independent(lognormal),
    "AR(1) .9": correlated(0.9),
    "batches of 16 at .6": batching(0.6),
    "batches of 16 at .8": batching(0.8),
    "batches of 16 at .9": batching(0.9),
    "M/M/1 at .8": queue(0.8),
    "M/M/1 at .9": queue(0.9),
    "one freeze": frozen,
    "queue at 1.1": queue(1.1, 4.0),
}


def counts(requests: int = 1000) -> Iterator[str]:
    """One line a series: what its requests count as, and how often that is too few."""
    for name, play in COUNTED.items():
        many = [(play(requests).response_s * 1e9).astype(np.int64) for _ in range(WINDOWS)]
        effective = [effective_samples(one) for one in many]
        low, middle = np.quantile(effective, (0.05, 0.5))
        refused = np.mean(np.array(effective) < 10)  # noqa: PLR2004
        yield f"| {name} | {middle:.0f} | {low:.0f} | {refused:.2f} |"


def main() -> None:
    """Print the tables."""
    assert mann_kendall(np.arange(BINS, dtype=float)).marked  # noqa: S101 - the rule is imported
    for title, series in (("steady, called unsteady", STEADY), ("unsteady, found", UNSTEADY)):
        print(f"| {title} | {' | '.join(RULES)} |")
        print("|---" * (len(RULES) + 1) + "|")
        for row in rows(series):
            print(row, flush=True)
        print()
    print("| 1,000 requests count as | median | 5 % have at most | below ten |\n|---|---|---|---|")
    for row in counts():
        print(row, flush=True)


if __name__ == "__main__":
    main()
