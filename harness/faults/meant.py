"""Which faults can be meant: a network's of a part with a URL, a held lock of SQLite's file."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.faults.proxy import Asked
from workloads.meant import did_you_mean


class Locking(BaseModel):
    """What can be done to an SQLite file.

    Attributes:
        lock: nobody else writes; where the file is not in WAL mode, nobody reads either.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    lock: bool


NETWORK = ", ".join(Asked.model_fields)
_KNOWN = f"a part with a URL can have {NETWORK}; SQLite's file can have lock, and that alone"


def mistake_in(faults: Mapping[str, Any]) -> str | None:
    """What is wrong with faults whichever part is to have them, in words; None where nothing is."""
    if not faults:
        return f"is no fault; {_KNOWN}"
    shape: type[BaseModel] = Locking if "lock" in faults else Asked
    for name in faults:
        if name not in shape.model_fields:
            known = {*Asked.model_fields, *Locking.model_fields}
            return f"cannot have {name!r}{did_you_mean(name, known - {name})}; {_KNOWN}"
    try:
        shape.model_validate(dict(faults))
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"][:1].lower() + first["msg"][1:]
        return f"has {first['loc'][0]} = {first['input']!r}: {said}"
    return None
