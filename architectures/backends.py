"""Where a deployment's stateful parts are, told to its processes by environment variables.

URLs may hold credentials: they go from the harness's environment to the components' and nowhere
else, so never into a record or a log.
"""

import os
from collections.abc import Mapping
from pathlib import Path

DIRECTORY_VARIABLE = "SERVEBENCH_DIRECTORY"
"""The deployment's private folder, shared by its processes; embedded defaults live there."""

STATE_VARIABLE = "SERVEBENCH_STATE_URL"
"""Versions, weights, counters, feedback: ``redis://...``; SQLite in the folder where unset."""

DATABASE_VARIABLE = "SERVEBENCH_DATABASE_URL"
"""Tenants and products: ``postgresql://...``; SQLite in the folder where unset."""

FEATURES_VARIABLE = "SERVEBENCH_FEATURES_URL"
"""The feature store: ``redis://...``; SQLite in the folder where unset."""

MODERATION_VARIABLE = "SERVEBENCH_MODERATION_URL"
"""The external moderation API: ``http://HOST:PORT``."""

ADMIN_KEY_VARIABLE = "SERVEBENCH_ADMIN_KEY_SHA256"
"""SHA-256, in hex, of the key that opens the admin API; unset keeps it shut."""

URL_VARIABLES = (STATE_VARIABLE, DATABASE_VARIABLE, FEATURES_VARIABLE, MODERATION_VARIABLE)

DATABASE_POOL_VARIABLE = "SERVEBENCH_DATABASE_POOL"
DATABASE_TIMEOUT_VARIABLE = "SERVEBENCH_DATABASE_TIMEOUT_S"
FEATURES_POOL_VARIABLE = "SERVEBENCH_FEATURES_POOL"
FEATURES_TIMEOUT_VARIABLE = "SERVEBENCH_FEATURES_TIMEOUT_S"
MODERATION_POOL_VARIABLE = "SERVEBENCH_MODERATION_POOL"
MODERATION_TIMEOUT_VARIABLE = "SERVEBENCH_MODERATION_TIMEOUT_S"
MODERATION_RETRY_RATIO_VARIABLE = "SERVEBENCH_MODERATION_RETRY_RATIO"
MODERATION_OPEN_VARIABLE = "SERVEBENCH_MODERATION_OPEN_S"

LIMIT_VARIABLES = (
    DATABASE_POOL_VARIABLE,
    DATABASE_TIMEOUT_VARIABLE,
    FEATURES_POOL_VARIABLE,
    FEATURES_TIMEOUT_VARIABLE,
    MODERATION_POOL_VARIABLE,
    MODERATION_TIMEOUT_VARIABLE,
    MODERATION_RETRY_RATIO_VARIABLE,
    MODERATION_OPEN_VARIABLE,
)
"""Connections of one process to each part, and how long they are waited for.

``docs/patterns/business_logic.md`` says what each is where it is unset.
"""


class BackendError(Exception):
    """A stateful part is not there, or is not of a kind we know."""


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """Those URLs and limits that an environment names, to be passed on to a component."""
    named = (*URL_VARIABLES, *LIMIT_VARIABLES)
    return {name: environment[name] for name in named if environment.get(name)}


def directory() -> Path:
    """The deployment's private folder.

    Raises:
        BackendError: this process was not started by a deployment.
    """
    folder = os.environ.get(DIRECTORY_VARIABLE)
    if not folder:
        raise BackendError(
            f"{DIRECTORY_VARIABLE} is not set: give the folder in which state may be kept"
        )
    return Path(folder)


def url(variable: str) -> str | None:
    """What a variable says; None where it says nothing."""
    return os.environ.get(variable) or None
