"""What a run asked, as keys and values that must agree before its figures may be compared.

Keys rather than one digest: a refusal names what differs. Paths of the machine are left out, and so
are addresses: of a running service only a digest is kept. Payloads, traces and frozen load plans
stand in by their digests; reference answers do not, for they are what is answered.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from harness.record import RunRecord

SECTIONS = (
    "load", "policy", "budget", "ensemble", "slo", "capacity", "generator", "events",
)  # fmt: skip
_PATHS = {"load.trace", "ensemble.search_path"}
_ASKED = ("payloads", "plans/", "trace")


def workload_of(record: RunRecord) -> dict[str, str]:
    """Key -> value, as text.

    Returns:
        Dotted keys of the scenario (``load.steady_s``), values as JSON; ``remote``, a digest of the
        running services; ``files.<path>``, the digest of each file of what is asked.
    """
    scenario = record.scenario
    found: dict[str, str] = {}
    for section in SECTIONS:
        if scenario.get(section):
            found.update(_leaves(section, scenario[section]))
    if scenario.get("remote"):
        text = json.dumps(scenario["remote"], sort_keys=True)
        found["remote"] = sha256(text.encode()).hexdigest()
    files = {path: digest for path, digest in record.digests.items() if path.startswith(_ASKED)}
    found.update({f"files.{path}": digest for path, digest in files.items()})
    return dict(sorted(found.items()))


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if key in _PATHS:
        return
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}", inner)
    else:
        yield key, json.dumps(value, sort_keys=True)
