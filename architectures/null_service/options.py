"""Reading a null service's options strictly: what is meant, or an error that says what could be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

Options: TypeAlias = Mapping[str, Any]
_WIDTHS = {"freezes": 2, "modes": 2, "error_bursts": 3}
_ROWS = {
    "freezes": "[when_s, for_s]",
    "modes": "[share, delay_s]",
    "error_bursts": "[when_s, for_s, share]",
}


def checked(options: Options, known: Sequence[str], laws: Sequence[str]) -> dict[str, Any]:
    """Options as :class:`architectures.null_service.behaviour.Behaviour` takes them.

    Raises:
        ValueError: an option or a law that does not exist, or a value that cannot be meant.
    """
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"null_service has no option {', '.join(unknown)}; it has {', '.join(known)}"
        )
    law = options.get("law", laws[0])
    if law not in laws:
        raise ValueError(f"null_service option law = {law!r}: use one of {', '.join(laws)}")
    read = {name: _value(name, value) for name, value in options.items()}
    for contradiction in CONTRADICTIONS:
        for words in contradiction(read):
            raise ValueError(f"null_service {words}")
    return read


def _value(name: str, value: object) -> object:
    if name == "law":
        return value
    if name in _WIDTHS:
        return _rows(name, value)
    if not _is_number(value) or (name == "seed" and not isinstance(value, int)):
        raise ValueError(
            f"null_service option {name} = {value!r}: give a {_kind(name)} of 0 or above"
        )
    return value


def _kind(name: str) -> str:
    return "whole number" if name == "seed" else "number"


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= float(value) < float("inf")  # type: ignore[arg-type]


def _rows(name: str, value: object) -> tuple[tuple[float, ...], ...]:
    rows = [_row(row, _WIDTHS[name]) for row in value] if isinstance(value, list | tuple) else []
    if () in rows or not isinstance(value, list | tuple):
        raise ValueError(
            f"null_service option {name} = {value!r}: give a list of {_ROWS[name]}, "
            "numbers of 0 or above"
        )
    return tuple(rows)


def _row(row: object, width: int) -> tuple[float, ...]:
    """As floats; empty where it is no such row."""
    whole = isinstance(row, list | tuple) and len(row) == width and all(map(_is_number, row))
    return tuple(map(float, row)) if whole else ()  # type: ignore[call-overload]


def _law_and_its_own(options: Options) -> Iterator[str]:
    law = options.get("law", "constant")
    shares = sum(share for share, _ in options.get("modes", ()))
    if (law == "modes") != bool(options.get("modes")):
        yield 'options law = "modes" and modes belong together: give both or none'
    elif law == "modes" and (abs(shares - 1) > 1e-9 or options.get("mean_s")):  # noqa: PLR2004
        yield (
            f"option modes = {options['modes']}: shares sum to {shares:g}; make it 1, and leave "
            "mean_s out"
        )


def _shape(options: Options) -> Iterator[str]:
    law, shape = options.get("law", "constant"), options.get("shape", 0.0)
    if law == "pareto" and shape <= 1:
        yield f"option shape = {shape:g}: pareto has a mean where its tail index is above 1"
    elif law not in ("pareto", "lognormal") and shape:
        yield f"option shape = {shape:g}: {law} has none; leave it out"


def _overlapping(options: Options) -> Iterator[str]:
    freezes = sorted(options.get("freezes", ()))
    for (start_s, for_s), (next_s, _) in pairwise(freezes):
        if start_s + for_s > next_s:
            yield (
                f"option freezes: that of {start_s:g} s lasts beyond {next_s:g} s, when the next "
                "begins; make them one"
            )


def _bursts(options: Options) -> Iterator[str]:
    for start_s, for_s, share in options.get("error_bursts", ()):
        if share > 1:
            yield (
                f"option error_bursts = [[{start_s:g}, {for_s:g}, {share:g}]]: the share is above 1"
            )


def _decay(options: Options) -> Iterator[str]:
    if options.get("slow_start_decay_s", 1.0) == 0:
        yield "option slow_start_decay_s = 0: give the time in which it falls to a third"


CONTRADICTIONS: tuple[Callable[[Options], Iterator[str]], ...] = (
    _law_and_its_own,
    _shape,
    _overlapping,
    _bursts,
    _decay,
)
"""What each is fine alone and cannot be meant together, or at all. A new one is a row."""
