"""Panels (``workloads.panels``) as tabs of Locust's own page, filled with Locust's figures."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from flask import Response, request

from workloads.panels import read_panels

_FIGURES = "locust.request_stats"
_NONE = "\N{EN DASH}"

_STILL_SHOWN = {"stopping": "running", "cleanup": "running"}
"""The page asks for figures while they are being made, and would not ask again after these."""


def tabs(panels: Path | None) -> dict[str, Any]:
    """What Locust's page is told of our tabs when it is opened: their titles and columns."""
    found = read_panels(panels) if panels else ()
    return {
        "extended_tabs": [{"key": panel.key, "title": panel.title} for panel in found],
        "extended_tables": [
            {
                "key": panel.key,
                "structure": [{"key": key, "title": title} for key, title in panel.columns.items()],
            }
            for panel in found
        ],
    }


def fill(app: Any, panels: Path | None) -> None:
    """Have every answer with Locust's figures carry the panels' rows as they stand now."""

    def with_rows(response: Response) -> Response:
        if request.endpoint != _FIGURES or not response.is_json:
            return response
        # Locust answers with one and the same response for two seconds: rows are put in anew.
        figures = response.get_json()
        figures["state"] = _STILL_SHOWN.get(figures["state"], figures["state"])
        figures["extended_stats"] = [
            {"key": panel.key, "data": [_shown(row) for row in panel.rows]}
            for panel in (read_panels(panels) if panels else ())
        ]
        response.set_data(json.dumps(figures))
        return response

    app.after_request(with_rows)


def forget_figures(app: Any) -> None:
    """Have the next answer be as things stand: Locust keeps one for two seconds.

    A page that has just started an attempt would take an old answer for its end.
    """
    app.view_functions[_FIGURES].clear_cache()


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON can carry it; a browser stops at a figure that is none."""
    return {
        key: _NONE if value is None or (isinstance(value, float) and not isfinite(value)) else value
        for key, value in row.items()
    }
