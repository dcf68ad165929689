"""A picture small enough to keep in the repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTH, HEIGHT, SCALE = 1200, 920, 1.5
MOST_BYTES = 250_000


@dataclass(frozen=True)
class Missing:
    """A picture that could not be drawn, and what to do about it."""

    name: str
    why: str


@contextmanager
def window(
    browser: Browser, scheme: Scheme, *, width: int = WIDTH, offline: bool = True
) -> Iterator[Page]:
    """A window of the pictures' size."""
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": HEIGHT},
        device_scale_factor=SCALE,
        offline=offline,
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def keep(shot: bytes, path: Path) -> Path:
    """Write a screenshot with as many colours, and then as many pixels, as fit ``MOST_BYTES``."""
    image = Image.open(BytesIO(shot)).convert("RGB")
    for colours, size in ((256, 1.0), (96, 1.0), (48, 1.0), (64, 0.67)):
        fitted = image.resize((round(image.width * size), round(image.height * size)))
        # Maximum coverage keeps a SUT's colour though few pixels have it.
        small = fitted.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            break
    return path
