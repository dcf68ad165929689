"""The page of stored runs in a real browser: a chart a series that has values."""

from collections.abc import Callable
from pathlib import Path

from reports.stored.store import read_store
from tests.browser.visits import Visit


def test_every_series_is_drawn(made: Callable[[str], Path], visit: Callable[..., Visit]) -> None:
    page = made("trends")
    newest = read_store(page.parent / "store").runs[-1]
    figures = [figure for series in newest.series for figure in series.figures]
    drawn = [figure for figure in figures if figure.value is not None]
    seen = visit(page)
    assert seen.draw_all() == len(drawn) > 0
    assert seen.page.locator("figure details table").count() == len(drawn)
