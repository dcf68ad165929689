"""What every test shares: a run that may not skip says so."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so a skipped test is a missing install step, not an excuse."""
    if os.environ.get("SERVEBENCH_NO_SKIPS") != "1" or session.exitstatus != 0:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped:
        reporter.write_line(f"SERVEBENCH_NO_SKIPS=1, but {len(skipped)} tests skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
