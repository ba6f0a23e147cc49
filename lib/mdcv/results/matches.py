"""Which matches between two views are right? A network on the set of them, against RANSAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mdcv.data import Matches, correspondences
from mdcv.pointnet import OutlierNet, ransac_essential, train_outlier_net
from mdcv.results.clouds import HELD_OUT
from mdcv.results.measurement import Measurement
from mdcv.seeds import generator

RIGHT, FOUND = "precision, %", "recall, %"
F_SCORE = "F₁, %"
#: The shares of right matches that both are asked about, and that the network has learned from.
SHARES = (0.5, 0.3, 0.2, 0.1)


@dataclass(frozen=True)
class MatchSizes:
    """How many scenes for each share, how many matches in each, and how long both may try."""

    seen: int
    held_out: int
    matches: int
    steps: int
    batch: int
    width: int
    blocks: int
    trials: int


SIZES = {
    "smoke": MatchSizes(2, 2, 32, 2, 2, 8, 1, 32),
    "cpu": MatchSizes(300, 15, 256, 300, 16, 64, 4, 2048),
    "gpu": MatchSizes(20_000, 200, 1024, 20_000, 32, 128, 12, 16_384),
}


def data_name(share: float) -> str:
    """What the table calls scenes with this share of right matches.

    >>> data_name(0.3)
    'matches, 30 % right'
    """
    return f"matches, {100 * share:.0f} % right"


def measure_matches(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """Precision, recall and F₁ of what each takes for right, over all held-out scenes of a share.

    The network learns from scenes of all four shares together and judges a set in one pass;
    RANSAC learns nothing, and stops when it is sure by 99.9 % or out of trials.
    """
    sizes = SIZES[preset]
    asked = {share: _draw(sizes.held_out, share, sizes, HELD_OUT, device) for share in SHARES}
    for seed in seeds:
        network = _train(sizes, seed, device, progress)
        for share, (pairs, is_inlier, _) in asked.items():
            rng = generator(seed, device)
            with torch.no_grad():
                answers = {"network on the set": network(pairs) > 0}
            search = ransac_essential(pairs, max_trials=sizes.trials, generator=rng)
            answers["RANSAC"] = search.is_inlier
            for model, answer in answers.items():
                for measure, value in scores(answer, is_inlier).items():
                    yield Measurement(data_name(share), model, measure, seed, value)


def scores(answer: Tensor, truth: Tensor) -> dict[str, float]:
    """Precision, recall and their harmonic mean in percent; 0 where nothing right was found.

    >>> answer, truth = torch.tensor([True, True, False]), torch.tensor([True, False, False])
    >>> scores(answer, truth)
    {'precision, %': 50.0, 'recall, %': 100.0, 'F₁, %': 66.666...}
    """
    right = int((answer & truth).sum())
    precision = 100 * right / max(int(answer.sum()), 1)
    recall = 100 * right / max(int(truth.sum()), 1)
    both = 2 * precision * recall / (precision + recall) if right else 0.0
    return {RIGHT: precision, FOUND: recall, F_SCORE: both}


def _train(sizes: MatchSizes, seed: int, device: torch.device | str, progress: bool) -> OutlierNet:
    drawn = [
        _draw(sizes.seen, share, sizes, 10 * seed + i, device) for i, share in enumerate(SHARES)
    ]
    seen = Matches(*(torch.cat(part) for part in zip(*drawn, strict=True)))
    network = OutlierNet(width=sizes.width, blocks=sizes.blocks, rng=generator(seed)).to(device)
    train_outlier_net(
        network,
        seen.pairs,
        seen.is_inlier,
        seen.essential,
        steps=sizes.steps,
        batch_size=sizes.batch,
        seed=seed,
        progress=progress,
    )
    return network


def _draw(
    count: int, share: float, sizes: MatchSizes, seed: int, device: torch.device | str
) -> Matches:
    drawn = correspondences(
        count, matches=sizes.matches, inlier_share=share, generator=generator(seed)
    )
    return Matches(*(part.to(device) for part in drawn))
