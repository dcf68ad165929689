"""The demo catalogue: tenants, keys, products and features, the same on every machine.

Demo keys are derived from a public seed, so that a load plan can carry them: they open demo
tenants, and a real catalogue is filled by its owner, from keys drawn at random.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from architectures.contract import API_KEY_HEADER
from architectures.ensemble.attributes import CATEGORIES
from architectures.patterns.items.graph import PRODUCT_HEADER
from architectures.plugin import Example

SEED = 4
TENANTS = 16
PRODUCTS = 2 * len(CATEGORIES)
"""Of each tenant: two of each category."""

OPEN_QUOTA = 1_000_000_000
SUSPENDED = TENANTS
SMALL = TENANTS + 1
"""Two tenants more, that no example is sent by: one suspended, one with a quota of a few items."""

SMALL_QUOTA = 3
_MISDECLARED = 8
"""One example in so many is sent for a product of another category than it shows."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who may send items.

    Attributes:
        quota: most items it may have.
    """

    number: int
    name: str
    suspended: bool
    quota: int


@dataclass(frozen=True, slots=True)
class Product:
    """What an item is a photograph of."""

    sku: str
    category: str
    price_cents: int


def _drawn(*words: object) -> bytes:
    return hashlib.sha256("/".join(map(str, ("servebench", SEED, *words))).encode()).digest()


def _below(bound: int, *words: object) -> int:
    return int.from_bytes(_drawn(*words)[:8]) % bound


def key_of(tenant: int) -> str:
    """A tenant's API key: ``sbk_``, a public name to find it by, and 256 bits."""
    secret = urlsafe_b64encode(_drawn("secret", tenant)).rstrip(b"=").decode()
    return f"sbk_{_drawn('name', tenant).hex()[:12]}_{secret}"


def tenants() -> tuple[Tenant, ...]:
    """All demo tenants."""
    usual = [Tenant(i, f"tenant-{i}", suspended=False, quota=OPEN_QUOTA) for i in range(TENANTS)]
    return (
        *usual,
        Tenant(SUSPENDED, f"tenant-{SUSPENDED}", suspended=True, quota=OPEN_QUOTA),
        Tenant(SMALL, f"tenant-{SMALL}", suspended=False, quota=SMALL_QUOTA),
    )


def products(tenant: int) -> tuple[Product, ...]:
    """A tenant's products."""
    return tuple(
        Product(
            f"SKU-{tenant}-{i}",
            CATEGORIES[i % len(CATEGORIES)],
            500 + _below(20_000, "price", tenant, i),
        )
        for i in range(PRODUCTS)
    )


@cache
def features() -> tuple[tuple[str, str, dict[str, float]], ...]:
    """Tenant, SKU and features of every product."""
    return tuple(_features())


def _features() -> Iterator[tuple[str, str, dict[str, float]]]:
    for tenant in tenants():
        for product in products(tenant.number):
            views = 10 + _below(5_000, "views", product.sku)
            usual = 70 + _below(61, "usual", product.sku)  # in percent of its price
            yield (
                tenant.name,
                product.sku,
                {
                    "views": float(views),
                    "orders": float(_below(views, "orders", product.sku)),
                    "usual_price_cents": product.price_cents * usual / 100,
                },
            )


def request(example: Example) -> Example:
    """An example with the headers of a tenant and a product, both drawn by its key."""
    tenant = _below(TENANTS, "tenant", example.key)
    shown = CATEGORIES.index(example.label["category"])
    if _below(_MISDECLARED, "misdeclared", example.key) == 0:
        shown = (shown + 1) % len(CATEGORIES)
    second = len(CATEGORIES) * _below(2, "second", example.key)
    sku = f"SKU-{tenant}-{shown + second}"
    return replace(example, headers={API_KEY_HEADER: key_of(tenant), PRODUCT_HEADER: sku})
