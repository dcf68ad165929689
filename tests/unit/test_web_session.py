"""A session of the web UI: what the form offers, what Start plays and keeps, what Stop leaves."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from tests.leftovers import alive, each
from tests.waiting import until
from tests.web_sessions import Service, WebSession, service, web_session
from workloads.panels import Panel, write_panels
from workloads.plan import read_plan
from workloads.sample import Outcome, read_samples

PANEL = Panel("health_now", "Generator", {"lag_ms": "schedule lag (ms)", "dropped": "dropped"})


@pytest.fixture(scope="module")
def sut() -> Iterator[Service]:
    with service() as server:
        yield server


@pytest.fixture(scope="module")
def session(sut: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSession]:
    directory = tmp_path_factory.mktemp("session")
    write_panels(directory / "panels.json", (PANEL,))
    with web_session(
        directory,
        sut.url,
        out=directory / "attempts",
        panels=directory / "panels.json",
        graphs="tag,names",
        slo_s=0.2,
    ) as session:
        yield session


def page_of(session: WebSession) -> dict[str, Any]:
    """What the page is told when it is opened."""
    html = session.ask("/").body.decode()
    found = re.search(r"window\.templateArgs = (.*)\n", html)
    assert found
    return dict(json.loads(found.group(1)))


def test_the_form_has_our_fields_and_not_locusts_users(session: WebSession) -> None:
    told = page_of(session)
    fields = told["extra_options"]
    names = ("rate", "arrivals", "graph", "mix", "warm_up", "duration", "seed", "max_in_flight")
    assert tuple(fields) == names
    assert fields["graph"]["choices"] == ["tag", "names"]
    assert "poisson" in fields["arrivals"]["choices"]
    assert "trace" not in fields["arrivals"]["choices"]
    assert fields["mix"]["help_text"].endswith(", as in category: cat=3, dog=1")
    assert told["hide_common_options"]
    assert told["percentiles_to_chart"] == [0.5, 0.95, 0.99]


def test_start_plays_what_the_form_asks_and_keeps_it(session: WebSession, sut: Service) -> None:
    sut.asked.clear()
    folder = session.play(rate=120, seed=7, mix="cat=3, dog=1", graph="names", arrivals="constant")
    plan = read_plan(folder / "plan.parquet")
    assert plan.header.rate_rps == 120
    assert plan.header.mix == {"cat": 3, "dog": 1}
    assert len(plan.offsets_ns) == 60
    asked = Counter(body for _, _, body in sut.asked)
    assert asked[b"cat"] == pytest.approx(45, abs=1)
    assert sorted(index for _, index, _ in sut.asked) == list(range(60))
    assert {path.rsplit("/", 1)[1] for path, _, _ in sut.asked} == {"names"}
    samples = read_samples([folder / "samples-0.parquet"], ("index", "outcome"))
    assert samples["index"].to_numpy().tolist() == list(range(60))
    assert set(samples["outcome"].to_numpy()) == {Outcome.OK}
    report = json.loads((folder / "generator-0.json").read_text())
    assert report["planned"] == report["sent"] == 60
    words = [line.partition(" ")[0] for line in session.words()]
    order = [word for word in words if word in ("attempt", "ready", "start", "done")]
    assert order == ["attempt", "ready", "start", "done"]
    lag_ms, in_flight, dropped = session.await_word("health").split()
    assert float(lag_ms) >= 0 or lag_ms == "nan"
    assert (int(in_flight) >= 0, int(dropped)) == (True, 0)
    fields = page_of(session)["extra_options"]
    assert (fields["rate"]["default_value"], fields["seed"]["default_value"]) == ("120", "7")


def test_locusts_figures_hold_every_request_and_our_rows(session: WebSession) -> None:
    session.play(rate=200, seed=2, mix="")
    row = {"lag_ms": float("nan"), "dropped": 3}
    directory = Path(session.process._log).parent
    write_panels(directory / "panels.json", (Panel(PANEL.key, PANEL.title, PANEL.columns, (row,)),))

    def figures() -> Any:
        return session.ask("/stats/requests").json()

    shown = until(lambda: (now := figures())["state"] == "stopped" and now)
    planned = len(read_plan(directory / "attempts" / "attempt-2" / "plan.parquet").offsets_ns)
    assert shown["stats"][-1]["num_requests"] == planned
    (panel,) = shown["extended_stats"]
    assert panel["key"] == PANEL.key
    assert panel["data"] == [{"lag_ms": "\N{EN DASH}", "dropped": 3}]
    told = page_of(session)
    assert told["extended_tabs"] == [{"key": PANEL.key, "title": PANEL.title}]
    assert [one["key"] for one in told["extended_tables"][0]["structure"]] == ["lag_ms", "dropped"]


def test_stop_drains_and_saves_what_was_due_and_start_works_again(session: WebSession) -> None:
    session.forget()
    assert session.start(duration=60, rate=100)["success"]
    assert not session.start()["success"]  # one at a time
    session.await_word("health")
    assert session.ask("/stop", {}).json()["success"]
    assert session.await_word("ending") == "stopped in the page"
    session.await_word("done")
    folder = Path(session.await_word("attempt").partition(" ")[2])
    report = json.loads((folder / "generator-0.json").read_text())
    plan = read_plan(folder / "plan.parquet")
    due = np.flatnonzero(plan.offsets_ns < report["end_ns"] - report["start_ns"])
    samples = read_samples([folder / "samples-0.parquet"], ("index", "outcome"))
    assert 0 < len(due) < len(plan.offsets_ns)
    assert samples["index"].to_numpy().tolist() == due.tolist()
    assert set(samples["outcome"].to_numpy()) == {Outcome.OK}
    assert report["drained_ns"] >= report["end_ns"]
    again = session.play()
    assert again != folder
    assert pq.read_metadata(again / "samples-0.parquet").num_rows > 0


def test_stop_before_the_common_start_ends_it_soon_after(session: WebSession) -> None:
    session.forget()
    assert session.start(duration=60, rate=50)["success"]
    assert session.ask("/stop", {}).json()["success"]
    session.await_word("done")
    folder = Path(session.await_word("attempt").partition(" ")[2])
    report = json.loads((folder / "generator-0.json").read_text())
    assert report["end_ns"] - report["start_ns"] < 30_000_000_000


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"rate": 0}, "rate = '0' is no number of requests a second above 0 to 1,000,000"),
        ({"rate": "many"}, "rate = 'many'"),
        ({"mix": "cat=3, dgo=1"}, "no payload is labelled 'dgo' (did you mean 'dog'?)"),
        ({"mix": "cat"}, "'cat' is no weight"),
        ({"graph": "tags"}, "graph = 'tags' is not known (did you mean 'tag'?)"),
        ({"max_in_flight": 100_000}, "no whole number from 1 to"),
        ({"host": "http://elsewhere.example"}, "this session is of"),
        ({"rate": 1e6, "duration": 60}, "at most 1,000,000"),
        ({"rate": 0.001, "arrivals": "poisson"}, "no request to send"),
    ],
)
def test_what_cannot_be_played_is_said_and_starts_nothing(
    session: WebSession, form: dict[str, Any], words: str
) -> None:
    session.forget()
    answer = session.start(**form)
    assert not answer["success"]
    assert words in answer["message"]
    assert not [line for line in session.words() if line.startswith("attempt")]


def test_a_form_changes_no_option_but_our_fields(session: WebSession, tmp_path: Path) -> None:
    folder = session.play(out=tmp_path / "mine", payloads="/etc/passwd", slo_s=9)
    assert not (tmp_path / "mine").exists()
    assert (folder / "samples-0.parquet").exists()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_other_pages_can_neither_order_nor_read(session: WebSession, origin: str) -> None:
    session.forget()
    order = session.ask("/swarm", {"rate": 5}, {"Origin": origin})
    reading = session.ask("/stats/requests", headers={"Origin": origin})
    assert (order.status, reading.status) == (403, 403)
    assert not session.words()


def test_a_name_pointed_at_this_machine_is_refused(session: WebSession) -> None:
    for host in (f"rebound.example:{session.port}", "127.0.0.1.evil.example", ""):
        assert session.ask("/", headers={"Host": host}).status == 403
    for host in (f"localhost:{session.port}", "localhost:9000", session.host):
        assert session.ask("/", headers={"Host": host}).status == 200


def test_its_own_page_is_let_in_and_no_header_lets_others_read(session: WebSession) -> None:
    own = {"Origin": f"http://{session.host}"}
    answers = [session.ask(path, headers=own) for path in ("/", "/stats/requests", "/nowhere")]
    answers.append(session.ask("/stop", {}, own))
    assert [answer.status for answer in answers] == [200, 200, 404, 200]
    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_only_loopback_listens_and_nothing_outlives_it(sut: Service, tmp_path: Path) -> None:
    with web_session(tmp_path, sut.url) as session:
        first = psutil.Process(session.process.pid)
        mine = [first, *first.children(recursive=True)]
        listening = {
            connection.laddr.ip
            for connections in each(mine, lambda one: one.net_connections("inet"))
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
        }
        assert session.start(rate=50)["success"]  # without --out nothing is kept
        session.await_word("done")
        assert not list(tmp_path.rglob("plan.parquet"))
        assert not [line for line in session.words() if line.startswith("attempt")]
    assert listening == {"127.0.0.1"}
    assert until(lambda: not alive(mine))
