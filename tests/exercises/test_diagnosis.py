"""Mistakes without a name get a clue, and the clue is true."""

from __future__ import annotations

import pytest
import torch

from mdcv.exercises import judge
from mdcv.points import (
    chamfer_distance,
    earth_movers_distance,
    farthest_point_sample,
    hausdorff_distance,
    pairwise_distances,
)

NAME = "hausdorff_distance"


def first_step(cloud):
    return (cloud[:, 0] - cloud[:, 1]).norm(dim=1)


CLUES = {
    "opposite sign": (lambda x, y: -hausdorff_distance(x, y), "opposite sign"),
    "square root": (lambda x, y: hausdorff_distance(x, y) ** 4, None),
    "constant ratio": (lambda x, y: 3.7 * hausdorff_distance(x, y), "3.7 times the right one"),
    "times N": (lambda x, y: hausdorff_distance(x, y) * x.shape[1], "N times the right one"),
    "divided by M": (lambda x, y: hausdorff_distance(x, y) / y.shape[1], "divided by M"),
    "times batch": (lambda x, y: hausdorff_distance(x, y) * len(x), "times the batch size"),
    "divided by D": (
        lambda x, y: hausdorff_distance(x, y) / x.shape[2],
        "divided by the dimension D",
    ),
    "logarithm": (lambda x, y: hausdorff_distance(x, y).log(), "logarithm"),
    "inverse": (lambda x, y: 1 / hausdorff_distance(x, y), "one divided by"),
    "other batch order": (
        lambda x, y: hausdorff_distance(x, y).flip(0),
        "other places of the batch",
    ),
    "not zero on itself": (lambda x, y: hausdorff_distance(x, y) + 1, "distance 0 from itself"),
    "order matters": (
        lambda x, y: hausdorff_distance(x, y) * (1 + first_step(x) * first_step(y)),
        "a set has no order",
    ),
    "pairs mix": (
        lambda x, y: hausdorff_distance(x, y) * hausdorff_distance(x, y).sum(),
        "pairs must not mix",
    ),
    "moves": (
        lambda x, y: hausdorff_distance(x, y) * x.square().mean((1, 2)) * y.square().mean((1, 2)),
        "moved together",
    ),
}


@pytest.mark.parametrize("kind", CLUES)
@pytest.mark.parametrize("seed", [0, 3])
def test_clue(kind, seed):
    implementation, words = CLUES[kind]
    outcome = judge(NAME, implementation, seed=seed)
    assert not outcome.passed
    assert outcome.misconception is None
    if words is not None:
        assert words in outcome.message, outcome.message


def test_an_unknown_mistake_keeps_to_what_is_known():
    outcome = judge(NAME, lambda x, y: hausdorff_distance(x, y) ** 4 + 0.1 * len(x))
    assert outcome.misconception is None
    assert "entries are off" in outcome.message


def test_a_mistake_in_one_option_is_named_for_that_option():
    def averages_when_plain(x, y, *, squared=True, reduction="sum", one_sided=False):
        value = chamfer_distance(x, y, squared=squared, reduction=reduction, one_sided=one_sided)
        return value if squared or one_sided else value / 2

    outcome = judge("chamfer_distance", averages_when_plain)
    verdicts = {part.name: part.misconception for part in outcome.parts}
    assert verdicts["plain distances"] == "directions_averaged"
    assert verdicts["squared sums"] is None
    assert outcome.misconception == "directions_averaged"


def test_a_named_mistake_without_a_door_is_still_named():
    def careless(x, y):
        table = torch.cdist(x, y)
        return table.amin(2).amax(1) + table.amin(1).amax(1)

    outcome = judge(NAME, careless)
    assert outcome.misconception == "sum_of_directions"


def test_a_cheap_value_above_the_optimum_is_told_so():
    def nearly(x, y, *, reduction="sum"):
        value = earth_movers_distance(x, y, reduction=reduction)
        return value * (1 + 0.01 * x[:, 0, 0].sigmoid())

    outcome = judge("earth_movers_distance", nearly)
    assert "above the least cost" in outcome.message


def test_picks_without_start_are_told_so():
    def other_start(points, k, *, start=0):
        return farthest_point_sample(points, k, start=(start + 1) % points.shape[1])

    assert "first index is not start" in judge("farthest_point_sample", other_start).message


def test_single_precision_digits_are_seen():
    def rounded(x, y):
        return pairwise_distances(x, y).float().double()

    outcome = judge("pairwise_distances", rounded)
    assert outcome.misconception in ("float32_inside", "wrong_dtype")
    assert not outcome.passed


def test_view_on_a_strided_input_is_named():
    def views(x, y):
        flat = x.view(-1, x.shape[2]), y.view(-1, y.shape[2])
        return hausdorff_distance(flat[0].view(x.shape), flat[1].view(y.shape))

    assert judge(NAME, views).misconception == "needs_contiguous_input"


def test_the_name_of_a_broken_refusal_is_the_most_telling_one():
    def asserts(x, y):
        assert x.shape[1] and y.shape[1]
        return hausdorff_distance(x[:1].expand_as(x) if len(x) == 1 else x, y)

    outcome = judge(NAME, asserts)
    assert outcome.misconception == "wrong_exception"
    assert "AssertionError" in outcome.message
