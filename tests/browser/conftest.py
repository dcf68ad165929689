"""One browser for a file's tests, and every page made once.

The browser lives no longer than that: playwright's loop runs in the main thread, where other tests
start loops of their own.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.pages import MAKERS
from tests.browser.visits import Visit, Visits


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("needs chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of that name in ``MAKERS``, made when it is first asked for."""
    pages: dict[str, Path] = {}

    def page(name: str) -> Path:
        if name not in pages:
            pages[name] = MAKERS[name](tmp_path_factory.mktemp(name))
        return pages[name]

    return page


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a page as a person would, offline; see ``Visits.open``."""
    visits = Visits(chromium)
    yield visits.open
    visits.close()
