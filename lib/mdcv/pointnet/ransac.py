"""RANSAC: guess from eight pairs, count who agrees, keep the guess with the most votes."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mdcv.errors import check_integer, check_number
from mdcv.kernels.arithmetic import widened
from mdcv.pointnet.eight_point import weighted_eight_point
from mdcv.pointnet.epipolar import check_pairs, sampson_distance, two_directions

#: Guesses that are made and judged together.
AT_ONCE = 256


class Ransac(NamedTuple):
    """What `ransac_essential` returns."""

    essential: Float[Tensor, "b 3 3"]
    is_inlier: Bool[Tensor, "b m"]
    trials: Int[Tensor, " b"]
    """How many guesses were made."""


def ransac_essential(
    pairs: Float[Tensor, "b m 4"],
    *,
    threshold: float | int = 5e-3,
    confidence: float = 0.999,
    max_trials: int = 4096,
    refinements: int = 4,
    generator: torch.Generator | None = None,
) -> Ransac:
    """The essential matrix that most pairs agree with, and which pairs these are.

    Eight pairs are drawn at random and make a guess (eight-point algorithm, then the nearest
    essential matrix). A pair agrees if its Sampson distance is at most the threshold. If w is the
    share that agrees with the best guess so far, then after

        n = log(1 - confidence) / log(1 - w⁸)

    guesses one of them had eight inliers with that confidence, and it is time to stop. Then the
    matrix is computed anew from all that agree, a few times, as long as their number grows.

    Args:
        pairs: x1, y1, x2, y2 in normalized image coordinates, eight or more.
        threshold: greatest Sampson distance of an inlier, in the unit of the coordinates.
        confidence: in (0, 1).
        max_trials: guesses at most.
        refinements: computations from all inliers at most.
        generator: draws the pairs; on the device of the pairs.

    Returns:
        The matrix, of Frobenius norm 1 and either sign; who agrees with it; how many guesses were
        made, a multiple of 256 up to `max_trials`. Of equally good guesses the first is taken.

    Raises:
        ValueError: fewer than eight pairs, another last axis than 4, NaN or infinity, or an option
            out of range.

    Source: Fischler and Bolles 1981, "Random sample consensus"; the refinement as in Chum, Matas
    and Kittler 2003, "Locally optimized RANSAC", in its simplest form.

    >>> flat = torch.rand(1, 40, 3, dtype=torch.float64)
    >>> pairs = torch.cat([flat, flat[..., 1:2]], dim=-1)    # the camera moved along x
    >>> pairs[:, :10, 3] += 0.5    # ten pairs are wrong
    >>> ransac_essential(pairs, generator=torch.Generator().manual_seed(0)).is_inlier[0, 8:12]
    tensor([False, False,  True,  True])
    """
    check_pairs(pairs, 8)
    check_number("threshold", threshold)
    check_number("confidence", confidence)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; expected a number in (0, 1)")
    check_integer("max_trials", max_trials, low=1)
    check_integer("refinements", refinements, low=0)
    wide = widened(pairs.detach())
    found = [
        _search(one, threshold, confidence, max_trials, refinements, generator) for one in wide
    ]
    if not found:
        return Ransac(
            pairs.new_zeros(0, 3, 3),
            torch.zeros(pairs.shape[:2], dtype=torch.bool, device=pairs.device),
            torch.zeros(0, dtype=torch.int64, device=pairs.device),
        )
    essential, is_inlier, trials = zip(*found, strict=True)
    return Ransac(
        torch.stack(essential).to(pairs.dtype),
        torch.stack(is_inlier),
        torch.tensor(trials, device=pairs.device),
    )


def trials_needed(share: float, confidence: float, *, sample: int = 8) -> float:
    """How many guesses until one of them, with this confidence, holds nothing but inliers.

    >>> round(trials_needed(0.5, 0.999))
    1765
    """
    all_good = share**sample
    if all_good >= 1:
        return 1.0
    return math.log(1 - confidence) / math.log1p(-all_good) if all_good > 0 else math.inf


def _search(
    pairs: Float[Tensor, "m 4"],
    threshold: float,
    confidence: float,
    max_trials: int,
    refinements: int,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor, int]:
    best, agree, votes, trials = None, None, -1, 0
    while trials < max_trials and (
        trials == 0 or trials < trials_needed(votes / len(pairs), confidence)
    ):
        count = min(AT_ONCE, max_trials - trials)
        trials += count
        order = torch.rand(count, len(pairs), generator=generator, device=pairs.device)
        guesses = _essential(pairs[order.topk(8, dim=1).indices])
        within = _agree(guesses, pairs, threshold)
        total = within.sum(dim=1)
        if int(total.max()) > votes:
            first = int((total == total.max()).nonzero()[0])
            best, agree, votes = guesses[first], within[first], int(total[first])

    for _ in range(refinements):
        if votes < 8:
            break
        anew = _essential(pairs[agree].unsqueeze(0))
        within = _agree(anew, pairs, threshold)[0]
        if int(within.sum()) < votes or bool((within == agree).all()):
            break
        best, agree, votes = anew[0], within, int(within.sum())
    return best, agree, trials


def _essential(pairs: Float[Tensor, "g n 4"]) -> Float[Tensor, "g 3 3"]:
    # Eight equal pairs make a guess of any rank: it gets few votes, and is no reason to stop.
    return two_directions(weighted_eight_point(pairs))


def _agree(
    essential: Float[Tensor, "g 3 3"], pairs: Float[Tensor, "m 4"], threshold: float
) -> Bool[Tensor, "g m"]:
    everyone = pairs.expand(len(essential), -1, -1)
    return sampson_distance(essential, everyone) <= threshold
