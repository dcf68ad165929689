"""Time for a SUT to recover: what one probe piled up must not be met by the next."""

from time import monotonic_ns, sleep

from architectures.contract import graph_path
from harness.http import ask
from harness.subject import Subject

AT_A_STRETCH = 3
"""Good answers one after another, each within the objective, that show a SUT recovered."""

LIMIT_S = 30.0
_PAUSE_S = 0.05
_OK = 200


def recovered(subject: Subject, limit_s: float = LIMIT_S) -> bool:
    """Ask one request at a time until the SUT answers within its objective again.

    Returns:
        Whether it did before the limit.
    """
    until_ns = monotonic_ns() + int(limit_s * 1e9)
    good = 0
    while good < AT_A_STRETCH and monotonic_ns() < until_ns:
        good = good + 1 if _answers_in_time(subject) else 0
        sleep(_PAUSE_S)
    return good == AT_A_STRETCH


def _answers_in_time(subject: Subject) -> bool:
    scenario, running = subject.bench.scenario, subject.running
    graph = next(iter(scenario.load.graphs), scenario.ensemble.graph)
    payload, limit_s = subject.bench.payloads[0], scenario.slo.response_time_s
    begun_ns = monotonic_ns()
    try:
        url = running.url + (running.path or graph_path(graph))
        reply = ask(url, payload.body, payload.media_type)
    except OSError:
        return False
    return reply.status == _OK and monotonic_ns() - begun_ns <= limit_s * 1e9
