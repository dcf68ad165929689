"""Tenants, their products, and the items they sent."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("key_id", sa.String(12), nullable=False, unique=True),
        sa.Column("key_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("quota", sa.Integer, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("price_cents", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant_id", "sku", name="one_sku_a_tenant"),
    )
    op.create_table(
        "items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("product_id", sa.Integer, sa.ForeignKey("products.id"), nullable=False),
        sa.Column("image_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("derived", sa.JSON, nullable=False),
        sa.Column("features", sa.String(16), nullable=False),
        sa.Column("moderation", sa.String(16), nullable=False),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
    op.create_index("ix_items_moderation", "items", ["moderation"])


def downgrade() -> None:
    """Drop the three tables."""
    for table in ("items", "products", "tenants"):
        op.drop_table(table)
