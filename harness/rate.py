"""An offered rate as a scenario writes it: absolute, or a share of what is known only later."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

Unit: TypeAlias = Literal["rps", "ceiling", "trace"]
_SHARES: dict[str, Unit] = {"ceiling": "ceiling", "trace": "trace"}


class Rate(BaseModel):
    """An offered rate as asked for.

    Attributes:
        unit: ``rps``; or what ``number`` is a share of: the in-process ceiling at its best batch
            size, or the mean rate of the trace as it was recorded.
    """

    model_config = ConfigDict(frozen=True)

    number: float
    unit: Unit

    @property
    def asked(self) -> str:
        """In the scenario's words."""
        return f"{self.number:g} {self.unit}"

    def rps(self, ceiling_rps: float | None, trace_rps: float | None = None) -> float:
        """Requests per second; four digits where it is a share of the ceiling.

        Args:
            ceiling_rps: the ceiling at its best batch size; None where it cannot be measured.
            trace_rps: the mean rate of the recorded trace; None where there is none.

        Raises:
            ValueError: it is a share of what is not known.
        """
        if self.unit == "rps":
            return self.number
        whole = ceiling_rps if self.unit == "ceiling" else trace_rps
        if whole is None:
            raise ValueError(f"{self.asked!r} is a share of a {self.unit} that is not known here")
        if self.unit == "trace":  # a recording is no measurement: its own speed is to be exact
            return self.number * whole
        return float(f"{self.number * whole:.4g}")


def parse_rate(written: object) -> Rate:
    """Read ``12.5``, ``"0.5 ceiling"`` or ``"1 trace"``.

    Raises:
        PydanticCustomError: it is none of them, or not above 0.
    """
    rate = _share(written) if isinstance(written, str) else _absolute(written)
    if rate is None or not 0 < rate.number < float("inf"):
        raise PydanticCustomError(
            "rate",
            "is no rate; write requests per second above 0, such as 12.5, or in quotes a share of "
            'the ceiling, such as "0.5 ceiling", or of a trace\'s own rate, such as "1 trace"',
        )
    return rate


def _share(written: str) -> Rate | None:
    number, _, word = written.strip().partition(" ")
    try:
        share = float(number)
    except ValueError:
        return None
    unit = _SHARES.get(word.strip())
    return Rate(number=share, unit=unit) if unit else None


def _absolute(written: object) -> Rate | None:
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    return Rate(number=float(written), unit="rps")


def rungs(low: Rate, high: Rate, steps: int) -> tuple[Rate, ...]:
    """``steps`` rates from ``low`` to ``high``, evenly spaced, in the unit of both."""
    gap = (high.number - low.number) / (steps - 1)
    return tuple(
        Rate(number=float(f"{low.number + gap * rung:.4g}"), unit=low.unit) for rung in range(steps)
    )


def _written_rate(written: object) -> object:
    parse_rate(written)
    return written


WrittenRate: TypeAlias = Annotated[float | str, BeforeValidator(_written_rate)]
