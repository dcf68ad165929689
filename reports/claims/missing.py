"""Which scenarios must still be run, so that every claim is tested."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.claims.checks import Hypothesis
from reports.claims.evidence import Evidence
from reports.claims.judge import look_up
from reports.claims.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Missing:
    """Scenarios without a run that can be used.

    Attributes:
        here: those that this machine can run.
        elsewhere: those that it cannot; each says why.
    """

    here: tuple[Evidence, ...]
    elsewhere: tuple[Evidence, ...]


def missing(hypotheses: Iterable[Hypothesis], shelf: Shelf) -> Missing:
    """What is lacking, each file once, in the order claims need it."""
    found: dict[str, Evidence] = {}
    for hypothesis in hypotheses:
        for evidence in look_up(hypothesis, shelf).lacking:
            found.setdefault(str(evidence.path), evidence)
    every = found.values()
    return Missing(
        tuple(one for one in every if not one.lacking),
        tuple(one for one in every if one.lacking),
    )
