"""A claim as it is written: one TOML file, read strictly."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from harness.scenario_file import ScenarioError, parse
from harness.section import NotNegative, Section

DEFAULT_FOLDER = Path("scenarios/claims")

Direction: TypeAlias = Literal["higher", "lower", "not higher", "not lower"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Against: TypeAlias = Literal[
    "versus", "versus_scenario", "versus_deployment", "versus_metric", "value"
]
AGAINST: tuple[Against, ...] = get_args(Against)


class ClaimError(Exception):
    """A claim that cannot be judged as written; the message ends in what to do."""


class SaidSection(Section):
    """A place where the claim is made, in substance."""

    where: Annotated[str, Field(min_length=1, description="author, title, publisher, year")]
    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="its address on the web")]


class HypothesisSection(Section):
    """One thing that would be seen if the claim held, and by how much."""

    words: Annotated[str, Field(min_length=1, description="the hypothesis, one sentence")]
    scenario: Annotated[
        str, Field(min_length=1, description="the scenario, or plan of effort, that tests it")
    ]
    sut: Annotated[str, Field(min_length=1, description="the SUT it speaks of")]
    metric: Annotated[str, Field(min_length=1, description="what is compared, by its key")]
    direction: Annotated[Direction, Field(description="where the claim says that it lies")]
    margin: Annotated[
        NotNegative | None,
        Field(description="share by which it must differ to count; of a ratio"),
    ] = None
    at: Annotated[
        str | None, Field(description='the load step, as the scenario asks: "20", "0.3 ceiling"')
    ] = None
    deployment: Annotated[
        str | None, Field(description="of a plan of effort: one of its deployments")
    ] = None
    versus: Annotated[
        str | None, Field(description="compared with another SUT, measured beside it")
    ] = None
    versus_scenario: Annotated[
        str | None, Field(description="compared with the same SUT in another scenario's run")
    ] = None
    versus_deployment: Annotated[
        str | None, Field(description="compared with another deployment of the same plan")
    ] = None
    versus_metric: Annotated[
        str | None, Field(description="compared with another figure of the same deployment")
    ] = None
    value: Annotated[
        NotNegative | None,
        Field(description="held against a figure, in the metric's own unit; then without margin"),
    ] = None

    @property
    def comparisons(self) -> tuple[Against, ...]:
        """What it is held against; :func:`read_claim` sees to it that it is one thing."""
        return tuple(key for key in AGAINST if getattr(self, key) is not None)

    @property
    def against(self) -> Against:
        """The one thing it is held against."""
        return self.comparisons[0]


class ClaimSection(Section):
    """One file."""

    statement: Annotated[str, Field(min_length=1, description="what is said, one sentence")]
    about: Annotated[str, Field(min_length=1, description="the architecture it speaks of")]
    said: Annotated[
        tuple[SaidSection, ...],
        Field(strict=False, min_length=1, description="[[said]] sections: where it is said"),
    ]
    hypotheses: Annotated[
        tuple[HypothesisSection, ...],
        Field(strict=False, min_length=1, description="[[hypotheses]] sections: what tests it"),
    ]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and the file it stands in; its key is the file's name."""

    path: Path
    section: ClaimSection

    @property
    def key(self) -> str:
        """What it is called in addresses and files."""
        return self.path.stem


def claim_files(folder: Path = DEFAULT_FOLDER) -> list[Path]:
    """The claims of a folder.

    Raises:
        ClaimError: it holds none.
    """
    found = sorted(folder.glob("*.toml"))
    if not found:
        raise ClaimError(
            f"{folder} holds no claims (*.toml); name files, or stand where scenarios/claims is"
        )
    return found


def read_claim(path: Path) -> Claim:
    """Read one claim. Names in it are looked up by :func:`reports.claims.checks.check`.

    Raises:
        ClaimError: it is not there, not TOML, or says what cannot be meant; a line a mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClaimError(
            f"{path}: cannot be read ({error}); the files in {DEFAULT_FOLDER} are claims that can"
        ) from error
    try:
        return Claim(path, parse(text, str(path), ClaimSection))
    except ScenarioError as error:
        raise ClaimError(str(error)) from error
