"""Beyond loopback the web UI starts with a password or not at all, and answers nobody without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import workloads
from tests.web_sessions import service, web_session
from workloads.arrivals import WorkloadError
from workloads.locustfile_web_login import read_password

PASSWORD = "correct horse"  # noqa: S105 - of this test


def secret(directory: Path, text: str = PASSWORD, mode: int = 0o600) -> Path:
    path = directory / "password"
    path.touch(mode)
    path.chmod(mode)
    path.write_text(f"{text}\n")
    return path


def test_a_password_is_needed_beyond_loopback_only(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "127.0.0.2", "localhost", "::1"):
        assert read_password(None, host) is None
    for host in ("0.0.0.0", "", "::", "10.0.0.1", "example.org"):  # noqa: S104 - refused
        with pytest.raises(WorkloadError, match="--web-password-file"):
            read_password(None, host)
        assert read_password(secret(tmp_path), host) == PASSWORD.encode()


def test_a_password_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="chmod 600"):
        read_password(secret(tmp_path, mode=0o644), "127.0.0.1")
    with pytest.raises(WorkloadError, match="at least 8"):
        read_password(secret(tmp_path, "short"), "127.0.0.1")
    with pytest.raises(WorkloadError, match="No such file"):
        read_password(tmp_path / "none", "127.0.0.1")


def test_without_a_password_it_does_not_start_there(tmp_path: Path) -> None:
    payloads = tmp_path / "payloads.parquet"
    payloads.touch()
    locustfile = Path(workloads.__file__).with_name("locustfile.py")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(locustfile), "--payloads", str(payloads)),
            *("--web-host", "0.0.0.0", "--web-port", "0"),  # noqa: S104 - refused
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode != 0
    assert "name a file with a password" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_is_answered_without_the_password(tmp_path: Path) -> None:
    everywhere = "0.0.0.0"  # noqa: S104 - it is what is tested
    with (
        service() as sut,
        web_session(
            tmp_path,
            sut.url,
            connect_to="127.0.0.2",
            web_host=everywhere,
            web_password_file=secret(tmp_path),
        ) as session,
    ):
        for path, form in (("/", None), ("/stats/requests", None), ("/swarm", {}), ("/stop", {})):
            answer = session.ask(path, form)
            assert answer.status == 302
            assert answer.headers["Location"].startswith("/login")
        assert b"password" in session.ask("/login").body
        wrong = session.ask("/password", {"password": "correct"})
        assert wrong.headers["Location"] == "/login"
        cookie = wrong.headers["Set-Cookie"].partition(";")[0]
        assert session.ask("/", headers={"Cookie": cookie}).status == 302
        right = session.ask("/password", {"password": PASSWORD})
        assert right.headers["Location"] == "/"
        cookie, *marks = right.headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict"} <= set(marks)
        assert session.ask("/", headers={"Cookie": cookie}).status == 200
        assert session.ask("/", headers={"Host": "rebound.example"}).status == 403
        command = (Path("/proc") / str(session.process.pid) / "cmdline").read_bytes()
        assert PASSWORD.encode() not in command
