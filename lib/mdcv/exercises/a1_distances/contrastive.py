"""The exercise `contrastive_loss`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.embedding import contrastive_loss
from mdcv.exercises.a1_distances.contrastive_variants import RIGHT, WRONG
from mdcv.exercises.a1_distances.pair_questions import (
    Options,
    case,
    directions,
    embeddings,
    law,
    lengths,
    parts,
    sizes,
    twice_over,
)
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Refusal

#: Distances in units of the margin, for two pairs each: one of one kind, one of different kinds.
REACH = (0.3, 0.3, 0.7, 0.7, 1.5, 1.5, 2.3, 2.3)


def _pairs(draw: Draw, margin: float, batch: int, dimension: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of both kinds, inside the margin and beyond it, in random order."""
    a = embeddings(draw, batch, dimension)
    b = a + margin * lengths(draw, REACH, batch) * directions(draw, batch, dimension)
    same = torch.arange(batch) % 2 == 0
    order = draw.order(batch)
    return a[order], b[order], same[order]


def _hard(draw: Draw) -> list[Case]:
    a, b, same = _pairs(draw, 1.7, 11, 3)
    wide = {"margin": 1.7}
    met = b.clone()
    met[2:6] = a[2:6]
    far, near = a.float() + 1e4, 1e-2 * directions(draw, 11, 3).float()
    every = torch.ones(11, dtype=torch.bool)
    return [
        case("only equal pairs", (a, b, every), wide),
        case("only different pairs", (a, b, ~every), wide),
        case("only different, all beyond the margin, pairs", (a, a + 9, ~every), wide),
        case("some coinciding pairs", (a, met, same), wide, suspicion="coincident_points"),
        case("one pair: single pairs", (a[:1], b[:1], every[:1]), wide),
        case("one-dimensional pairs", _pairs(draw, 1.7, 9, 1), wide),
        case("a margin of 0 for pairs", (a, b, same), {"margin": 0.0}),
        case("large pairs", (50 * a, 50 * b, same), {"margin": 80.0}),
        case("small pairs", (1e-2 * a, 1e-2 * b, same), {"margin": 0.017}, atol=1e-7),
        case(
            "far away (10,000 from the origin, in float32) pairs",
            (far, far + near, same),
            {"margin": 0.02},
            rtol=2e-2,
            atol=1e-8,
            suspicion="cancellation",
        ),
        case(
            "not contiguous pairs",
            (transposed_layout(a), strided_layout(b), same),
            wide,
            suspicion="needs_contiguous_input",
        ),
        case("float32 pairs", (a.float(), b.float(), same), wide),
    ]


def _gradients(draw: Draw) -> list[Case]:
    a, b, same = _pairs(draw, 1.7, 11, 3)
    met = b.clone()
    met[2:6] = a[2:6]
    wide = {"margin": 1.7}
    return [
        case("the gradient of pairs", _pairs(draw, 1.0, *sizes(draw)), gradient="value"),
        case("the gradient of pairs", (a, b, same), wide, gradient="value"),
        case(
            "the gradient where embeddings coincide in pairs",
            (a, met, same),
            wide,
            gradient="finite",
        ),
        case(
            "the gradient where all coincide in pairs",
            (a, a.clone(), same),
            wide,
            gradient="finite",
        ),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    a, b, same = _pairs(draw, 1.0, 9, 5)
    nan = a.clone()
    nan[4, 2] = torch.nan
    bad: list[tuple[str, tuple[Tensor, ...], Options, str]] = [
        ("a (9, 5) and b (1, 5)", (a, b[:1], same), {}, "broadcasts_batches"),
        ("a (1, 5) and b (9, 5)", (a[:1], b, same), {}, "broadcasts_batches"),
        ("a (9, 5) and b (9, 1)", (a, b[:, :1], same), {}, "accepts_unequal_dimensions"),
        ("a (9, 5) and b (9, 3)", (a, b[:, :3], same), {}, "accepts_unequal_dimensions"),
        ("embeddings without a batch axis", (a[0], b[0], same[:1]), {}, "accepts_wrong_ndim"),
        ("one label for nine pairs", (a, b, same[:1]), {}, "labels_of_another_shape"),
        ("labels of shape (9, 1)", (a, b, same[:, None]), {}, "labels_of_another_shape"),
        ("no pair at all", (a[:0], b[:0], same[:0]), {}, "accepts_empty_batch"),
        ("a negative margin", (a, b, same), {"margin": -0.5}, "accepts_negative_margin"),
    ]
    return [
        *(Refusal(kind, given, name, options) for kind, given, options, name in bad),
        Refusal("an embedding that holds NaN", (nan, b, same), "hides_nan", or_any_sign=True),
    ]


LAWS = (
    twice_over(_pairs),
    law(
        "The loss changes when a and b are exchanged: a pair has no order.",
        _pairs,
        lambda a, b, same: (b, a, same),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-4),
    ),
    law(
        "Matching pairs that coincide cost something.",
        _pairs,
        lambda a, b, same: (a, a.clone(), torch.ones_like(same)),
        lambda values: bool(values[1].abs().max() < 1e-4),
    ),
    law(
        "Different pairs far beyond the margin cost something.",
        _pairs,
        lambda a, b, same: (a, a + 30.0, torch.zeros_like(same)),
        lambda values: bool(values[1].abs().max() < 1e-4),
    ),
)

CONTRASTIVE_LOSS = Exercise(
    name="contrastive_loss",
    contract=(
        "contrastive_loss(a, b, same, *, margin=1.0) returns the mean over the pairs of ½d² where "
        "same is True and ½max(0, margin − d)² where it is not, d = |a − b|. Shapes that do not "
        "fit, an empty batch, a negative margin: ValueError."
    ),
    reference=contrastive_loss,
    parts=parts("both kinds of pairs", _pairs, _hard, _gradients, _refusals),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=6,
)
