"""What resources cost: ``scenarios/prices.toml``, read strictly."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from workloads.meant import did_you_mean

DEFAULT_FILE = Path(__file__).parents[1] / "scenarios" / "prices.toml"

Usd: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PriceError(Exception):
    """A price sheet that cannot be used; the message ends in what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)


class Price(_Strict):
    """One row: what a vCPU, a GiB of memory and a GPU cost for an hour.

    Attributes:
        as_of: the day for which it was written down.
        source: the public list it belongs to.
        checked: who quoted the same figure, and when; None where nobody compared it again.
        gpu: which GPU ``gpu_hour_usd`` buys. Where a provider bills an instance whole, that is
            the instance's price per GPU, and the other two are 0.
    """

    cloud: str
    product: str
    region: str
    as_of: dt.date
    source: AnyHttpUrl
    checked: str | None = None
    vcpu_hour_usd: Usd
    gib_hour_usd: Usd
    gpu: str | None = None
    gpu_hour_usd: Usd | None = None


class Energy(_Strict):
    """What a kilowatt-hour costs, and on what ground that is assumed."""

    usd_per_kwh: Usd
    assumption: str


class PriceSheet(_Strict):
    """Every row by its name, and which of them the headline is made of."""

    default: str
    energy: Energy
    price: Annotated[dict[str, Price], Field(min_length=1)]

    @property
    def chosen(self) -> Price:
        """The headline's row."""
        return self.price[self.default]


def price_sheet(path: Path | None = None, name: str | None = None) -> PriceSheet | None:
    """The sheet asked for, or the tracked one; None where neither is there.

    Args:
        path: asked for; None: the tracked one.
        name: the headline's row, instead of the file's own ``default``.

    Raises:
        PriceError: it cannot be used.
    """
    if path is None and name is None and not DEFAULT_FILE.is_file():
        return None
    return read_prices(path or DEFAULT_FILE, name)


def read_prices(path: Path = DEFAULT_FILE, name: str | None = None) -> PriceSheet:
    """Read a price sheet.

    Args:
        path: the file.
        name: the headline's row, instead of the file's own ``default``.

    Raises:
        PriceError: it is not there, not TOML, says something that cannot be meant, or has no such
            row.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PriceError(
            f"{path}: cannot be read ({error}); give a price sheet with --prices, "
            "as scenarios/prices.toml is one"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{path}: is not TOML: {error}; mend it there") from error
    try:
        sheet = PriceSheet.model_validate(document)
    except ValidationError as error:
        mistakes = [f"{path}: {_in_words(mistake)}" for mistake in error.errors()]
        raise PriceError("\n".join(mistakes)) from error
    return _choose(sheet, path, name)


def _choose(sheet: PriceSheet, path: Path, name: str | None) -> PriceSheet:
    wanted = name or sheet.default
    if wanted not in sheet.price:
        key = "--price" if name else "default"
        raise PriceError(
            f"{path}: {key} = {wanted!r}: no row is called so{did_you_mean(wanted, sheet.price)}; "
            f"there are {', '.join(sheet.price)}"
        )
    return sheet.model_copy(update={"default": wanted})


_MEANT = {
    "vcpu_hour_usd": "USD for one vCPU for one hour",
    "gib_hour_usd": "USD for one GiB of memory for one hour",
    "gpu_hour_usd": "USD for one GPU for one hour",
    "usd_per_kwh": "USD for one kilowatt-hour",
    "as_of": "the day the price was written down, such as 2026-06-17",
    "source": "the address of the public price list",
    "default": "the name of the row that the headline uses",
    "price": "one section [price.NAME] or more",
    "energy": "a section [energy] with usd_per_kwh and its assumption",
}


_SHAPES: dict[int, type[_Strict]] = {2: Energy, 3: Price}
"""Which section a key stands in, by how deep it stands."""


def _in_words(mistake: ErrorDetails) -> str:
    """One mistake: key, value, what was meant."""
    key, name = ".".join(map(str, mistake["loc"])), str(mistake["loc"][-1])
    meant = f"; meant is {_MEANT[name]}" if name in _MEANT else ""
    if mistake["type"] == "extra_forbidden":
        known = _SHAPES.get(len(mistake["loc"]), PriceSheet).model_fields
        near = did_you_mean(name, known)
        return f"there is no key {key!r}{near}; known here are {', '.join(known)}"
    if mistake["type"] == "missing":
        return f"{key!r} is missing{meant}"
    said = mistake["msg"][:1].lower() + mistake["msg"][1:]
    return f"{key} = {mistake['input']!r}: {said}{meant}; write that"
