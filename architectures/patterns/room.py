"""What a pattern's room offers."""

from collections.abc import Mapping
from typing import Protocol

from architectures.graph import Graph, IoStage, Stage
from architectures.plugin import StageSpec


class Room(Protocol):
    """The names a room defines at its top level; importing it loads no model and opens nothing.

    Stages of the built-in ensemble may stand in its graphs and are not repeated in ``STAGES``.

    A room may also define, as :class:`architectures.plugin.Ensemble` and ``Admin`` say:

    - ``request(graph, example) -> Example``
    - ``score(graph, document, label) -> Mapping[str, float]``
    - ``digests(tier) -> Mapping[str, str]``: SHA-256 of each set of parameters of its own, by name;
      they become part of who the models are
    - ``ACTIONS: Mapping[str, str]`` and ``async act(action, body) -> Mapping[str, Any]``
    """

    STAGES: Mapping[str, StageSpec]
    GRAPHS: Mapping[str, Graph]

    def load_stage(self, name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
        """Load one of ``STAGES``."""
        ...
