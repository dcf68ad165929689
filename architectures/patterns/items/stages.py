"""Loading the stages: the settings are read here, and nothing is opened."""

from collections.abc import Callable

from architectures.graph import IoStage, Stage
from architectures.patterns.items import settings
from architectures.patterns.items.catalogue import FindProduct, WriteItem
from architectures.patterns.items.database import database_at
from architectures.patterns.items.engineering import engineer_items
from architectures.patterns.items.features import ReadFeatures
from architectures.patterns.items.moderation import Moderate
from architectures.patterns.items.validating import validate_items

_LOADERS: dict[str, Callable[[], Stage | IoStage]] = {
    "validate_item": lambda: validate_items,
    "find_product": lambda: FindProduct(database_at(settings.database())),
    "read_features": lambda: ReadFeatures(settings.features()),
    "moderate": lambda: Moderate(settings.moderation()),
    "engineer_item": lambda: engineer_items,
    "write_item": lambda: WriteItem(database_at(settings.database())),
}


def load(name: str) -> Stage | IoStage:
    """One stage.

    Raises:
        KeyError: no such stage.
        BackendError: an environment variable cannot be meant.
    """
    return _LOADERS[name]()
