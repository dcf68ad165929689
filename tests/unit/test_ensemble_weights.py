"""Weights: small, no pickle, named by what they hold; the untrained tier says so."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from architectures import ensemble
from architectures.ensemble import weights
from architectures.ensemble.graphs import MODELS
from architectures.ensemble.models import ConvNorm, ResidualBlock, build, fold
from architectures.ensemble.tiers import BASE, TINY


@pytest.mark.parametrize("tier", ensemble.TIERS)
def test_descriptions_name_every_model(tier: str) -> None:
    description = ensemble.describe(tier)
    assert description.tier == tier
    assert description.models.keys() == set(MODELS)
    assert len(set(description.models.values())) == len(MODELS)
    assert len(description.weights_digest) == 64
    assert description.meaningful == (tier != "base")


def test_trained_weights_are_small_and_safe_files() -> None:
    for tier, limit in (("tiny", 5e6), ("small", 15e6)):
        files = sorted(weights.path(tier, "x").parent.glob("*"))
        assert {file.suffix for file in files} == {".safetensors", ".json"}
        assert sum(file.stat().st_size for file in files) < limit


def test_a_version_is_the_digest_of_its_file() -> None:
    body = weights.path("tiny", "detect").read_bytes()
    assert ensemble.describe("tiny").models["detect"] == (
        f"tiny-{hashlib.sha256(body).hexdigest()[:8]}"
    )


def test_seeded_weights_are_the_same_each_time_and_finite() -> None:
    one, other = (weights.load("classify_depthwise", BASE).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    model = weights.load("classify_residual", BASE)
    assert model(torch.rand(1, 3, 224, 224)).abs().max() < 1e3


def test_folding_changes_no_output() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(ResidualBlock(3, 8, 2), ResidualBlock(8, 8, 1))
    for _ in range(5):
        model(torch.randn(8, 3, 16, 16) * 2 + 1)
    x = torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        before = model.eval()(x)
        after = fold(model)(x)
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-5)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in model.modules())


def test_saved_weights_load_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(weights, "_ROOT", tmp_path)
    models = {name: build(name, TINY).eval() for name in MODELS}
    for name, model in models.items():
        weights.save(model, "tiny", name)
    loaded = weights.load("classify_hybrid", TINY)
    x = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), models["classify_hybrid"](x), atol=1e-2, rtol=1e-2)
    assert not any(p.requires_grad for p in loaded.parameters())
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    assert any(isinstance(part, ConvNorm) for part in loaded.modules())
