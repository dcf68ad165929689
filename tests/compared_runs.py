"""Runs of known truth for a comparison: simulated, as if recorded at a revision of another day."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, Plan, Truth, simulate

PLAN = Plan(suts=(MONOLITH, MICROSERVICES), rates=(60.0,), blocks=6, warm_up_s=0.5, steady_s=2.0)
SLOWER = replace(MONOLITH, service_ms=7.2, cpu_ms=7.2)
"""By a fifth."""

A, B = "a" * 40, "b" * 40


def plant(
    runs: Path,
    name: str,
    revision: str,
    *suts: Truth,
    seed: int = 7,
    created: str = "2026-11-20T10:00:00+00:00",
    ceiling: float = 1.0,
    sections: Mapping[str, Mapping[str, Any]] | None = None,
    fields: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write a run, its digests as if every seed had drawn one and the same load.

    Args:
        ceiling: what its in-process ceiling took, of what it takes otherwise.
        sections: of the record, entries that are laid over its own: ``scenario``, ``ensemble``,
            ``fingerprint``, ``description``.
        fields: of the record, given anew.
        changes: of the plan.
    """
    plan = replace(PLAN, suts=suts or PLAN.suts, seed=seed, **changes)
    simulate(runs / name, plan)
    path = runs / name / "run.json"
    document = json.loads(path.read_text())
    for point in document["ceiling"]:
        point["wall_s"] *= ceiling
        point["cpu_s"] *= ceiling
    document |= {
        "run_id": name,
        "created_utc": created,
        "digests": {"payloads.parquet": "p", "plans/b00-s00.parquet": "q"},
        "backends": {"state": "sqlite"},
    }
    environment = document["environment"]
    environment["description"] |= {"revision": revision, "changed_files": "0"}
    for section, entries in (sections or {}).items():
        within = environment if section in environment else document
        within[section] |= entries
    path.write_text(json.dumps(document | dict(fields or {})))
    return runs / name
