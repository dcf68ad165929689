"""The tables of the catalogue, as queries see them; ``migrations`` makes them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
)

METADATA = MetaData()

TENANTS = Table(
    "tenants",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("key_id", String(12), nullable=False, unique=True),
    Column("key_sha256", LargeBinary(32), nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("quota", Integer, nullable=False),
    Column("item_count", Integer, nullable=False, server_default="0"),
)
"""``item_count`` counts a tenant's rows of ``items``, so that its quota holds exactly."""

PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("sku", String(32), nullable=False),
    Column("category", String(32), nullable=False),
    Column("price_cents", Integer, nullable=False),
    UniqueConstraint("tenant_id", "sku", name="one_sku_a_tenant"),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id"), nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("image_sha256", LargeBinary(32), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("derived", JSON, nullable=False),
    Column("features", String(16), nullable=False),
    Column("moderation", String(16), nullable=False, index=True),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""``moderation`` is indexed: whoever moderates later asks for the rows that are pending."""
