"""The six networks, sized by their tier."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from architectures.ensemble.attributes import KEYPOINTS, SCORES
from architectures.ensemble.captions import END, LENGTH, VOCABULARY
from architectures.ensemble.tiers import (
    CaptionSize,
    DepthwiseSize,
    DetectorSize,
    HybridSize,
    KeypointSize,
    ResidualSize,
    Tier,
    Trunk,
)

FINDINGS = SCORES + 4 + 3 + 2 * KEYPOINTS
"""What the captioner reads: mean scores, box, its width, height and longer side, keypoints."""


class ConvNorm(nn.Module):
    """Convolution and batch norm; :func:`fold` leaves only the convolution, with a bias."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(b, inputs, h, w)`` to ``(b, outputs, h / stride, w / stride)``."""
        out: Tensor = self.norm(self.conv(x))
        return out


class ConvRelu(ConvNorm):
    """A :class:`ConvNorm` and a rectifier."""

    def forward(self, x: Tensor) -> Tensor:
        """As :class:`ConvNorm`, never negative."""
        return functional.relu(super().forward(x), inplace=True)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added back."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvRelu(inputs, outputs, 3, stride)
        self.second = ConvNorm(outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.around = nn.Identity() if same else ConvNorm(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """``(b, inputs, h, w)`` to ``(b, outputs, h / stride, w / stride)``."""
        return functional.relu(self.second(self.first(x)).add_(self.around(x)), inplace=True)


class DepthwiseBlock(nn.Module):
    """An inverted residual: widen, filter each channel apart, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.body = nn.Sequential(
            ConvRelu(inputs, hidden, 1, 1),
            ConvRelu(hidden, hidden, 3, stride, hidden),
            ConvNorm(hidden, outputs, 1, 1),
        )
        self.keeps = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """``(b, inputs, h, w)`` to ``(b, outputs, h / stride, w / stride)``."""
        out: Tensor = self.body(x)
        return out.add_(x) if self.keeps else out


def _stem(widths: tuple[int, ...]) -> nn.Sequential:
    pairs = zip((3, *widths), widths, strict=False)
    return nn.Sequential(*(ConvRelu(inputs, outputs, 3, 2) for inputs, outputs in pairs))


def _steps(inputs: int, trunk: Trunk) -> list[tuple[int, int, int]]:
    """``(inputs, outputs, stride)`` of every block of a trunk."""
    steps = []
    for width, blocks, stride in trunk:
        for block in range(blocks):
            steps.append((inputs, width, stride if block == 0 else 1))
            inputs = width
    return steps


def _residual_trunk(stem: tuple[int, ...], trunk: Trunk) -> nn.Sequential:
    blocks = (ResidualBlock(*step) for step in _steps(stem[-1], trunk))
    return nn.Sequential(_stem(stem), *blocks)


class ResidualClassifier(nn.Module):
    """A small residual network."""

    def __init__(self, size: ResidualSize) -> None:
        super().__init__()
        self.trunk = _residual_trunk(size.stem, size.trunk)
        self.head = nn.Linear(size.trunk[-1][0], SCORES)

    def forward(self, x: Tensor) -> Tensor:
        """Crops ``(b, 3, side, side)`` to logits ``(b, SCORES)``."""
        out: Tensor = self.head(self.trunk(x).mean((2, 3)))
        return out


class DepthwiseClassifier(nn.Module):
    """A depthwise-separable network of the MobileNet kind."""

    def __init__(self, size: DepthwiseSize) -> None:
        super().__init__()
        steps = _steps(size.stem[-1], size.trunk)
        self.trunk = nn.Sequential(
            _stem(size.stem),
            *(DepthwiseBlock(*step, size.expansion) for step in steps),
            ConvRelu(size.trunk[-1][0], size.last, 1, 1),
        )
        self.head = nn.Linear(size.last, SCORES)

    def forward(self, x: Tensor) -> Tensor:
        """Crops ``(b, 3, side, side)`` to logits ``(b, SCORES)``."""
        out: Tensor = self.head(self.trunk(x).mean((2, 3)))
        return out


class AttentionBlock(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Tokens ``(b, tokens, width)`` to the same shape."""
        batch, count, width = x.shape
        packed = self.project(self.before(x)).view(batch, count, 3, self.heads, -1)
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.join(mixed.transpose(1, 2).reshape(batch, count, width))
        out: Tensor = x + self.feed(self.between(x))
        return out


class HybridClassifier(nn.Module):
    """Convolutions down to a 1/16 grid, then attention among its cells."""

    def __init__(self, size: HybridSize, crop_px: int) -> None:
        super().__init__()
        self.trunk = _residual_trunk(size.stem, size.trunk)
        self.patch = nn.Conv2d(size.trunk[-1][0], size.width, 3, 2, 1)
        self.places = nn.Parameter(torch.randn(1, (crop_px // 16) ** 2, size.width) * 0.02)
        self.blocks = nn.Sequential(
            *(AttentionBlock(size.width, size.heads) for _ in range(size.depth))
        )
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, SCORES)

    def forward(self, x: Tensor) -> Tensor:
        """Crops ``(b, 3, side, side)`` to logits ``(b, SCORES)``."""
        cells = self.patch(self.trunk(x)).flatten(2).transpose(1, 2)
        out: Tensor = self.head(self.norm(self.blocks(cells + self.places)).mean(1))
        return out


class Detector(nn.Module):
    """One box an image, regressed from the whole grid."""

    def __init__(self, size: DetectorSize, thumbnail_px: int) -> None:
        super().__init__()
        self.trunk = _residual_trunk(size.stem, size.trunk)
        self.squeeze = ConvRelu(size.trunk[-1][0], size.squeeze, 1, 1)
        shrink = 2 ** len(size.stem)
        for _, _, stride in size.trunk:
            shrink *= stride
        cells = (thumbnail_px // shrink) ** 2
        self.hidden = nn.Linear(size.squeeze * cells, size.hidden)
        self.head = nn.Linear(size.hidden, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Thumbnails ``(b, 3, side, side)`` to boxes ``(b, 4)``, xyxy shares of the image."""
        grid = self.squeeze(self.trunk(x)).flatten(1)
        middle, half = self.head(functional.relu(self.hidden(grid))).sigmoid().split(2, 1)
        half = half / 2
        return torch.cat((middle - half, middle + half), 1)


class KeypointFinder(nn.Module):
    """Five heat maps at 1/4 of the crop; a keypoint is the mean place of its map."""

    def __init__(self, size: KeypointSize) -> None:
        super().__init__()
        fine, middle, coarse = size.widths
        entry, quarter = size.stem
        self.entry = ConvRelu(3, entry, 3, 2)
        self.fine = _scale(entry, quarter, fine, size.blocks)
        self.middle = _group(fine, middle, size.blocks)
        self.coarse = _group(middle, coarse, size.blocks)
        self.from_coarse = ConvRelu(coarse, middle, 1, 1)
        self.from_middle = ConvRelu(middle, fine, 1, 1)
        self.blend = ConvRelu(fine, fine, 3, 1)
        self.maps = nn.Conv2d(fine, KEYPOINTS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Crops ``(b, 3, side, side)`` to points ``(b, 5, 2)``, xy shares of the crop."""
        fine = self.fine(self.entry(x))
        middle = self.middle(fine)
        up = functional.interpolate(self.from_coarse(self.coarse(middle)), scale_factor=2.0)
        up = functional.interpolate(self.from_middle(middle + up), scale_factor=2.0)
        heat = self.maps(self.blend(fine + up)).float()
        batch, count, height, width = heat.shape
        mass = heat.reshape(batch, count, -1).softmax(-1).view(batch, count, height, width)
        x_steps = (torch.arange(width, device=x.device) + 0.5) / width
        y_steps = (torch.arange(height, device=x.device) + 0.5) / height
        return torch.stack(((mass.sum(2) * x_steps).sum(-1), (mass.sum(3) * y_steps).sum(-1)), -1)


def _scale(entry: int, quarter: int, fine: int, blocks: int) -> nn.Sequential:
    steps = _steps(quarter, ((fine, blocks, 1),))
    return nn.Sequential(ConvRelu(entry, quarter, 3, 2), *(ResidualBlock(*step) for step in steps))


def _group(inputs: int, width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(*step) for step in _steps(inputs, ((width, blocks, 2),))))


class Captioner(nn.Module):
    """A recurrent writer (GRU) over what earlier stages found.

    A word's and the findings' shares of the gates are kept as tables, so that a step multiplies
    only by the state.
    """

    def __init__(self, size: CaptionSize) -> None:
        super().__init__()
        self.reader = nn.Sequential(
            nn.Linear(FINDINGS, size.reader),
            nn.ReLU(),
            nn.Linear(size.reader, size.reader),
            nn.ReLU(),
        )
        self.first = nn.Linear(size.reader, size.writer)
        self.context = nn.Linear(size.reader, 3 * size.writer)
        self.words = nn.Embedding(len(VOCABULARY), 3 * size.writer)
        self.state = nn.Linear(size.writer, 3 * size.writer)
        self.head = nn.Linear(size.writer, len(VOCABULARY))

    def _step(self, words: Tensor, context: Tensor, state: Tensor) -> Tensor:
        outer_reset, outer_keep, outer_new = (self.words(words) + context).chunk(3, 1)
        inner_reset, inner_keep, inner_new = self.state(state).chunk(3, 1)
        reset = torch.sigmoid(outer_reset + inner_reset)
        new = torch.tanh(outer_new + reset * inner_new)
        return torch.lerp(new, state, torch.sigmoid(outer_keep + inner_keep))

    def _start(self, findings: Tensor) -> tuple[Tensor, Tensor]:
        read = self.reader(findings)
        return self.context(read), torch.tanh(self.first(read))

    def forward(self, findings: Tensor, tokens: Tensor) -> Tensor:
        """Logits ``(b, LENGTH, words)`` of each next word, given the true words before it."""
        context, state = self._start(findings)
        told = functional.pad(tokens, (1, 0), value=END)
        states = []
        for step in range(LENGTH):
            state = self._step(told[:, step], context, state)
            states.append(state)
        out: Tensor = self.head(torch.stack(states, 1))
        return out

    def write(self, findings: Tensor) -> Tensor:
        """The likeliest next word, ``LENGTH`` times: tokens ``(b, LENGTH)``.

        Always ``LENGTH`` steps, so that a caption costs the same whoever shares its batch.
        """
        context, state = self._start(findings)
        word = torch.full((len(findings),), END, dtype=torch.long, device=findings.device)
        written = []
        for _ in range(LENGTH):
            state = self._step(word, context, state)
            word = self.head(state).argmax(1)
            written.append(word)
        return torch.stack(written, 1)


def build(name: str, tier: Tier) -> nn.Module:
    """The network of a model stage, not yet folded."""
    match name:
        case "detect":
            return Detector(tier.detect, tier.thumbnail_px)
        case "classify_residual":
            return ResidualClassifier(tier.classify_residual)
        case "classify_depthwise":
            return DepthwiseClassifier(tier.classify_depthwise)
        case "classify_hybrid":
            return HybridClassifier(tier.classify_hybrid, tier.crop_px)
        case "keypoints":
            return KeypointFinder(tier.keypoints)
        case "caption":
            return Captioner(tier.caption)
        case _:
            raise KeyError(name)


def fold(model: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution before it, for inference only."""
    for block in model.modules():
        if isinstance(block, ConvNorm) and isinstance(block.norm, nn.BatchNorm2d):
            block.conv = nn.utils.fusion.fuse_conv_bn_eval(block.conv.eval(), block.norm.eval())
            block.norm = nn.Identity()
    return model
