import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workloads.arrivals import ARRIVALS, WorkloadError, arrivals, checked_shape

RECORDED_NS = np.array([0, 5, 6, 6, 9, 14, 30]) * 10**8


def digest(offsets_ns: npt.NDArray[np.int64]) -> str:
    return hashlib.sha256(offsets_ns.astype("<i8").tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "shape", "count", "first_ns", "expected"),
    [
        ("constant", {}, 1200, 5118216, "cebc2d232edd23c4"),
        ("poisson", {}, 1177, 5118216, "d17702565c895488"),
        ("gamma", {"cv": 0.5}, 1220, 8637210, "b39858a537f2ccee"),
        ("gamma", {"cv": 3}, 1331, 82535857, "bd18bdbff6a79fb0"),
        ("burst", {}, 1555, 5118216, "8836661d0c949d16"),
        ("ramp", {"from": 2, "to": 0.5}, 1463, 2559312, "d3ecc4f23fdc210d"),
        ("step", {}, 948, 10236432, "c8bff259189a0b93"),
        ("diurnal", {}, 1495, 5117532, "8db2d35f0193e06d"),
        ("trace", {"repeat": 1}, 1203, 0, "72bcf47d6bb23cd2"),
    ],
)
def test_a_seed_gives_these_nanoseconds_on_every_machine(
    name: str, shape: dict[str, Any], count: int, first_ns: int, expected: str
) -> None:
    """Written down once: a run from years ago must stay comparable."""
    offsets_ns = arrivals(name, 100.0, 12.0, 1, shape=shape, recorded_ns=RECORDED_NS)
    assert (len(offsets_ns), offsets_ns[0], digest(offsets_ns)) == (count, first_ns, expected)


def test_exponential_gaps_follow_their_law() -> None:
    """Kolmogorov-Smirnov against 1 - exp(-x), by hand; the seed is fixed."""
    offsets_ns = arrivals("poisson", 200.0, 100.0, 5)
    gaps = np.sort(np.diff(offsets_ns) * 200.0 / 1e9)
    law = 1 - np.exp(-gaps)
    ranks = np.arange(len(gaps) + 1) / len(gaps)
    distance = max(np.abs(law - ranks[1:]).max(), np.abs(law - ranks[:-1]).max())
    assert distance < 1.95 / np.sqrt(len(gaps))


@pytest.mark.parametrize("cv", [0.2, 0.9, 1.0, 1.5, 6.0])
def test_gamma_gaps_follow_their_law(cv: float) -> None:
    """Kolmogorov-Smirnov against SciPy's gamma, which had no part in drawing them."""
    stats = pytest.importorskip("scipy.stats")
    gaps = np.diff(arrivals("gamma", 200.0, 50.0, 5, shape={"cv": cv})) * 200.0 / 1e9
    gaps += 1e-6 * np.random.default_rng(1).random(len(gaps)) * (gaps < 1e-6)
    shape = 1 / cv**2
    # Offsets are whole nanoseconds, so gaps below a few of them carry no shape.
    kept = gaps[gaps > 1e-5]
    law = stats.gamma(shape, scale=1 / shape)
    below = law.cdf(1e-5)
    found = stats.kstest(kept, lambda x: (law.cdf(x) - below) / (1 - below))
    assert found.statistic < 1.95 / np.sqrt(len(kept))
    assert abs((gaps <= 1e-5).mean() - below) < 6 * np.sqrt((below + 1e-3) / len(gaps))


@pytest.mark.parametrize(("name", "shape"), [("poisson", {}), ("gamma", {"cv": 0.5})])
def test_gaps_do_not_remember_each_other(name: str, shape: dict[str, Any]) -> None:
    gaps = np.diff(arrivals(name, 200.0, 100.0, 6, shape=shape)).astype(float)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 4 / np.sqrt(len(gaps))


def test_an_unknown_process_names_the_nearest() -> None:
    with pytest.raises(WorkloadError, match=r"'poison' \(did you mean 'poisson'\?\); choose"):
        arrivals("poison", 10.0, 1.0, 1)


@pytest.mark.parametrize("rate_rps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_a_positive_number(rate_rps: float) -> None:
    with pytest.raises(WorkloadError, match="rate_rps"):
        arrivals("poisson", rate_rps, 1.0, 1)


@pytest.mark.parametrize("name", ARRIVALS)
def test_a_duration_must_be_a_positive_number(name: str) -> None:
    with pytest.raises(WorkloadError, match="duration_s"):
        arrivals(name, 1.0, 0.0, 1, recorded_ns=RECORDED_NS)


@pytest.mark.parametrize("name", ARRIVALS)
def test_defaults_can_be_drawn_and_are_whole(name: str) -> None:
    whole = checked_shape(name, {})
    assert set(whole) == {parameter.name for parameter in ARRIVALS[name].parameters}
    assert checked_shape(name, whole) == whole
    assert len(arrivals(name, 50.0, 0.1, 1, recorded_ns=RECORDED_NS)) > 0


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        (
            "burst",
            {"factr": 3},
            r"'load.shape.factr' for 'burst' \(did you mean 'factor'\?\); it",
        ),
        ("poisson", {"cv": 3}, "'load.shape.cv' for 'poisson'; it knows none"),
        ("gamma", {"cv": 0}, r"load.shape.cv = 0 is not a number from 0.1 to 10; meant is stand"),
        ("gamma", {"cv": float("nan")}, "load.shape.cv = nan is not a number"),
        ("gamma", {"cv": [[1.0, 2.0]]}, "is not a number"),
        ("gamma", {"cv": True}, "load.shape.cv = True is not a number"),
        ("burst", {"every_s": 1, "length_s": 1}, "length_s = 1 is not below .* would never end"),
        ("ramp", {"from": 0, "to": 0}, "both 0: nothing would ever arrive"),
        ("step", {"levels": [[1, 0], [2, 0]]}, "no multiple above 0"),
        ("step", {"levels": 3}, r"is no list of \[seconds, multiple\]"),
        ("step", {"levels": []}, r"is no list of \[seconds, multiple\]"),
        ("step", {"levels": [[1, 2, 3]]}, r"is no list of \[seconds, multiple\]"),
        ("step", {"levels": [[1, 1], [0, 2]]}, r"levels\[1\]\[0\] = 0: seconds"),
        ("step", {"levels": [[1, -1]]}, r"levels\[0\]\[1\] = -1 is not a number from 0 to 1000"),
        ("trace", {"repeat": 0.5}, r"load.shape.repeat = 0\.5: a trace begins again \(1\)"),
        ("diurnal", {"swing": 1.5}, "load.shape.swing = 1.5 is not a number from 0 to 1"),
    ],
)
def test_what_a_shape_cannot_be(name: str, shape: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkloadError, match=words):
        arrivals(name, 10.0, 1.0, 1, shape=shape)


def test_a_trace_needs_its_recording() -> None:
    with pytest.raises(WorkloadError, match=r"needs a recording; name one in load\.trace"):
        arrivals("trace", 10.0, 1.0, 1)


def test_a_trace_too_short_says_how_long_it_lasts() -> None:
    with pytest.raises(WorkloadError, match=r"7 arrivals last 3\.5 s at 2 rps.*= 4 s.*repeat = 1"):
        arrivals("trace", 2.0, 4.0, 1, recorded_ns=RECORDED_NS)
    assert len(arrivals("trace", 2.0, 3.5, 1, recorded_ns=RECORDED_NS)) == 7
