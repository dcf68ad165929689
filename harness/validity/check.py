"""One reason to distrust a trial, as a row."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.validity.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Check:
    """One reason to distrust a trial.

    Attributes:
        threshold: in words, what would have been fine.
        remedy: what to do about it.
        find: what was seen, in words, where it is not fine.
    """

    code: str
    threshold: str
    remedy: str
    find: Callable[[Evidence], str | None]
