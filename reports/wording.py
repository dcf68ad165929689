"""Numbers as a person reads them: three figures, a unit, an interval and n."""

import math

from reports.estimate import Estimate

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def number(value: float) -> str:
    """Three significant figures, never in powers of ten."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}") if abs(value) < 1000 else round(value)  # noqa: PLR2004
    digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{digits}f}".replace("-", MINUS)


def amount(value: float, unit: str) -> str:
    """A number and its unit; a share as a percentage."""
    if unit == "share":
        return f"{number(value * 100)} %"
    return f"{number(value)} {unit}"


def plain(value: float, unit: str) -> str:
    """A number where its column names the unit; a share is a percentage all the same."""
    return amount(value, unit) if unit == "share" else number(value)


def interval(estimate: Estimate, unit: str) -> str:
    """The interval's ends, without a unit except for a share."""
    if estimate.low is None or estimate.high is None:
        return ""
    factor, sign = (100, " %") if unit == "share" else (1, "")
    return f"{number(estimate.low * factor)}{DASH}{number(estimate.high * factor)}{sign}"


def figure(estimate: Estimate, unit: str) -> str:
    """An estimate in one line: point, interval and n, or why there is none."""
    if estimate.point is None:
        return estimate.note
    ends = interval(estimate, unit)
    doubt = f"{ends}, n = {estimate.n}" if ends else estimate.note
    return f"{amount(estimate.point, unit)} ({doubt})"


def listed(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def plural(count: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def inside(name: str) -> str:
    """A name as it stands inside a sentence: lower case, unless it begins with initials."""
    return name if name[:2].isupper() else name[0].lower() + name[1:]
