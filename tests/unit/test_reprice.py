"""A run priced anew: the table is the sheet's arithmetic, the page follows, mistakes are words."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports.prices import DEFAULT_FILE, read_prices
from reports.reprice_command import reprice
from tests.compared_runs import A, plant
from tests.golden.report.simulated_run import MONOLITH, SLOW_HOST

SMALL = {"blocks": 2, "steady_s": 1.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("runs"), "run", A, MONOLITH, **SMALL)


def ask(run: Path, *words: str) -> Result:
    return CliRunner().invoke(reprice, [str(run), *words])


def dearer(path: Path, factor: float) -> Path:
    """The tracked sheet's default row alone, every price times a factor."""
    row = read_prices().chosen
    path.write_text(
        f"""default = "ours"
        [energy]
        usd_per_kwh = 0.2
        assumption = "a guess"
        [price.ours]
        cloud = "ours"
        product = "a server"
        region = "the cellar"
        as_of = 2026-11-01
        source = "https://example.org/prices"
        vcpu_hour_usd = {row.vcpu_hour_usd * factor}
        gib_hour_usd = {row.gib_hour_usd * factor}
        """
    )
    return path


def numbers(output: str) -> list[float]:
    """The table's points: reserved before and after, used before and after."""
    (line,) = (line for line in output.splitlines() if line.startswith(" monolith:batched"))
    *_, before, after, used, more, _ = line.split()
    return [float(word) for word in (before, after, used, more)]


def test_twice_the_price_is_twice_the_cost_with_interval_and_n(run: Path, tmp_path: Path) -> None:
    (run / "summary.json").unlink(missing_ok=True)
    done = ask(run, "--prices", str(dearer(tmp_path / "ours.toml", 2.0)))
    assert done.exit_code == 0, done.output
    before, after, used, more = numbers(done.output)
    assert after / before == pytest.approx(2, rel=0.01)
    assert more / used == pytest.approx(2, rel=0.01)
    assert f"before: {read_prices().default}, the tracked sheet's default" in done.output
    assert "after: ours" in done.output
    assert (run / "report.html").is_file()
    summary = json.loads((run / "summary.json").read_text())
    assert summary["prices"]["default"] == "ours"
    cost = summary["cells"][0]["estimates"]["usd_per_million_reserved"]["point"]
    assert after == pytest.approx(cost, rel=0.01)


def test_before_is_what_the_summary_was_priced_by(run: Path, tmp_path: Path) -> None:
    ask(run, "--prices", str(dearer(tmp_path / "ours.toml", 3.0)))
    done = ask(run)
    assert "before: ours, as in its summary.json" in done.output
    before, after, *_ = numbers(done.output)
    assert before / after == pytest.approx(3, rel=0.01)
    (run / "summary.json").write_text("{]")
    assert "the tracked sheet's default" in ask(run).output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--price", "gcp-e3"), "did you mean 'gcp-e2'?"),
        (("--price", "gcp-n1-t4"), "price.gcp-n1-t4 is of a machine with a GPU, and the run had"),
        (("--prices", "nowhere.toml"), "nowhere.toml: cannot be read"),
    ],
)
def test_a_mistake_is_words_and_writes_nothing(
    run: Path, words: tuple[str, ...], says: str
) -> None:
    (run / "summary.json").unlink(missing_ok=True)
    done = ask(run, *words)
    assert done.exit_code == 2, done.output
    assert says in done.output
    assert not (run / "summary.json").exists()


def test_a_run_without_a_priced_figure_says_why(tmp_path: Path) -> None:
    doubts = {(block, 0, MONOLITH.key): (SLOW_HOST,) for block in (0, 1)}
    run = plant(tmp_path, "run", A, MONOLITH, doubts=doubts, **SMALL)
    done = ask(run)
    assert done.exit_code == 2
    assert "no figure of this run has a price (no trusted trial)" in done.output
    assert ask(tmp_path).exit_code == 2
    next(run.glob("trials/*/usage.parquet")).write_text("PAR1")
    done = ask(run)
    assert (done.exit_code, "one of its tables cannot be read" in done.output) == (2, True)
    assert DEFAULT_FILE.is_file()
