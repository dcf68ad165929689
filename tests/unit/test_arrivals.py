import hashlib

import numpy as np
import numpy.typing as npt
import pytest

from workloads.arrivals import ARRIVALS, WorkloadError, arrivals


def digest(offsets_ns: npt.NDArray[np.int64]) -> str:
    return hashlib.sha256(offsets_ns.astype("<i8").tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "count", "first_ns", "expected"),
    [
        ("constant", 1200, 5118216, "cebc2d232edd23c4"),
        ("poisson", 1177, 5118216, "d17702565c895488"),
    ],
)
def test_a_seed_gives_these_nanoseconds_on_every_machine(
    name: str, count: int, first_ns: int, expected: str
) -> None:
    """Written down once: a run from years ago must stay comparable."""
    offsets_ns = arrivals(name, 100.0, 12.0, 1)
    assert (len(offsets_ns), offsets_ns[0], digest(offsets_ns)) == (count, first_ns, expected)


def test_exponential_gaps_follow_their_law() -> None:
    """Kolmogorov-Smirnov against 1 - exp(-x), by hand; the seed is fixed."""
    offsets_ns = arrivals("poisson", 200.0, 100.0, 5)
    gaps = np.sort(np.diff(offsets_ns) * 200.0 / 1e9)
    law = 1 - np.exp(-gaps)
    ranks = np.arange(len(gaps) + 1) / len(gaps)
    distance = max(np.abs(law - ranks[1:]).max(), np.abs(law - ranks[:-1]).max())
    assert distance < 1.95 / np.sqrt(len(gaps))


def test_gaps_do_not_remember_each_other() -> None:
    gaps = np.diff(arrivals("poisson", 200.0, 100.0, 6)).astype(float)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 4 / np.sqrt(len(gaps))


def test_an_unknown_process_names_the_nearest() -> None:
    with pytest.raises(WorkloadError, match=r"'poison'; did you mean 'poisson'\?"):
        arrivals("poison", 10.0, 1.0, 1)


@pytest.mark.parametrize("rate_rps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_a_positive_number(rate_rps: float) -> None:
    with pytest.raises(WorkloadError, match="rate_rps"):
        arrivals("poisson", rate_rps, 1.0, 1)


@pytest.mark.parametrize("name", ARRIVALS)
def test_a_duration_must_be_a_positive_number(name: str) -> None:
    with pytest.raises(WorkloadError, match="duration_s"):
        arrivals(name, 1.0, 0.0, 1)
