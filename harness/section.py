"""What every section of a scenario is, and the kinds of values that stand in them."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Frozen and strict: an unknown key or a number in quotes is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Texts: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
