"""Every kind of page, made of simulated records: what one opens here is what one gets.

A new kind of page is one more maker. Tests that hold for every page find it in ``MAKERS``.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from reports.claims.command import claims as judge_claims
from reports.compared.command import compare as compare_runs
from reports.effort.page import write_effort
from reports.frames import open_run
from reports.gate.page import write_gate
from reports.page import write_page
from reports.prices import read_prices
from reports.results import measure_run
from reports.shelf.page import write_index
from reports.shelf.read import INDEX, read_shelf
from reports.stored.page import write_history
from reports.stored.store import add, read_store
from reports.summary import write_summary
from tests import gate_verdicts
from tests.compared_runs import SLOWER, A, B, plant
from tests.golden.report.simulated_patterns import add_patterns
from tests.golden.report.simulated_run import MONOLITH, NULL, RAY, Plan, simulate
from tests.planted_claims import claims_of_every_verdict
from tests.shelf_runs import put
from tests.unit.test_stored import SCATTER, Vary, later, measured

RUN = Plan(
    suts=(MONOLITH, RAY, NULL),
    steady_s=4.0,
    warm_up_s=1.0,
    concurrency=(4,),
    searched_rps={MONOLITH.key: ((60.0, 120.0, 160.0, 120.0),) * 3},
)


def report(folder: Path) -> Path:
    """A run of three SUTs with searches and patterns, its summary beside it."""
    run = folder / "run"
    simulate(run, RUN)
    add_patterns(run)
    results = measure_run(open_run(run), read_prices())
    write_page(run / "report.html", results)
    write_summary(run / "summary.json", results)
    return run / "report.html"


def gate(folder: Path) -> Path:
    """A regression."""
    page = folder / "verdict.html"
    write_gate(page, gate_verdicts.regressed())
    return page


def hostile_gate(folder: Path) -> Path:
    """Labels that are markup."""
    page = folder / "verdict.html"
    write_gate(page, gate_verdicts.hostile())
    return page


def trends(folder: Path) -> Path:
    """A store of runs, the newest of them worse."""
    first = measured(folder / "runs", Vary())
    for number, cpu in enumerate((*SCATTER, 1.5)):
        add(folder / "store", later(first, number, cpu))
    return write_history(read_store(folder / "store"), folder / "trends.html")


def effort(folder: Path) -> Path:
    """Two SUTs deployed with three models and with six."""
    suts = ("monolith:default", "microservices:fused_cpu")
    simulated = simulate(folder / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1))
    rows = [
        EffortRow(
            sut=sut, deployment=name, repeat=0, models=int(name), start_up_s=2.0 * int(name),
            stop_s=0.2, processes=int(name) + 1, ports=2, pss_bytes=10**8, hops=1.0,
            moved_bytes=1e4, response_s=0.01, settings=9,
        )
        for sut in suts
        for name in ("3", "6")
    ]  # fmt: skip
    record = EffortRecord(
        run_id="growth",
        created_utc=simulated.created_utc,
        version=simulated.version,
        name="growth",
        summary="How it grows",
        axis="models",
        suts=suts,
        deployments=("3", "6"),
        code_lines={suts[0]: 200, suts[1]: 400},
        environment=simulated.environment,
        ensemble=simulated.ensemble,
        rows=tuple(rows),
        complete=True,
    )
    (folder / EFFORT_FILE).write_text(record.model_dump_json())
    return write_effort(folder)


def index(folder: Path) -> Path:
    """A shelf: runs with tags, with a page and without, a hostile one and a damaged one."""
    put(folder, 0, tags=("nightly",), answer="monolith:default carries 24 rps.")
    put(folder, 1, name="web", tags=("idea",), doubted=1, suts=("ray_serve:tuned",))
    put(folder, 2, name="sweep", answer="<img src=x onerror=alert(1)>", tags=("<b>",))
    (put(folder, 3) / "run.json").write_text("{")
    return write_index(folder / INDEX, folder, read_shelf(folder))


def claims(folder: Path) -> Path:
    """Claims of every verdict, about runs of known truth."""
    planted = claims_of_every_verdict(folder)
    out = folder / "out"
    files = (str(path) for path in sorted(planted.claims.glob("*.toml")))
    judge_claims.main(
        [*files, "--runs", str(planted.runs), "--out", str(out)], standalone_mode=False
    )
    return out / "claims.html"


def compared(folder: Path) -> Path:
    """Two runs of different times, one SUT of the later a fifth slower."""
    before = plant(folder, "before", A, RAY, MONOLITH, rates=(60.0, 220.0))
    slower = plant(folder, "slower", B, RAY, SLOWER, rates=(60.0, 220.0), seed=8)
    out = folder / "out"
    with suppress(SystemExit):  # it ends with its verdict
        compare_runs.main([str(before), str(slower), "--out", str(out)], standalone_mode=False)
    return out / "compared.html"


MAKERS: dict[str, Callable[[Path], Path]] = {
    "report": report,
    "gate": gate,
    "hostile_gate": hostile_gate,
    "trends": trends,
    "effort": effort,
    "claims": claims,
    "compared": compared,
    "index": index,
}
