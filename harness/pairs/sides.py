"""One side of a comparison: what is run for it, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.pairs.record import SideRecord


@dataclass(frozen=True, slots=True)
class Side:
    """What plays a side's blocks.

    Attributes:
        document: its scenario as TOML read it, without ``[gate]``; its paths are absolute; ``suts``
            names its one SUT.
        interpreter: the Python that has the side's dependencies.
        folder: the checkout it is run in; its packages are found there before any other's.
        environment: variables beside the caller's.
        restart: a command that gives a running service a fresh start before each of its blocks;
            None for deployments, which are always fresh, and for services nobody restarts.
    """

    record: SideRecord
    document: Mapping[str, Any]
    interpreter: str
    folder: Path
    environment: Mapping[str, str]
    restart: str | None = None
