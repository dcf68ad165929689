"""Claims as files: the tracked ones name what is there, and every mistake is named in words."""

from pathlib import Path

import pytest

from reports.claims.checks import check
from reports.claims.evidence import step_asked
from reports.claims.written import ClaimError, claim_files, read_claim
from tests.planted_claims import HEAD, Planted, hypothesis

ROOT = Path(__file__).parents[2]
TRACKED = claim_files(ROOT / "scenarios" / "claims")


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def mistakes(path: Path) -> str:
    with pytest.raises(ClaimError) as said:
        check(read_claim(path))
    return str(said.value)


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: path.stem)
def test_every_tracked_claim_names_what_is_there(path: Path) -> None:
    claim = read_claim(path)
    for found in check(claim):
        assert found.sut in found.evidence.suts
        assert found.versus in found.evidence.suts
        assert found.at in (*found.evidence.steps, *found.evidence.deployments)
        assert found.section.metric in found.evidence.metrics
        assert not found.evidence.path.is_relative_to(path.parent)


def test_what_is_written_of_a_step_is_what_records_call_it() -> None:
    asked = [step_asked(at) for at in ("20", "12.5", "0.3 ceiling", "8 at once", "20 rps")]
    assert asked == ["20 rps", "12.5 rps", "0.3 ceiling", "8 at once", "20 rps"]


def test_a_short_name_is_the_headline_variant(planted: Planted) -> None:
    found = check(read_claim(planted.claim("one", hypothesis())))[0]
    assert (found.sut, found.versus) == ("microservices:fused_cpu", "monolith:default")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sut": "monolit"}, "did you mean 'monolith'"),
        ({"sut": "monolith:naive"}, "sut = 'monolith:naive': scenarios/planted.toml has none"),
        ({"versus": "ray_serv"}, "did you mean 'ray_serve'"),
        ({"versus": "microservices"}, "is what is compared itself"),
        ({"metric": "cpu_m"}, "did you mean 'cpu_ms'"),
        ({"at": "0.4 ceiling"}, "did you mean '0.3 ceiling'"),
        ({"at": None}, "'at' is missing; meant is a load step"),
        ({"margin": None}, "'margin' is missing"),
        ({"margin": -0.1}, "margin = -0.1"),
        ({"margin": 1.5, "direction": "lower"}, "nothing is lower by that share"),
        ({"margin": "ten"}, "margin = 'ten'"),
        ({"direction": "up"}, "direction = 'up'"),
        ({"versus": None}, "name one of versus, versus_scenario"),
        ({"value": 1.0}, "not versus and value"),
        ({"versus": None, "value": 1.0}, "a figure has no margin"),
        (
            {"versus": None, "value": 1.0, "margin": None, "direction": "not higher"},
            'say "higher" or "lower"',
        ),
        ({"deployment": "3"}, "deployment = '3': scenarios/planted.toml is a scenario"),
        ({"versus": None, "versus_deployment": "3"}, "versus_deployment belongs to a plan"),
        ({"scenario": "scenarios/plante.toml"}, "is no file; it is looked for"),
        ({"metrik": "cpu_ms"}, "there is no key 'hypotheses.0.metrik' (did you mean 'metric'?)"),
        ({"words": None}, "'hypotheses.0.words' is missing; meant is the hypothesis"),
        (
            {"versus": None, "versus_scenario": "scenarios/elsewhere.toml"},
            "is another rate in each of two runs",
        ),
        (
            {"versus": None, "versus_scenario": "scenarios/growth.toml", "at": "60",
             "scenario": "scenarios/one.toml", "sut": "monolith"},
            "is a plan of effort; name a scenario",
        ),
        ({"scenario": "scenarios/growth.toml"}, "'deployment' is missing; meant is a deployment"),
        (
            {"scenario": "scenarios/growth.toml", "at": None, "deployment": "6",
             "metric": "processes"},
            "deployment = '6': scenarios/growth.toml has none",
        ),
        (
            {"scenario": "scenarios/growth.toml", "at": None, "deployment": "3",
             "metric": "processes", "versus": None, "versus_metric": "start_up_s"},
            "compare what has one unit",
        ),
    ],
)  # fmt: skip
def test_a_mistake_says_file_key_value_and_what_was_meant(
    planted: Planted, change: dict[str, object], said: str
) -> None:
    path = planted.claim("wrong", hypothesis(**change))
    found = mistakes(path)
    assert said in found
    assert all(str(path) in line for line in found.splitlines())


def test_every_mistake_of_a_file_is_told_at_once(planted: Planted) -> None:
    path = planted.claim("wrong", hypothesis(metric="cpu"), hypothesis(at="9"))
    found = mistakes(path)
    assert "hypotheses.0.metric" in found
    assert "hypotheses.1.at" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("statement = ", "is not TOML"),
        ('statement = "So"', "'said' is missing"),
        (HEAD.format(statement="So").replace("https:", "javascript:"), "said.0.url = 'javascript:"),
        (HEAD.format(statement="So").replace("monolith", "monolit") + hypothesis(), "about: there"),
        (HEAD.format(statement="So") + "hypotheses = []", "hypotheses"),
        ("\0\1", "is not TOML"),
    ],
)
def test_garbage_is_told_in_words(planted: Planted, text: str, said: str) -> None:
    path = planted.claim("garbage")
    path.write_text(text)
    assert said in mistakes(path)


def test_what_is_not_there_is_told_in_words(planted: Planted) -> None:
    with pytest.raises(ClaimError, match="cannot be read"):
        read_claim(planted.folder / "none.toml")
    binary = planted.folder / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClaimError, match="cannot be read"):
        read_claim(binary)
    with pytest.raises(ClaimError, match="holds no claims"):
        claim_files(planted.runs)
    planted.scenario("planted", "name = 1")
    assert "name = 1" in mistakes(planted.claim("one"))
