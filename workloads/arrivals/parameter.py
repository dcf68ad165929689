"""What an arrival process lets a scenario set: names, defaults, ranges, and words for mistakes."""

from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = float | list[list[float]]
"""A number, or levels: ``[seconds, multiple]`` one after the other."""

_PAIR = 2


class WorkloadError(ValueError):
    """Something asked for that does not exist, or that cannot be drawn with these numbers."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of ``load.shape``.

    Attributes:
        low / high: the least and the most it may be; of levels, each multiple.
    """

    name: str
    default: Value
    meaning: str
    low: float
    high: float

    @property
    def range(self) -> str:
        """In words."""
        return f"{self.low:g} to {self.high:g}"

    def checked(self, value: Any) -> Value:
        """The value as it is drawn with.

        Raises:
            WorkloadError: it is of another kind, or out of range.
        """
        if isinstance(self.default, list):
            return self._levels(value)
        return self._number(value, f"load.shape.{self.name}")

    def _number(self, value: Any, key: str) -> float:
        if not _is_number(value) or not self.low <= value <= self.high:
            raise WorkloadError(
                f"{key} = {value!r} is not a number from {self.range}; meant is {self.meaning}"
            )
        return float(value)

    def _levels(self, value: Any) -> list[list[float]]:
        key = f"load.shape.{self.name}"
        if not isinstance(value, list | tuple) or not value or not all(map(_is_pair, value)):
            raise WorkloadError(
                f"{key} = {value!r} is no list of [seconds, multiple]; meant is {self.meaning}"
            )
        for number, (length_s, multiple) in enumerate(value):
            self._number(multiple, f"{key}[{number}][1]")
            if not _is_number(length_s) or not 0 < length_s < float("inf"):
                raise WorkloadError(
                    f"{key}[{number}][0] = {length_s!r}: seconds must be a number above 0"
                )
        return [[float(length_s), float(multiple)] for length_s, multiple in value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == _PAIR
