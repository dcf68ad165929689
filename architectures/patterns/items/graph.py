"""The graph of ``POST /v1/catalog/items``: who waits for whom, and what is sent back."""

from collections.abc import Mapping

from architectures.contract import API_KEY_HEADER, TIMEOUT_HEADER
from architectures.graph import Endpoint, Graph, Node
from architectures.patterns.tags import TAGS_SCHEMA, object_schema
from architectures.plugin import StageSpec

PRODUCT_HEADER = "X-Product"

STAGES: Mapping[str, StageSpec] = {
    "validate_item": StageSpec("validate_item", "light"),
    "find_product": StageSpec("find_product", "io"),
    "read_features": StageSpec("read_features", "io"),
    "moderate": StageSpec("moderate", "io"),
    "engineer_item": StageSpec("engineer_item", "light"),
    "write_item": StageSpec("write_item", "io"),
}

VERDICTS = ("approved", "rejected", "pending")
"""Of the moderation API; ``pending`` where it gave none in time: the item is taken, and waits."""

ORIGINS = ("stored", "default")
"""Of an item's features; ``default`` where the feature store has none or gave none in time."""

_NUMBER = {"type": "number"}

ITEMS = Graph(
    "catalog/items",
    (
        Node("validate_item", {"headers": "request.headers"}),
        # A key that cannot be one is refused first: then not even decoding can be had for nothing.
        Node("decode", {"body": "request.body"}, when="validate_item.well_formed"),
        Node(
            "find_product",
            {
                "key_id": "validate_item.key_id",
                "key_sha256": "validate_item.key_sha256",
                "sku": "validate_item.sku",
            },
        ),
        # Decoding runs beside the look-up; what costs more (a model, somebody else's bill) waits
        # until the caller is known, or any stranger could spend it.
        Node("detect", {"thumbnail": "decode.thumbnail"}, when="find_product.admitted"),
        Node(
            "moderate",
            {"body": "request.body", "due_ns": "validate_item.due_ns"},
            when="find_product.admitted",
        ),
        Node("read_features", {"tenant": "find_product.tenant", "sku": "validate_item.sku"}),
        Node("crop", {"working": "decode.working", "box": "detect.box"}),
        Node("classify_residual", {"crop": "crop.crop"}),
        Node(
            "engineer_item",
            {
                "scores": "classify_residual.scores",
                "box": "detect.box",
                "category": "find_product.category",
                "price_cents": "find_product.price_cents",
                "features": "read_features.features",
            },
        ),
        Node(
            "write_item",
            {
                "body": "request.body",
                "tenant_id": "find_product.tenant_id",
                "product_id": "find_product.product_id",
                "tags": "engineer_item.tags",
                "derived": "engineer_item.derived",
                "origin": "read_features.origin",
                "verdict": "moderate.verdict",
                "attempts": "moderate.attempts",
            },
        ),
    ),
    answer="write_item.answer",
    answer_schema=object_schema(
        {
            "item_id": {"type": "integer", "minimum": 1},
            "tags": TAGS_SCHEMA,
            "derived": object_schema(
                {
                    "coverage": _NUMBER,
                    "certainty": _NUMBER,
                    "mismatch": {"type": "boolean"},
                    "price_ratio": _NUMBER,
                    "conversion": _NUMBER,
                }
            ),
            "features": {"enum": list(ORIGINS)},
            "moderation": {"enum": list(VERDICTS)},
            "moderation_attempts": {"type": "integer", "minimum": 0},
        }
    ),
    endpoint=Endpoint(
        headers=tuple(h.lower() for h in (API_KEY_HEADER, PRODUCT_HEADER, TIMEOUT_HEADER))
    ),
    varies=True,
)
