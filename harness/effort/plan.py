"""What effort is measured of: SUTs, and sets of graphs that are deployed one after another."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from architectures.spec import EnsembleChoice
from harness.scenario import BudgetSection, PolicySection
from harness.scenario_file import ScenarioError, parse
from harness.section import Count, Section, Texts


class ChangeSection(Section):
    """How one model is changed while the others serve: by the ensemble's own admin API."""

    actions: Annotated[
        tuple[dict[str, Any], ...],
        Field(strict=False, min_length=1, description="tables { action, body }, done in order"),
    ]
    field: Annotated[
        str, Field(description="of the answers: it changes when the model has changed")
    ] = "version"


class DeploymentSection(Section):
    """Graphs that are deployed together."""

    name: Annotated[str, Field(description="as a row is called")]
    graphs: Annotated[Texts, Field(min_length=1, description="served; the first is asked for")]
    change: Annotated[
        ChangeSection | None, Field(description="how one model is changed; absent: by deploying")
    ] = None


class EffortPlan(Section):
    """One file of deployments to be measured."""

    name: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="lower-case letters and digits")
    ]
    summary: Annotated[str, Field(description="one sentence for the report")] = ""
    suts: Annotated[Texts, Field(min_length=1, description='"monolith" or "monolith:naive"')]
    module: Annotated[str, Field(description="an importable ensemble module")]
    tier: Annotated[str, Field(description="one of the ensemble's tiers")] = "tiny"
    search_path: Annotated[
        Texts, Field(description="folders that hold the module, relative to the plan's file")
    ] = ()
    axis: Annotated[str, Field(description="what the deployments' names count, for a chart")] = ""
    deployments: Annotated[
        tuple[DeploymentSection, ...],
        Field(strict=False, min_length=1, description="tables of name and graphs"),
    ]
    repeats: Annotated[Count, Field(description="deployments of each, in a shuffled order")] = 3
    requests: Annotated[Count, Field(description="sent one by one to each")] = 30
    seed: Annotated[int, Field(ge=0, description="of the order and of the requests")] = 1
    policy: PolicySection = PolicySection()
    budget: BudgetSection = BudgetSection()

    def choice(self, deployment: DeploymentSection) -> EnsembleChoice:
        """The ensemble as one deployment serves it."""
        return EnsembleChoice(
            self.module, self.tier, search_path=self.search_path, graphs=deployment.graphs
        )


def read_plan(path: Path) -> EffortPlan:
    """Read a plan.

    Raises:
        ScenarioError: it is not there, or says something that cannot be meant.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            f"{path}: cannot be read ({error}); scenarios/growth.toml is one that can"
        ) from error
    plan = parse(text, str(path), EffortPlan)
    folders = tuple(str((path.parent / folder).resolve()) for folder in plan.search_path)
    return plan.model_copy(update={"search_path": folders})
