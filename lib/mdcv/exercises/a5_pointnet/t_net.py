"""The exercise `TNet`: a class, judged before it has learned anything and after."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mdcv.exercises.a5_pointnet.clouds import (
    clouds,
    cornered,
    flattened,
    near,
    reordered,
    segments,
    spread,
)
from mdcv.exercises.a5_pointnet.t_net_variants import RIGHT, WRONG
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Exercise, Finding, Part, Refusal, Trial
from mdcv.exercises.traits import TRAITS
from mdcv.pointnet import TNet

#: The training that a question makes: steps of Adam, and their size.
STEPS, RATE = 15, 8e-3

#: A matrix that may be called another one: this far from it in some entry.
APART = 1e-4


def _found(name: str, words: str = "") -> Finding:
    return Finding(" ".join(filter(None, (T_NET.sentence_of(name), words))), name)


def _untrained(draw: Draw) -> list[Trial]:
    """Shapes, and the identity, for points of two dimensions and any number of them."""
    calls, wanted = [], []
    for k, n in ((3, 17), (5, 11)):
        inputs = [clouds(draw, 3, n, k), 20 * clouds(draw, 2, n + 6, k), clouds(draw, 1, 4, k)]
        calls.append((((k,), [("", (x,), {}) for x in inputs]), {"mode": "eval"}))
        wanted.append([(len(x), k, k) for x in inputs])

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        for values, shapes in zip(answers, wanted, strict=True):
            came = [tuple(value.shape) for value in values]
            if came != shapes:
                k = shapes[0][-1]
                return _found("wrong_shape", f"TNet({k}) gave {came}, expected {shapes}.")
        every = [value for values in answers for value in values]
        if not all(bool(value.isfinite().all()) for value in every):
            return _found("nan_value", "Seen with a fresh TNet.")
        away = max(float((v - torch.eye(v.shape[-1])).abs().max()) for v in every)
        if away < 1e-5:
            return None
        scale = float(every[0][0, 0, 0])
        if all(near(v, scale * torch.eye(v.shape[-1]).expand_as(v), 1e-5) for v in every):
            return _found("no_identity" if scale == 0 else "scaled_identity")
        means = torch.stack([v.diagonal(dim1=1, dim2=2).mean() for v in every])
        return _found("not_yet_the_identity" if float(means.mean()) > 0.5 else "no_identity")

    return [Trial("a fresh TNet", tuple(calls), examine)]


def _trained(draw: Draw) -> list[Trial]:
    """A few steps towards given matrices, then what the answers depend on."""
    k = 3
    points = clouds(draw, 6, 13, k)
    targets = (torch.eye(k) + 0.5 * draw.tensor(6, k, k)).float()
    inputs = (
        points,
        points,
        reordered(draw, points),
        points[2:3],
        cornered(points),
        spread(points),
        flattened(points),
        *segments(draw, 32, k),
    )
    asks = [("", (points,), {}), ("@fit", (points, targets), {"steps": STEPS, "lr": RATE})]
    asks += [("", (x,), {}) for x in inputs]
    call = (((k,), asks), {"mode": "eval"})

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        values = answers[0]
        fresh, losses, *after = values
        shapes = [(len(x), k, k) for x in inputs]
        if [tuple(value.shape) for value in after] != shapes:
            return _found("wrong_shape", f"After a training came {tuple(after[0].shape)}.")
        if not all(bool(value.isfinite().all()) for value in values):
            return _found("nan_value", "Seen after a few steps of training.")
        return _trouble_after_training(fresh, losses, *after)

    kind = f"a TNet after {STEPS} steps towards given matrices"
    return [Trial(kind, (call,), examine)]


def _trouble_after_training(
    fresh: Tensor,
    losses: Tensor,
    mine: Tensor,
    again: Tensor,
    other_order: Tensor,
    alone: Tensor,
    cornered: Tensor,
    spread: Tensor,
    flat: Tensor,
    ends: Tensor,
    whole: Tensor,
) -> Finding | None:
    moved = (mine - fresh).abs().amax(0)
    if float(moved.max()) < APART or float(losses[-1]) > float(losses[0]):
        return _found("learns_nothing")
    if not near(mine, again, 1e-6):
        return _found("is_random")
    if not near(alone, mine[2:3]):
        return _found("clouds_see_each_other")
    if float((mine - mine[:1]).abs().max()) < APART:
        return _found("one_matrix_for_all")
    if not near(other_order, mine):
        return _found("depends_on_the_order")
    if float(moved.min()) < 1e-6:
        return _found("entries_that_never_move")
    if float((flat - mine[:1]).abs().amax((1, 2)).min()) < APART:
        return _found("misses_a_coordinate")
    if float((cornered - mine).abs().max()) < APART:
        return _found("pools_the_points")
    if float((spread - mine).abs().max()) < APART:
        return _found("sees_only_the_center")
    if float((whole - ends).abs().max()) < 1e-5:
        return _found("affine_map")
    return None


def _refusals(draw: Draw) -> list[Refusal]:
    points = clouds(draw, 2, 7)
    bad = (
        (
            "points of 4 numbers where 3 were announced",
            clouds(draw, 2, 7, 4),
            "accepts_other_points",
        ),
        (
            "points of 2 numbers where 3 were announced",
            clouds(draw, 2, 7, 2),
            "accepts_other_points",
        ),
        ("a cloud without a batch axis", points[0], "accepts_other_points"),
        ("clouds without points", points[:, :0], "accepts_empty_set"),
    )
    return [Refusal(kind, ((3,), [("", (x,), {})]), name) for kind, x, name in bad]


T_NET = Exercise(
    name="TNet",
    contract=(
        "TNet(k) is a torch.nn.Module that maps clouds (B, N, k), for any N, to matrices "
        "(B, k, k). A fresh one answers every cloud with the identity, exactly. The matrix of a "
        "cloud does not depend on the order of its points, nor on the other clouds of its batch "
        "(in evaluation mode); every entry can be learned, and the map of the points has a hidden "
        "layer. Empty clouds, points of other than k numbers: ValueError."
    ),
    reference=TNet,
    parts=(
        Part("the identity at the start", 0.35, _untrained, is_value=True),
        Part("what it learns from", 0.5, _trained, is_value=True),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    through="then_ask",
    traits={name: TRAITS[name] for name in ("wrong_shape", "nan_value")},
    points=6,
)
