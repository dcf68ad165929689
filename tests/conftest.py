"""What every test shares: real databases, each started once; a run that may not skip says so."""

import os
from collections.abc import Iterator

import pytest

from tests.servers import postgres_server, redis_server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server of this test run; tests share it, so each keeps to keys of its own."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this test run; tests share its database."""
    with postgres_server() as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Conformance comes last: its last deployment lives to the end, beside nothing that times."""
    items.sort(key=lambda item: "conformance" in item.path.parts)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so a skipped test is a missing install step, not an excuse."""
    if os.environ.get("SERVEBENCH_NO_SKIPS") != "1" or session.exitstatus != 0:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped:
        reporter.write_line(f"SERVEBENCH_NO_SKIPS=1, but {len(skipped)} tests skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
