"""The exercise `triplet_loss`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.embedding import triplet_loss
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
from mdcv.exercises.a1_distances.triplet_variants import RIGHT, WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Refusal

#: Distances of positive and negative in units of the margin: hard, semi-hard and easy triplets.
POSITIVE = (1.2, 0.5, 2.0, 0.4, 1.6, 0.8)
NEGATIVE = (0.6, 1.1, 2.6, 2.4, 1.5, 3.1)


def _triplets(draw: Draw, margin: float, batch: int, dimension: int) -> tuple[Tensor, ...]:
    """Triplets that cost more than the margin, less, and nothing, in random order."""
    anchor = embeddings(draw, batch, dimension)
    others = [
        anchor + margin * lengths(draw, pattern, batch) * directions(draw, batch, dimension)
        for pattern in (POSITIVE, NEGATIVE)
    ]
    order = draw.order(batch)
    return tuple(value[order] for value in (anchor, *others))


def _hard(draw: Draw) -> list[Case]:
    a, p, n = _triplets(draw, 1.7, 11, 3)
    wide = {"margin": 1.7}
    met = p.clone()
    met[2:6] = a[2:6]
    far = a.float() + 1e4
    near = [far + 1e-2 * directions(draw, 11, 3).float() for _ in range(2)]
    return [
        case("easy triplets", (a, a + 0.1, n + 20), wide),
        case("hopeless triplets", (a, p + 20, n), wide),
        case("coinciding triplets", (a, met, n), wide, suspicion="coincident_points"),
        case("collapsed (all in one point) triplets", (a, a.clone(), a.clone()), wide),
        case("single triplets", (a[:1], p[:1], n[:1]), wide),
        case("one-dimensional triplets", _triplets(draw, 1.7, 9, 1), wide),
        case("a margin of 0 for triplets", (a, p, n), {"margin": 0.0}),
        case("large triplets", (50 * a, 50 * p, 50 * n), {"margin": 80.0}),
        case("small triplets", (1e-2 * a, 1e-2 * p, 1e-2 * n), {"margin": 0.017}),
        case(
            "far away (10,000 from the origin, in float32) triplets",
            (far, *near),
            {"margin": 0.02},
            rtol=2e-2,
            atol=1e-5,
            suspicion="cancellation",
        ),
        case(
            "not contiguous triplets",
            (transposed_layout(a), strided_layout(p), transposed_layout(n)),
            wide,
            suspicion="needs_contiguous_input",
        ),
        case("float32 triplets", (a.float(), p.float(), n.float()), wide),
    ]


def _gradients(draw: Draw) -> list[Case]:
    a, p, n = _triplets(draw, 1.7, 11, 3)
    met = p.clone()
    met[2:6] = a[2:6]
    wide = {"margin": 1.7}
    together = (a, a.clone(), a.clone())
    return [
        case("the gradient of triplets", _triplets(draw, 1.0, *sizes(draw)), gradient="value"),
        case("the gradient of triplets", (a, p, n), wide, gradient="value"),
        case(
            "the gradient where embeddings coincide in triplets",
            (a, met, n),
            wide,
            gradient="finite",
        ),
        case("the gradient where all coincide in triplets", together, wide, gradient="finite"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    a, p, n = _triplets(draw, 1.0, 9, 5)
    nan = n.clone()
    nan[4, 2] = torch.nan
    bad: list[tuple[str, tuple[Tensor, ...], Options, str]] = [
        ("9 anchors and 1 positive", (a, p[:1], n), {}, "broadcasts_batches"),
        ("9 anchors and 1 negative", (a, p, n[:1]), {}, "broadcasts_batches"),
        ("1 anchor and 9 of the others", (a[:1], p, n), {}, "broadcasts_batches"),
        ("negatives of another dimension", (a, p, n[:, :1]), {}, "accepts_unequal_dimensions"),
        ("positives of another dimension", (a, p[:, :3], n), {}, "accepts_unequal_dimensions"),
        ("embeddings without a batch axis", (a[0], p[0], n[0]), {}, "accepts_wrong_ndim"),
        ("no triplet at all", (a[:0], p[:0], n[:0]), {}, "accepts_empty_batch"),
        ("a negative margin", (a, p, n), {"margin": -0.5}, "accepts_negative_margin"),
    ]
    return [
        *(Refusal(kind, given, name, options) for kind, given, options, name in bad),
        Refusal("an embedding that holds NaN", (a, p, nan), "hides_nan", or_any_sign=True),
    ]


LAWS = (
    twice_over(_triplets),
    law(
        "Triplets whose negative is far beyond the margin cost something.",
        _triplets,
        lambda a, p, n: (a, a.clone(), a + 30.0),
        lambda values: bool(values[1].abs().max() < 1e-4),
    ),
    law(
        "Where all embeddings coincide the loss is the margin; yours is something else.",
        _triplets,
        lambda a, p, n: (a, a.clone(), a.clone()),
        lambda values: bool((values[1] - 1.7).abs().max() < 1e-4),
    ),
)

TRIPLET_LOSS = Exercise(
    name="triplet_loss",
    contract=(
        "triplet_loss(anchor, positive, negative, *, margin=1.0) returns the mean over the "
        "triplets of max(0, |a − p| − |a − n| + margin), with Euclidean distances. Shapes "
        "that differ, an empty batch, a negative margin: ValueError."
    ),
    reference=triplet_loss,
    parts=parts("hard and easy triplets", _triplets, _hard, _gradients, _refusals),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=6,
)
