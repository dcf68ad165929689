"""Model sizes by tier, as plain data: nothing here needs torch."""

from dataclasses import dataclass

Trunk = tuple[tuple[int, int, int], ...]
"""Groups of blocks: ``(width, blocks, stride of the first)``."""


@dataclass(frozen=True, slots=True)
class ResidualSize:
    """Stem widths (each halves the image), then residual groups."""

    stem: tuple[int, ...]
    trunk: Trunk


@dataclass(frozen=True, slots=True)
class DepthwiseSize:
    """Stem widths, inverted-residual groups, their expansion, and the last width."""

    stem: tuple[int, ...]
    trunk: Trunk
    expansion: int
    last: int


@dataclass(frozen=True, slots=True)
class HybridSize:
    """A convolutional stem, then ``depth`` transformer blocks over its 1/16 grid."""

    stem: tuple[int, ...]
    trunk: Trunk
    width: int
    depth: int
    heads: int


@dataclass(frozen=True, slots=True)
class DetectorSize:
    """A residual trunk, squeezed to ``squeeze`` channels and read by one hidden layer."""

    stem: tuple[int, ...]
    trunk: Trunk
    squeeze: int
    hidden: int


@dataclass(frozen=True, slots=True)
class KeypointSize:
    """An encoder whose three scales, from 1/4 to 1/16, are added up again at 1/4."""

    stem: tuple[int, int]
    widths: tuple[int, int, int]
    blocks: int


@dataclass(frozen=True, slots=True)
class CaptionSize:
    """Widths of the reader of findings and of the recurrent writer."""

    reader: int
    writer: int


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of the ensemble.

    Attributes:
        working_px: longest side of the image that stages pass on.
        thumbnail_px: side of the square the detector reads.
        crop_px: side of the square the classifiers and the keypoint model read.
    """

    name: str
    working_px: int
    thumbnail_px: int
    crop_px: int
    detect: DetectorSize
    classify_residual: ResidualSize
    classify_depthwise: DepthwiseSize
    classify_hybrid: HybridSize
    keypoints: KeypointSize
    caption: CaptionSize


TINY = Tier(
    "tiny",
    working_px=256,
    thumbnail_px=128,
    crop_px=96,
    detect=DetectorSize((16, 32), ((48, 1, 2), (64, 1, 2)), squeeze=32, hidden=128),
    classify_residual=ResidualSize((16, 32), ((32, 1, 1), (64, 1, 2), (128, 1, 2))),
    classify_depthwise=DepthwiseSize(
        (16, 24), ((24, 1, 1), (48, 2, 2), (96, 2, 2)), expansion=3, last=192
    ),
    classify_hybrid=HybridSize((16, 32), ((64, 1, 2),), width=96, depth=3, heads=3),
    keypoints=KeypointSize((16, 24), (48, 72, 96), blocks=1),
    caption=CaptionSize(reader=128, writer=128),
)

SMALL = Tier(
    "small",
    working_px=320,
    thumbnail_px=160,
    crop_px=128,
    detect=DetectorSize((24, 48), ((72, 1, 2), (96, 1, 2)), squeeze=32, hidden=192),
    classify_residual=ResidualSize((24, 48), ((48, 1, 1), (96, 1, 2), (192, 1, 2))),
    classify_depthwise=DepthwiseSize(
        (24, 32), ((32, 2, 1), (64, 3, 2), (128, 3, 2)), expansion=3, last=256
    ),
    classify_hybrid=HybridSize((24, 48), ((96, 1, 2),), width=160, depth=3, heads=5),
    keypoints=KeypointSize((16, 32), (48, 96, 128), blocks=1),
    caption=CaptionSize(reader=256, writer=512),
)

BASE = Tier(
    "base",
    working_px=448,
    thumbnail_px=224,
    crop_px=224,
    detect=DetectorSize(
        (32, 64), ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)), squeeze=64, hidden=512
    ),
    classify_residual=ResidualSize((32, 64), ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2))),
    classify_depthwise=DepthwiseSize(
        (32, 48), ((48, 2, 1), (96, 3, 2), (192, 4, 2)), expansion=4, last=768
    ),
    classify_hybrid=HybridSize((32, 64), ((128, 2, 2),), width=256, depth=8, heads=4),
    keypoints=KeypointSize((32, 64), (64, 128, 256), blocks=2),
    caption=CaptionSize(reader=512, writer=1024),
)

BY_NAME = {tier.name: tier for tier in (TINY, SMALL, BASE)}
