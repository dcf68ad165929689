"""About how long the parts of a run take, in seconds: for a person who waits."""

from harness.in_process import BATCH_SIZES
from harness.remote import is_remote
from harness.scenario import Scenario
from harness.trial import IDLE_S

CEILING_S = 1.0
"""Of each batch size, in the search and again in every block."""

DEPLOY_S = 12.0
_LOAD_MODELS_S = 5.0
_BOOT_S = 2.0
_PROBES = 16
"""Of a capacity search: some doublings, some bisections, repetitions, a confirmation."""


def expected_s(scenario: Scenario) -> float:
    """A whole run."""
    turns = scenario.load.blocks * len(scenario.suts)
    whole = turns * turn_s(scenario)
    if all(map(is_remote, scenario.suts)):
        return whole
    ceilings = ceiling_s(len(BATCH_SIZES)) + scenario.load.blocks * ceiling_s(2)
    return references_s(scenario) + ceilings + whole


def ceiling_s(sizes: int) -> float:
    """Measuring the ceiling at so many batch sizes."""
    return _LOAD_MODELS_S + sizes * CEILING_S


def references_s(scenario: Scenario) -> float:
    """Payloads and reference answers."""
    return _LOAD_MODELS_S + 0.05 * scenario.load.payloads


def turn_s(scenario: Scenario) -> float:
    """One SUT in one block."""
    load = scenario.load
    steps = len(load.offered()) + len(load.concurrency)
    whole = DEPLOY_S + steps * step_s(scenario)
    if scenario.capacity is not None:
        whole += _PROBES * (step_s(scenario) - load.steady_s + scenario.capacity.probe_s)
    return whole


def step_s(scenario: Scenario) -> float:
    """One trial of a load step."""
    load = scenario.load
    return max(IDLE_S, _BOOT_S) + load.warm_up_s + load.steady_s + 0.3 * load.drain_s
