import asyncio
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from architectures.contract import MAX_BODY_BYTES
from architectures.ray_serve import ARCHITECTURE
from architectures.ray_serve.haproxy import launch_from
from architectures.ray_serve.middlewares import OneRequestId, PausedBody
from architectures.server_config import from_environment
from architectures.spec import EnsembleChoice, Launch, ResourceClaim, ServingPolicy, Variant

DIRECTORY = "/run/sb-12345678"  # a name only: nothing is made there
VARIANTS = {variant.name: variant for variant in ARCHITECTURE.variants}


def launch(variant: Variant, directory: str = DIRECTORY) -> Launch:
    ports = count(20_000)
    return Launch(
        ensemble=EnsembleChoice("language_guess", "plain"),
        policy=ServingPolicy(torch_threads=3),
        claim=ResourceClaim((0, 1), 1 << 30),
        variant=variant,
        nonce="n",
        directory=Path(directory),
        port=lambda: next(ports),
    )


def test_the_headline_is_tuned() -> None:
    assert ARCHITECTURE.variants[0].name == "tuned"
    assert set(VARIANTS) == {"tuned", "tuned_split", "default", "default_fused"}


def test_importing_the_architecture_does_not_import_ray() -> None:
    program = "import sys, architectures.ray_serve; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_every_variant_is_private_equal_and_silent(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    blueprint = ARCHITECTURE.blueprint(launch(variant))
    (driver,) = blueprint.components
    env = driver.env
    assert driver.ready_url == f"{blueprint.url}/readyz"
    assert env["RAY_USAGE_STATS_ENABLED"] == "0"
    assert env["RAY_worker_niceness"] == "0"
    assert env["OMP_NUM_THREADS"] == "3"
    assert env["HOME"] == env["RAY_TMPDIR"] == DIRECTORY
    tuned = variant.options["ingress"] == "haproxy"
    assert (env.get("RAY_SERVE_ENABLE_HA_PROXY") == "1") is tuned
    assert (env.get("RAY_SERVE_THROUGHPUT_OPTIMIZED") == "1") is tuned
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert from_environment().options == variant.options


def test_haproxy_shares_no_file_and_no_port_with_another_deployment() -> None:
    env = ARCHITECTURE.blueprint(launch(VARIANTS["tuned"])).components[0].env
    haproxy = {name: value for name, value in env.items() if name.startswith("RAY_SERVE_HAPROXY_")}
    paths = {value for value in haproxy.values() if "/" in value}
    assert paths
    assert all(path.startswith(DIRECTORY + "/") for path in paths)
    ports = [value for name, value in env.items() if name.endswith("_PORT")]
    assert len(set(ports)) == len(ports) == 7


def test_a_directory_too_long_for_unix_sockets_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="too long for Ray's unix sockets"):
        ARCHITECTURE.blueprint(launch(VARIANTS["default"], "/" + "d" * 60))


CONFIG = """frontend prometheus
    bind :{metrics}
    mode http
    timeout client 1s
    http-request return status 200
frontend http_frontend
    bind 127.0.0.1:{http}
    mode http
    timeout client 1s
    http-request return status 200
listen stats
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
  bind *:{stats}
  stats enable
"""


def test_haproxy_starts_from_a_file_that_binds_loopback_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_SERVE_HAPROXY_BINARY_PATH", raising=False)
    # monkeypatch puts back what the launcher sets for Serve to find it.
    monkeypatch.setenv("RAY_SERVE_HAPROXY_BINARY_PATH", sys.executable)
    monkeypatch.delenv("RAY_SERVE_HAPROXY_BINARY_PATH")
    launch_from(tmp_path / "h")
    config = tmp_path / "haproxy.cfg"
    config.write_text(CONFIG.format(metrics=20_001, http=20_002, stats=20_003))
    checked = subprocess.run(
        [tmp_path / "h" / "haproxy", "-db", "-f", config, "-c"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    binds = [line.strip() for line in config.read_text().splitlines() if "bind" in line]
    assert binds == [f"bind 127.0.0.1:{port}" for port in (20_001, 20_002, 20_003)]


@pytest.mark.parametrize(
    ("given", "kept"), [(b"mine-1", True), (b"not sane!", False), (None, False)]
)
def test_an_answer_carries_one_sane_request_id(given: bytes | None, *, kept: bool) -> None:
    seen: list[bytes] = []
    sent: list[tuple[bytes, bytes]] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(dict(scope["headers"])[b"x-request-id"])
        # Serve and the contract's door each add one.
        headers = [(b"X-Request-ID", b"served"), (b"x-request-id", seen[0]), (b"a", b"b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.extend(message.get("headers", ()))

    scope = {"type": "http", "headers": [] if given is None else [(b"x-request-id", given)]}
    asyncio.run(OneRequestId(app)(scope, receive, send))
    assert (seen[0] == given) is kept
    assert sent == [(b"a", b"b"), (b"x-request-id", seen[0])]


def test_a_body_is_read_beyond_the_limit_only_after_the_answer() -> None:
    chunk = b"x" * (1 << 20)
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                while True:
                    await receive()
        assert received * len(chunk) <= MAX_BODY_BYTES + len(chunk)
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await receive()

    async def send(_message: Message) -> None:
        pass

    asyncio.run(PausedBody(app)({"type": "http"}, receive, send))
    assert received * len(chunk) == MAX_BODY_BYTES + 2 * len(chunk)
