"""One HTML page that needs nothing but itself: the answer, and everything it rests on."""

import json
import os
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from gzip import compress
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from reports.answer import answer
from reports.charts.figure import Chart
from reports.page_sections import Section, sections
from reports.ranking import Sentence
from reports.results import Results

__all__ = ["Section", "figure", "packed_plotly", "render", "resource", "templates", "write_page"]

TEMPLATES = "templates"


def write_page(path: Path, results: Results) -> None:
    """Write the page; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    trials = os.path.relpath(results.run.directory / "trials", path.parent)
    partial.write_text(render(results, trials))
    partial.rename(path)


def render(results: Results, trials: str = "trials") -> str:
    """The whole page.

    Args:
        results: what to show.
        trials: where the trials' folders lie, relative to the page.
    """
    said = answer(results)
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            results=results,
            record=results.record,
            answers=_texts(said, "answer"),
            cautions=_texts(said, "caution"),
            sections=sections(results),
            trials=trials,
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def templates() -> Environment:
    """The pages' templates; what they are given is escaped, and a name they lack is an error."""
    return Environment(
        loader=PackageLoader("reports", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def packed_plotly() -> str:
    """Plotly's source, compressed: as it stands it would be nine tenths of the page."""
    return b64encode(compress(get_plotlyjs().encode(), mtime=0)).decode()


def resource(name: str) -> Markup:
    """A file that stands in the page as it is."""
    text = (files("reports") / TEMPLATES / name).read_text()
    return Markup(text)  # noqa: S704 - a file of this package


def _texts(sentences: Sequence[Sentence], kind: str) -> list[str]:
    return [sentence.text for sentence in sentences if sentence.kind == kind]


def figure(chart: Chart) -> Markup:
    """A figure as JSON that cannot end its script element early."""
    text = json.dumps(chart.figure, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped right here
