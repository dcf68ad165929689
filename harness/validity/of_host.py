"""Doubts about the machine: others took what was the SUT's, or it was slowed down."""

from harness.validity.check import Check
from harness.validity.evidence import Evidence

MOST_OUTSIDE_CORES = 0.05
MOST_MEMORY_STALL = 0.01
MOST_STOLEN_CORES = 0.02
MOST_THROTTLED = 0.01


def _beyond(evidence: Evidence, limits: dict[str, float]) -> str | None:
    seen = [
        f"{name} {evidence.pressure[name]:.3f}"
        for name, limit in limits.items()
        if evidence.pressure.get(name, 0.0) > limit
    ]
    return ", ".join(seen) or None


def _host_under_pressure(evidence: Evidence) -> str | None:
    return _beyond(
        evidence,
        {
            "outside_sut_cores": MOST_OUTSIDE_CORES * evidence.sut_cores,
            "memory_stall_share": MOST_MEMORY_STALL,
        },
    )


def _steal(evidence: Evidence) -> str | None:
    return _beyond(evidence, {"stolen_cores": MOST_STOLEN_CORES})


def _throttled(evidence: Evidence) -> str | None:
    return _beyond(evidence, {"throttled_share": MOST_THROTTLED, "thermal_throttles": 0.0})


CHECKS = (
    Check(
        "host_under_pressure",
        f"others use at most {MOST_OUTSIDE_CORES:g} of each core of the SUT, and memory stalls "
        f"{MOST_MEMORY_STALL:.0%} of the time",
        "end what else runs on this machine, or move to a quieter one",
        _host_under_pressure,
    ),
    Check(
        "steal",
        f"the hypervisor takes at most {MOST_STOLEN_CORES:g} of a core",
        "move to a machine whose cores are its own, or play the trial again",
        _steal,
    ),
    Check(
        "throttled",
        f"a CPU quota holds back at most {MOST_THROTTLED:.0%} of the time, and no core is slowed "
        "by heat",
        "lift the container's CPU limit, or cool the machine",
        _throttled,
    ),
)
