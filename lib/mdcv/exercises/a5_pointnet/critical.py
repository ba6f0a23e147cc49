"""The exercise `critical_points`: which points a maximum looks at."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.a5_pointnet.critical_variants import RIGHT, WRONG, critical_points
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal


def _case(kind: str, features: Tensor, *, suspicion: str = "") -> Case:
    batch, n, k = features.shape
    words = f"{batch} sets of {n} points with {k} features"
    return Case(f"{kind} ({words})" if kind else words, (features,), suspicion=suspicion)


def _plain(draw: Draw) -> list[Case]:
    sizes = ((2, 11, 5), (3, 17, 7), (4, 5, 9), (2, 31, 13))
    return [_case("", draw.tensor(*size)) for size in sizes]


def _ties(draw: Draw) -> list[Case]:
    """Rectified features, whole numbers, and points that come twice."""
    rectified = (draw.tensor(3, 13, 7) - 0.6).relu()
    rectified[0, :, 2] = rectified[0, 0] = 0.0  # the first point leads where nobody does
    whole = (2 * draw.tensor(2, 19, 5)).round()
    twice = draw.tensor(2, 6, 5)[:, [3, 1, 3, 0, 1, 5, 5, 2, 4, 0]]
    return [
        _case("features of a ReLU, with zeros", rectified, suspicion="wrong_ties"),
        _case("whole numbers, with ties", whole, suspicion="wrong_ties"),
        _case("points that come twice", twice, suspicion="wrong_ties"),
    ]


def _hard(draw: Draw) -> list[Case]:
    negative = -1 - draw.uniform(2, 9, 4)
    close = 1e6 + 1e-3 * draw.tensor(2, 9, 4)
    layout = "needs_contiguous_input"
    return [
        _case("negative features", negative),
        _case("features that differ in the tenth digit", close, suspicion="float32_inside"),
        _case("one feature", draw.tensor(3, 7, 1)),
        _case("one point", draw.tensor(3, 1, 5)),
        _case("float32", draw.tensor(2, 9, 5, dtype=torch.float32)),
        _case("not contiguous", transposed_layout(draw.tensor(2, 9, 5)), suspicion=layout),
        _case("not contiguous", strided_layout(draw.tensor(3, 7, 4)), suspicion=layout),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    features = draw.tensor(2, 7, 5)
    nan = features.clone()
    nan[1, 4, 2] = torch.nan
    return [
        Refusal("sets without points", (features[:, :0],), "accepts_empty_set"),
        Refusal("features without a batch axis", (features[0],), "accepts_wrong_axes"),
        Refusal("a feature that is NaN", (nan,), "hides_nan"),
    ]


CRITICAL_POINTS = Exercise(
    name="critical_points",
    contract=(
        "critical_points(features) returns a bool tensor (B, N) for features (B, N, K): True for "
        "each point that is the first to attain the maximum of some feature over the points of "
        "its set. Sets without points, other axes, NaN: ValueError."
    ),
    reference=critical_points,
    parts=(
        Part("distinct features", 0.5, _plain, is_value=True),
        Part("ties", 0.2, _ties),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=4,
    traits={
        "accepts_wrong_axes": (
            "A tensor that does not have the three axes (B, N, K) was accepted; raise a ValueError."
        )
    },
)
