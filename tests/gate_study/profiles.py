"""Machines as a simulation knows them, from a quiet one to one that drifts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What makes equal blocks differ; deviations are of logarithms, so .01 is about 1 %.

    Attributes:
        body: of single requests' response times.
        phi: autocorrelation of neighbouring requests (AR(1) of the logarithm).
        burst_share: requests that come in a burst, when a queue stands.
        tail: index of the Pareto law that slows a burst; smaller is heavier.
        run: of a deployment, for as long as it stands (layout, hash seeds, start-up order).
        drift: of the machine's speed, which wanders (Ornstein-Uhlenbeck, :data:`DRIFT_S`).
        day: of the machine's speed from one day to the next.
        neighbours_per_hour: episodes in which somebody else works on the machine.
        noticed: share of disturbed pairs that pressure readings tell.
    """

    name: str
    words: str
    body: float = 0.25
    phi: float = 0.5
    burst_share: float = 0.02
    tail: float = 3.0
    run: float = 0.01
    drift: float = 0.01
    day: float = 0.01
    neighbours_per_hour: float = 0.0
    noticed: float = 0.7


DRIFT_S = 600.0
"""Time in which the machine's speed forgets where it was."""

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "S1", "quiet", body=0.25, burst_share=0.01, tail=5.0, drift=0.01, run=0.01, day=0.01
        ),
        Profile("S2", "usual", run=0.02, drift=0.03, day=0.02, tail=4.0, neighbours_per_hour=1),
        Profile(
            "S3", "strongly autocorrelated", body=0.18, phi=0.9, run=0.02, drift=0.02, day=0.02
        ),
        Profile(
            "S4",
            "bad: heavy tails, neighbours",
            body=0.18,
            phi=0.9,
            burst_share=0.03,
            tail=2.5,
            run=0.03,
            drift=0.03,
            day=0.03,
            neighbours_per_hour=4,
        ),
        Profile("S5", "drifting", run=0.025, drift=0.12, day=0.05, tail=4.0, noticed=0.5),
    )
}
