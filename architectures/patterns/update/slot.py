"""A slot: the stage that hosts whichever version of a model the rollout gives it.

Another version is loaded and warmed up on the follower's thread; the batches of the serving path
go on with the one before, and take the other from one assignment on. A batch is of one version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

import numpy as np

from architectures.ensemble import model_stages
from architectures.ensemble.tiers import BY_NAME
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns.update.rollout import KNOWN_GOOD, ROLLOUT, Release, Rollout, from_json
from architectures.patterns.update.swaps import record_swap
from architectures.state import Follower, Published, Store, replica

_WARM_UP_BATCHES = (1, 2, 4, 8)
"""A batch size's first run makes its kernels and buffers; served sizes in between share most."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A release and its loaded network.

    ``published_ns`` and ``adopted_ns`` are None for what a replica began with: it never answered
    with anything before it.
    """

    release: Release
    run: Stage
    published_ns: int | None = None
    adopted_ns: int | None = None


class Slot:
    """A stage: ``crop`` to ``scores``, and who gave them as ``served``.

    A slot is never empty: until it has heard of a release, and where one cannot be loaded, it goes
    on with what it has, so that a request routed by a replica that heard earlier is answered. What
    it says it is, is what answered.

    Args:
        slot: one of ``rollout.SLOTS``.
        tier: of the ensemble.
        device: a torch device.
        threads: torch's intra-op threads.
        store: where the rollout is followed.
    """

    def __init__(self, slot: str, tier: str, device: str, threads: int, store: Store) -> None:
        self._slot = slot
        self._tier = BY_NAME[tier]
        self._device = device
        self._threads = threads
        self._store = store
        first = Rollout().known_good
        self._held = _Held(first, self._load(first))
        self._in_use = False
        self._follower = Follower(store, ROLLOUT, self._apply)

    def __call__(self, batch: Sequence[Inputs]) -> list[Outputs]:
        """Classify a batch with what the slot holds."""
        # A replica that has just started must not answer with what was rolled back; a shadow may
        # wait, and nobody must wait for it.
        self._follower.follow(at_once=self._slot == KNOWN_GOOD)
        self._in_use = True
        held = self._held
        served = self._served(held)
        return [{**outputs, "served": served} for outputs in _scores(held.run, batch)]

    def _served(self, held: _Held) -> dict[str, Any]:
        return {
            "slot": self._slot,
            "version": held.release.version,
            "model": held.release.model,
            "replica": replica(),
            "published_ns": held.published_ns,
            "adopted_ns": held.adopted_ns,
        }

    def _apply(self, published: Published) -> None:
        """Hold what the rollout gives this slot; called on the follower's thread."""
        release = from_json(published.blob).held_by(self._slot)
        if release is None or release == self._held.release:
            return
        seen_ns = monotonic_ns()
        try:
            run = self._load(release)
            self._warm_up(run)
        except Exception as error:
            self._record(published, release, seen_ns, failed=type(error).__name__)
            raise
        if self._slot == KNOWN_GOOD and not self._in_use:
            self._held = _Held(release, run)
            return
        self._held = _Held(release, run, published.published_ns, monotonic_ns())
        self._record(published, release, seen_ns, serving_ns=self._held.adopted_ns)

    def _record(
        self, published: Published, release: Release, seen_ns: int, **became: object
    ) -> None:
        swap = {
            "slot": self._slot,
            "replica": replica(),
            "version": release.version,
            "published_ns": published.published_ns,
            "seen_ns": seen_ns,
        }
        record_swap(self._store, {**swap, **became})

    def _load(self, release: Release) -> Stage:
        blob = None if release.weights is None else self._blob(*release.weights)
        stage = f"classify_{release.model}"
        return model_stages.load(stage, self._tier, self._device, self._threads, blob)

    def _blob(self, name: str, version: int) -> bytes:
        published = self._store.read(name, version)
        if published is None:
            raise LookupError(f"version {version} of {name!r} is not kept any more")
        return published.blob

    def _warm_up(self, run: Stage) -> None:
        side = self._tier.crop_px
        grey = {"crop": np.full((side, side, 3), 128, np.uint8)}
        for size in _WARM_UP_BATCHES:
            for outputs in _scores(run, [grey] * size):
                if not np.isfinite(outputs["scores"]).all():
                    raise ValueError("the weights give no numbers")


def _scores(run: Stage, batch: Sequence[Inputs]) -> list[Any]:
    """A classifier's outputs; it refuses nobody."""
    return list(run([{"crop": member["crop"]} for member in batch]))
