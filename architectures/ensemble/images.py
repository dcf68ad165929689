"""Image files to small RGB arrays, and refusals for what is no usable image."""

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from architectures.contract import Problem
from architectures.ensemble.types import Bytes

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
MAX_PIXELS = 40_000_000

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to what turns the image upright; 1 is upright."""


def open_image(body: bytes) -> Image.Image:
    """Read an image's header: no pixel is decoded yet.

    Raises:
        Problem: ``not-an-image``, ``truncated-image`` or ``image-too-large`` (all 422).
    """
    try:
        image = Image.open(io.BytesIO(body), formats=tuple(FORMATS.values()))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("more") from error
    except UnidentifiedImageError as error:
        raise _unreadable(body) from error
    except Exception as error:
        # Pillow's header parsers let ValueError, struct.error, SyntaxError and more escape.
        raise _truncated() from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"{image.width} x {image.height}")
    return image


def decode(body: bytes, longest_px: int) -> Image.Image:
    """Decode an upright RGB image whose longest side is at most ``longest_px``.

    A JPEG is decoded at the smallest scale its transform allows (1/2, 1/4, 1/8) that still covers
    the target. Transparency is laid on white; of an animation the first frame is taken.

    Raises:
        Problem: as :func:`open_image`.
    """
    image = open_image(body)
    try:
        target = _fitted(image.size, longest_px)
        image.draft("RGB", target)
        orientation = image.getexif().get(_ORIENTATION, 1)
        rgb = _as_rgb(image)
        if rgb.size != target:
            rgb = rgb.resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return _upright(rgb, orientation)
    except Exception as error:
        # Corrupt pixel streams surface as OSError, SyntaxError, ValueError, EOFError and others.
        raise _truncated() from error


def shrink(image: Image.Image, side_px: int) -> Bytes:
    """An image as a ``(side_px, side_px, 3)`` square, its sides scaled apart."""
    square = image.resize((side_px, side_px), Image.Resampling.BILINEAR, reducing_gap=1.0)
    return np.asarray(square)


def cut(working: Bytes, window: tuple[int, int, int, int], side_px: int) -> Bytes:
    """A window of an image as a ``(side_px, side_px, 3)`` square; outside the image is black."""
    region = Image.fromarray(working).crop(window)
    return np.asarray(region.resize((side_px, side_px), Image.Resampling.BILINEAR))


def _fitted(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    width, height = size
    longest = max(width, height)
    if longest <= longest_px:
        return width, height
    return (
        max(round(width * longest_px / longest), 1),
        max(round(height * longest_px / longest), 1),
    )


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a channel, which Pillow would clip and not scale
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _unreadable(body: bytes) -> Problem:
    if body.startswith(_SIGNATURES):
        return _truncated()
    return Problem(
        "not-an-image", 422, "the body is not a JPEG, PNG or WebP image; send one of these"
    )


def _truncated() -> Problem:
    return Problem(
        "truncated-image", 422, "the image ends early or is damaged; send the whole file"
    )


def _too_large(found: str) -> Problem:
    return Problem(
        "image-too-large",
        422,
        f"the image has {found} pixels, the most is {MAX_PIXELS}; send a smaller one",
    )
