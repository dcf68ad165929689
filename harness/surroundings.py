"""Sections of a scenario that say what stands beside the SUT, and what is done to either."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from harness.section import NotNegative, Section

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]

FromEnvironment: TypeAlias = Literal["environment"]

FAULTY_PARTS = ("database", "features")
"""Those stateful parts that an event can disturb, as ``harness.faults`` does."""


class BackendsSection(Section):
    """The stateful parts beside the SUT. Their URLs never stand in a scenario, nor in a record."""

    state: Annotated[
        FromEnvironment | None,
        Field(description='"environment" demands SERVEBENCH_STATE_URL; absent: SQLite without it'),
    ] = None
    database: Annotated[
        FromEnvironment | None,
        Field(description='"environment" demands SERVEBENCH_DATABASE_URL; absent: SQLite'),
    ] = None
    features: Annotated[
        FromEnvironment | None,
        Field(description='"environment" demands SERVEBENCH_FEATURES_URL; absent: SQLite'),
    ] = None
    moderation: Annotated[
        dict[str, Any] | None,
        Field(
            description="start our stub of the external API, behaving so: { latency_s = 0.02, "
            "error_ratio = 0.01 }; absent: none is started"
        ),
    ] = None

    @property
    def demanded(self) -> tuple[str, ...]:
        """The parts whose URL the environment must name."""
        return tuple(
            part
            for part in ("state", "database", "features")
            if getattr(self, part) == "environment"
        )


class EventSection(Section):
    """Something that is done once while each load step is played, in its steady state."""

    at: Annotated[Share | None, Field(description="when: a share of the steady state, 0 to 1")] = (
        None
    )
    at_s: Annotated[
        NotNegative | None, Field(description="when, otherwise: seconds into the steady state")
    ] = None
    to: Annotated[
        str,
        Field(
            pattern=r"^(sut|moderation|database|features|harness|/\S+)$",
            description='"sut" (its admin API), "moderation" (the stub), "database" or "features" '
            '(faults), "harness", or a path of the SUT such as "/v1/feedback"',
        ),
    ]
    action: Annotated[
        str, Field(description='of "sut" an admin action; of "harness" only "redeploy"')
    ] = ""
    body: Annotated[
        dict[str, Any],
        Field(description='the JSON object that is sent; of "database" and "features" the faults'),
    ] = Field(default_factory=dict)
    until: Annotated[
        Share | None, Field(description="when `then` is sent: a share of the steady state")
    ] = None
    then: Annotated[
        dict[str, Any] | None,
        Field(
            description="what is sent at `until`; absent to the stub: its script in [backends]; "
            "to a part: no fault"
        ),
    ] = None

    def after_s(self, steady_s: float) -> float:
        """Seconds into a steady state of ``steady_s`` at which it is done."""
        return (self.at or 0.0) * steady_s if self.at_s is None else self.at_s
