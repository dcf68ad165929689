"""Claims about simulated runs whose truth is known, and the files they need."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from harness.record import RunRecord, write_record
from harness.scenario_file import read_scenario
from tests.golden.report.simulated_run import (
    MICROSERVICES,
    MONOLITH,
    RAY,
    SLOW_HOST,
    Plan,
    simulate,
)

SUTS = ("monolith:default", "microservices:fused_cpu", "ray_serve:tuned")
TRUTHS = tuple(
    replace(truth, key=key) for truth, key in zip((MONOLITH, MICROSERVICES, RAY), SUTS, strict=True)
)
"""CPU 6, 9 and 9.1 ms a request; PSS 250, 600 and 1900 MB; 167, 125 and 122 requests a second."""

SCENARIO = """
name = "planted"
summary = "Three queues of known speed."
suts = ["monolith", "microservices", "ray_serve"]
[budget]
cores = {cores}
memory_gib = 4
[load]
rates = ["0.3 ceiling", "1.1 ceiling"]
steady_s = {steady_s}
blocks = 4
[slo]
response_time_s = 0.25
"""
ABSOLUTE = """
name = "{name}"
suts = ["monolith"]
[policy]
max_batch = {batch}
[load]
rates = [60]
steady_s = 3
blocks = 4
[slo]
response_time_s = 0.25
"""
GROWTH = """
name = "planted_growth"
suts = ["monolith", "microservices"]
module = "architectures.patterns"
repeats = 3
deployments = [{ name = "3", graphs = ["models_3"] }, { name = "12", graphs = ["models_12"] }]
"""
HEAD = """
statement = "{statement}"
about = "monolith"
[[said]]
where = "Somebody: Somewhere, 2020"
url = "https://example.org/said?a=1&b=2"
"""
HYPOTHESIS = """
[[hypotheses]]
words = "It is so."
scenario = "scenarios/planted.toml"
sut = "microservices"
versus = "monolith"
metric = "cpu_ms"
at = "0.3 ceiling"
direction = "higher"
margin = 0.1
"""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Planted:
    """A folder with scenarios, recorded runs of them, and claims."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, folder / "runs"
        self.scenarios = folder / "scenarios"
        self.claims = self.scenarios / "claims"
        self.claims.mkdir(parents=True)
        self.scenario("planted", SCENARIO.format(cores=1, steady_s=3))
        self.scenario("elsewhere", SCENARIO.format(cores=512, steady_s=3))
        for name, batch in (("one", 16), ("two", 1)):
            self.scenario(name, ABSOLUTE.format(name=name, batch=batch))
        self.scenario("growth", GROWTH)

    def scenario(self, name: str, text: str) -> Path:
        path = self.scenarios / f"{name}.toml"
        path.write_text(text)
        return path

    def claim(self, name: str, *hypotheses: str, head: str = HEAD) -> Path:
        path = self.claims / f"{name}.toml"
        path.write_text(head.format(statement=name.replace("_", " ").capitalize()))
        path.write_text(path.read_text() + "".join(hypotheses or (HYPOTHESIS,)))
        return path

    def run(self, plan: Plan | None = None, name: str = "planted", hour: int = 0) -> Path:
        """A recorded run of a scenario as it stands now."""
        when = NOON + timedelta(hours=hour)
        folder = self.runs / f"{when:%Y%m%d-%H%M%S}-{name}"
        record = simulate(folder, plan or self.plan())
        scenario = read_scenario(self.scenarios / f"{name}.toml").model_dump(mode="json")
        update = {"scenario": scenario, "run_id": folder.name, "created_utc": when.isoformat()}
        write_record(folder / "run.json", record.model_copy(update=update))
        return folder

    def plan(self, **more: object) -> Plan:
        plan = Plan(suts=TRUTHS, rates=(60.0, 220.0), blocks=4, steady_s=3.0, warm_up_s=1.0)
        return replace(plan, **more)

    def alone(self, name: str, cpu_ms: float, hour: int = 0, **more: object) -> Path:
        """A run of one SUT at 60 requests a second, which costs so much."""
        truth = replace(TRUTHS[0], cpu_ms=cpu_ms)
        plan = self.plan(suts=(truth,), rates=(60.0,), seed=int(cpu_ms))
        folder = self.run(replace(plan, **more), name, hour)
        record = RunRecord.read(folder)
        steps = tuple(step.model_copy(update={"asked": "60 rps"}) for step in record.steps)
        write_record(folder / "run.json", record.model_copy(update={"steps": steps}))
        return folder

    def effort(self, record: RunRecord, **more: object) -> Path:
        """Measured effort: a gateway and a service a model, against one process."""
        folder = self.runs / f"{NOON:%Y%m%d-%H%M%S}-planted_growth"
        folder.mkdir(parents=True)
        (folder / "scenario.toml").write_text(GROWTH)
        rows = tuple(
            EffortRow(
                sut=sut, deployment=str(models), repeat=repeat, models=models,
                processes=1 + models if many else 1, settings=9,
                start_up_s=(2.0 + 0.1 * repeat) * (models if many else 1),
                change_s=None if many else 0.1 + 0.01 * repeat,
            )
            for many, sut in enumerate(SUTS[:2])
            for models in (3, 12)
            for repeat in range(3)
        )  # fmt: skip
        effort = EffortRecord(
            run_id=folder.name, created_utc=NOON.isoformat(), version="0.1.0",
            name="planted_growth", summary="How it grows", axis="models", suts=SUTS[:2],
            deployments=("3", "12"), code_lines={SUTS[0]: 200, SUTS[1]: 400},
            environment=record.environment, ensemble=record.ensemble, rows=rows, complete=True,
        )  # fmt: skip
        (folder / EFFORT_FILE).write_text(effort.model_copy(update=more).model_dump_json())
        return folder


def hypothesis(**keys: object) -> str:
    """A section with some keys changed; None leaves one out."""
    lines = dict(line.split(" = ", 1) for line in HYPOTHESIS.strip().splitlines()[1:])
    for key, value in keys.items():
        lines.pop(key, None)
        if value is not None:
            lines[key] = repr(value).replace("'", '"')
    return "\n[[hypotheses]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


EFFORT = {"scenario": "scenarios/growth.toml", "at": None, "deployment": "12"}
TWO_RUNS = {
    "scenario": "scenarios/one.toml", "versus": None, "versus_scenario": "scenarios/two.toml",
    "sut": "monolith", "at": "60",
}  # fmt: skip
FAILING = {
    "versus": None, "margin": None, "metric": "error_share", "value": 0.05, "sut": "monolith"
}  # fmt: skip
SAID = {
    "supported": [
        hypothesis(),
        hypothesis(sut="ray_serve", metric="pss_peak_mb", margin=5.0),
        hypothesis(direction="not lower", margin=0.2, at="1.1 ceiling", metric="throughput_rps",
                   sut="monolith", versus="ray_serve"),
        hypothesis(**FAILING, direction="lower"),
        hypothesis(**{**FAILING, "at": "1.1 ceiling"}, direction="higher"),
        hypothesis(**TWO_RUNS, direction="lower", margin=0.2),
        hypothesis(**EFFORT, metric="processes", versus=None, versus_deployment="3",
                   margin=1.0),
        hypothesis(**EFFORT, metric="code_lines", margin=0.9),
        hypothesis(**{**EFFORT, "deployment": "3"}, sut="monolith", versus=None,
                   metric="change_s", versus_metric="start_up_s", direction="lower", margin=0.5),
    ],
    "refuted": [
        hypothesis(direction="lower"),
        hypothesis(sut="monolith", versus="microservices", at="1.1 ceiling",
                   metric="throughput_rps", direction="lower"),
        hypothesis(**FAILING, direction="higher"),
        hypothesis(**TWO_RUNS, direction="not lower"),
        hypothesis(**EFFORT, metric="settings"),
    ],
    "inconclusive": [
        hypothesis(margin=0.5),
        hypothesis(metric="response_p99_ms"),
        hypothesis(**EFFORT, metric="change_s"),
        hypothesis(metric="gpu_power_w"),
    ],
    "not_tested": [hypothesis(scenario="scenarios/elsewhere.toml")],
    "refuted_in_part": [hypothesis(), hypothesis(direction="lower")],
}  # fmt: skip
"""Hypotheses by the word that the truth gives them."""


def claims_of_every_verdict(folder: Path) -> Planted:
    """CPU 6, 9 and 9.1 ms; the two single runs 6 and 9 ms; nobody fails below saturation."""
    found = Planted(folder)
    doubts = {(2, 0, SUTS[2]): (SLOW_HOST,)}
    first = found.run(found.plan(doubts=doubts))
    found.alone("one", 6)
    found.alone("two", 9)
    found.effort(RunRecord.read(first))
    for name, sections in SAID.items():
        found.claim(name, *sections)
    return found
