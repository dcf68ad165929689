"""What was found: ``effort.json`` in a run's folder."""

from pydantic import BaseModel, ConfigDict

from harness.record import EnsembleRecord, Environment

EFFORT_FILE = "effort.json"
EFFORT_FORMAT = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wiring(_Frozen):
    """What somebody wrote, and would have to read, for one architecture.

    Attributes:
        code_lines: of its own package, without blank lines, comments and docstrings.
        settings: options of the variant, and environment variables that differ between or are set
            for its components: what is configured for this deployment.
    """

    code_lines: int
    settings: int


class EffortRow(_Frozen):
    """One deployment, measured once.

    Attributes:
        repeat: counted from 0.
        error: why it could not be measured; the figures are then None.
        models: stages that run a model.
        start_up_s: from the first process to the last readiness check.
        stop_s: from being told to end until nothing is left.
        processes: at rest, components and all below them.
        ports: TCP ports that are listened on.
        pss_bytes: of all processes, at rest after the requests.
        hops: calls of stages across a process boundary, a request.
        moved_bytes: TCP payload that the SUT's processes sent, a request, less what they send when
            idle; None where the kernel does not count.
        response_s: median, one request at a time.
        change_s: from the order to change one model to the last answer of the model before it;
            None where a model is changed by deploying anew.
    """

    sut: str
    deployment: str
    repeat: int
    error: str | None = None
    models: int = 0
    start_up_s: float | None = None
    stop_s: float | None = None
    processes: int | None = None
    ports: int | None = None
    pss_bytes: int | None = None
    hops: float | None = None
    moved_bytes: float | None = None
    response_s: float | None = None
    change_s: float | None = None
    settings: int | None = None


class EffortRecord(_Frozen):
    """A whole measurement."""

    effort_format: int = EFFORT_FORMAT
    run_id: str
    created_utc: str
    version: str
    name: str
    summary: str
    axis: str
    suts: tuple[str, ...]
    deployments: tuple[str, ...]
    code_lines: dict[str, int]
    environment: Environment
    ensemble: EnsembleRecord
    rows: tuple[EffortRow, ...] = ()
    complete: bool = False
