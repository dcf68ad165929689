"""Were the runs of one page made in one environment?"""

from collections.abc import Mapping

from harness.record import Environment

_BY_SCENARIO = ("weights_digest", "sut_cores", "sut_memory_bytes")
"""What a scenario asks for: it differs between runs of different scenarios, and may."""


def in_common(environments: Mapping[str, Environment]) -> dict[str, str]:
    """Entries of the fingerprint on which all runs agree."""
    prints = [_asked_of_nobody(one) for one in environments.values()]
    first = prints[0] if prints else {}
    return {
        key: value for key, value in first.items() if all(one.get(key) == value for one in prints)
    }


def apart(environments: Mapping[str, Environment]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Entries on which they do not: key -> value -> the runs that have it."""
    keys = dict.fromkeys(key for one in environments.values() for key in _asked_of_nobody(one))
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for key in keys:
        by_value: dict[str, tuple[str, ...]] = {}
        for run_id, environment in environments.items():
            value = environment.fingerprint.get(key, "not recorded")
            by_value[value] = (*by_value.get(value, ()), run_id)
        if len(by_value) > 1:
            found[key] = by_value
    return found


def _asked_of_nobody(environment: Environment) -> dict[str, str]:
    known = environment.fingerprint.items()
    return {key: value for key, value in known if key not in _BY_SCENARIO}
