"""The one HTTP contract every architecture answers: paths, headers, limits, timings, problems.

No framework is imported here: the load generator, the harness and every architecture share it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
INFO_PATH = "/v1/info"
METRICS_PATH = "/metrics"
OPENAPI_PATH = "/openapi.json"
GRAPH_PREFIX = "/v1/"
ADMIN_PREFIX = "/v1/admin/"

ADMIN_KEY_HEADER = "X-Admin-Key"
API_KEY_HEADER = "X-API-Key"

REQUEST_ID_HEADER = "X-Request-ID"
TIMEOUT_HEADER = "X-Request-Timeout"
SERVER_TIMING_HEADER = "Server-Timing"
PROBLEM_MEDIA_TYPE = "application/problem+json"

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_TIMEOUT_S = 60.0
RETRY_AFTER_S = 1

REQUEST_ENTRY = "request"
"""The Server-Timing entry of the whole request, from the first header read to the answer."""


def graph_path(graph: str) -> str:
    """The path that runs a graph, for example ``/v1/tag``."""
    return GRAPH_PREFIX + graph


@dataclass(frozen=True, slots=True)
class StageTiming:
    """Where one stage of one request spent its time, as its caller and the stage saw it.

    Attributes:
        stage: the graph node.
        wall_ns: from the call to the result, as the caller saw it: queue + compute + hop.
        queue_ns: waiting for a batch and for the executor.
        compute_ns: the whole batch's run time (each member waits for all of it).
        batch_size: members of that batch.
    """

    stage: str
    wall_ns: int
    queue_ns: int
    compute_ns: int
    batch_size: int

    @property
    def hop_ns(self) -> int:
        """What the wiring cost between caller and stage: serialization, transport, scheduling."""
        return max(self.wall_ns - self.queue_ns - self.compute_ns, 0)


def format_server_timing(timings: Iterable[StageTiming], request_ns: int) -> str:
    """Write a Server-Timing header (W3C Server Timing), durations in milliseconds.

    One entry a stage, ``detect;dur=3.1;queue=0.8;compute=1.5;batch=8``, and one for the request.
    """
    entries = [
        f"{t.stage};dur={t.wall_ns / 1e6:.3f};queue={t.queue_ns / 1e6:.3f}"
        f";compute={t.compute_ns / 1e6:.3f};batch={t.batch_size}"
        for t in timings
    ]
    entries.append(f"{REQUEST_ENTRY};dur={request_ns / 1e6:.3f}")
    return ", ".join(entries)


_ENTRY = re.compile(
    r"(?P<stage>[\w.-]+);dur=(?P<dur>[\d.]+)"
    r"(?:;queue=(?P<queue>[\d.]+);compute=(?P<compute>[\d.]+);batch=(?P<batch>\d+))?"
)


def parse_server_timing(header: str) -> tuple[tuple[StageTiming, ...], int | None]:
    """Read a header written by :func:`format_server_timing`.

    Entries of another form (a proxy's, a remote service's) are passed over.

    Returns:
        The stages in the order written, and the whole request's nanoseconds if it was given.
    """
    stages: list[StageTiming] = []
    request_ns: int | None = None
    for entry in header.split(","):
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            continue
        wall_ns = round(float(found["dur"]) * 1e6)
        if found["queue"] is not None:
            stages.append(
                StageTiming(
                    found["stage"],
                    wall_ns,
                    round(float(found["queue"]) * 1e6),
                    round(float(found["compute"]) * 1e6),
                    int(found["batch"]),
                )
            )
        elif found["stage"] == REQUEST_ENTRY:
            request_ns = wall_ns
    return tuple(stages), request_ns


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """A refusal the contract names, answered as RFC 9457 problem JSON.

    A stage returns one in place of a member's output, so a bad image never fails its batch.

    Args:
        slug: the stable last part of the problem's ``type``, for example ``not-an-image``.
        status: the HTTP status, 4xx or 5xx.
        detail: what was wrong with this request and what to do, for a person.
    """

    def __init__(self, slug: str, status: int, detail: str) -> None:
        super().__init__(slug, status, detail)
        self.slug = slug
        self.status = status
        self.detail = detail

    def document(self, request_id: str) -> dict[str, object]:
        """The problem's JSON members (RFC 9457 section 3.1)."""
        return {
            "type": f"urn:servebench:problem:{self.slug}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:request:{request_id}",
        }
