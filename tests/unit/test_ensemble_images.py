"""Decoding: every usable file gives a small upright RGB image, every other one a Problem."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from architectures.contract import Problem
from architectures.ensemble import MEDIA_TYPES, corpus, images, load_stage
from architectures.ensemble.light_stages import crop_window

JPEG = corpus.example(corpus.key("held_out", 3, 1)).body
DECODE = load_stage("decode", "tiny")


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def bars(width: int, height: int) -> Image.Image:
    """Red left half, blue right half."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def near(pixel: Any, colour: tuple[int, ...]) -> bool:
    return all(abs(int(a) - b) < 40 for a, b in zip(pixel, colour, strict=True))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(224, 224), (640, 480), (37, 900), (1, 1)])
def test_all_formats_give_a_bounded_working_image_and_a_thumbnail(form: str, size: Any) -> None:
    (found,) = DECODE([{"body": encoded(bars(*size), form)}])
    height, width = found["working"].shape[:2]
    assert max(width, height) == min(max(size), 256)
    assert found["thumbnail"].shape == (128, 128, 3)
    assert found["working"].dtype == found["thumbnail"].dtype == np.uint8
    if size[0] > 1:
        assert near(found["working"][height // 2, 1], (255, 0, 0))
        assert near(found["working"][height // 2, width - 2], (0, 0, 255))


@pytest.mark.parametrize(
    ("mode", "fill", "seen"),
    [
        ("L", 200, (200, 200, 200)),
        ("1", 1, (255, 255, 255)),
        ("LA", (0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("I;16", 0x8000, (128, 128, 128)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode: str, fill: Any, seen: tuple[int, ...]) -> None:
    body = encoded(Image.new(mode, (40, 30), fill), "PNG")
    assert near(images.decode(body, 256).getpixel((20, 15)), seen)


def test_a_transparent_palette_shows_white() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30] * 256)
    assert images.decode(encoded(image, "PNG", transparency=0), 8).getpixel((4, 4)) == (255,) * 3


def test_cmyk_jpegs_are_read() -> None:
    assert images.decode(encoded(Image.new("CMYK", (32, 32)), "JPEG"), 64).mode == "RGB"


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [(1, (120, 60), (5, 30)), (3, (120, 60), (115, 30)), (6, (60, 120), (30, 5)),
     (8, (60, 120), (30, 115)), (2, (120, 60), (115, 30)), (5, (60, 120), (30, 5))],
)  # fmt: skip
def test_exif_orientation_is_undone(orientation: int, size: Any, red: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = images.decode(encoded(bars(120, 60), "JPEG", exif=exif), 256)
    assert upright.size == size
    assert near(upright.getpixel(red), (255, 0, 0))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_shows_its_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    body = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert near(images.decode(body, 64).getpixel((32, 32)), (255, 0, 0))


def test_a_big_jpeg_is_decoded_at_a_reduced_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(images, "_as_rgb", lambda image: seen.append(image.size) or image)
    images.decode(encoded(bars(2048, 1024), "JPEG"), 256)
    assert seen == [(256, 128)]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"", "not-an-image"),
        (b"plain words, no image at all", "not-an-image"),
        (encoded(bars(20, 20), "GIF"), "not-an-image"),
        (JPEG[:3], "truncated-image"),
        (JPEG[:100], "truncated-image"),
        (JPEG[: len(JPEG) // 2], "truncated-image"),
        (encoded(bars(300, 300), "PNG")[:200], "truncated-image"),
        (encoded(bars(300, 300), "WEBP")[:60], "truncated-image"),
        (png_bomb(20_000, 2_001), "image-too-large"),
        (png_bomb(60_000, 60_000), "image-too-large"),
    ],
)
def test_bad_bodies_are_refused_by_name(body: bytes, slug: str) -> None:
    (problem,) = DECODE([{"body": body}])
    assert isinstance(problem, Problem)
    assert (problem.slug, problem.status) == (slug, 422)
    assert "send" in problem.detail


def test_a_bad_member_does_not_spoil_its_batch() -> None:
    first, second, third = DECODE([{"body": JPEG}, {"body": b"?"}, {"body": JPEG}])
    assert isinstance(second, Problem)
    np.testing.assert_array_equal(first["working"], third["working"])


SEEDS = [JPEG, *(encoded(bars(33, 21), form) for form in ("PNG", "WEBP", "JPEG"))]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SEEDS), st.data())
def test_no_damage_raises(body: bytes, data: st.DataObject) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, min(len(body), 700) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    (found,) = DECODE([{"body": bytes(damaged[:cut] if data.draw(st.booleans()) else damaged)}])
    assert isinstance(found, Problem) or found["working"].ndim == 3


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(body: bytes) -> None:
    (found,) = DECODE([{"body": body}])
    assert isinstance(found, Problem)


shares = st.floats(0, 1, width=32)


@settings(deadline=None)
@given(st.tuples(shares, shares, shares, shares), st.integers(1, 300), st.integers(1, 300))
def test_a_window_is_square_and_inside_where_it_fits(
    box: tuple[float, ...], width: int, height: int
) -> None:
    window = crop_window(np.array(box, np.float32), width, height)
    x, y, far_x, far_y = window
    assert far_x - x == far_y - y >= 8
    if far_x - x <= min(width, height):
        assert min(x, y) >= 0
        assert far_x <= width
        assert far_y <= height
    assert images.cut(np.zeros((height, width, 3), np.uint8), window, 96).shape == (96, 96, 3)


def test_the_formats_are_those_of_the_media_types() -> None:
    assert MEDIA_TYPES == ("image/jpeg", "image/png", "image/webp")
