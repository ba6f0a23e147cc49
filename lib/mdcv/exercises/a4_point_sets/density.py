"""The exercise `density_sensitivity`: a function that takes a distance as its argument."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.tables import squares
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw, Made
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right

Distance = Callable[[Tensor, Tensor], Tensor]


def density_sensitivity(
    distance: Distance, reference: Tensor, even: Tensor, uneven: Tensor
) -> Tensor:
    """How many times the distance to the uneven cloud exceeds the one to the even cloud: (B,).

    Args:
        distance: any function of two batches of clouds with one value per pair.
        reference, even, uneven: batches of clouds; `even` samples as `reference` does.

    Raises:
        ValueError: an even cloud is at distance 0 from its reference.
    """
    noise = distance(reference, even)
    if bool((noise == 0).any()):
        raise ValueError("an even cloud is at distance 0 from its reference; expected some noise")
    return distance(reference, uneven) / noise


# Distances to ask with: two that are not symmetric, of different size, and one that is

SHIFT = Made("set_distance", kind="shift")
LOPSIDED = Made("set_distance", kind="lopsided")
MOMENTS = Made("set_distance", kind="moments")

DISTANCES = {
    "a distance of the centers": SHIFT,
    "a lopsided distance": LOPSIDED,
    "a distance of the moments": MOMENTS,
}


def _clouds(draw: Draw, *, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    batch, n, m, dimension = draw.sizes()
    uneven = draw.cloud(batch, n + 2, dimension) + 0.6 * draw.tensor(batch, 1, dimension)
    return (
        draw.cloud(batch, n, dimension).to(dtype),
        draw.cloud(batch, m, dimension).to(dtype),
        (1.5 * uneven).to(dtype),
    )


def _values(draw: Draw) -> list[Case]:
    return [
        Case(f"{name}, a batch of {len(clouds[0])}", (distance, *clouds))
        for name, distance in DISTANCES.items()
        for clouds in (_clouds(draw), _clouds(draw))
    ]


def _hard(draw: Draw) -> list[Case]:
    single = _clouds(draw, dtype=torch.float32)
    without_names = Made("set_distance", kind="shift", positional=True)
    reference, even, _ = _clouds(draw)
    tiny = (reference, reference + 1e-6 * torch.ones_like(reference[:, :1]), even)
    return [
        Case("float32", (MOMENTS, *single)),
        Case("little noise", (SHIFT, *tiny)),
        Case("an uneven cloud equal to the reference", (SHIFT, reference, even, reference)),
        Case("a distance with other names", (without_names, *_clouds(draw))),
        Case("a batch of one", (LOPSIDED, *(cloud[:1] for cloud in _clouds(draw)))),
    ]


def _gradients(draw: Draw) -> list[Case]:
    return [
        Case(f"the gradient, {name}", (distance, *_clouds(draw)), gradient="value")
        for name, distance in DISTANCES.items()
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    reference, even, uneven = _clouds(draw)
    partly = draw.cloud(*reference.shape)
    partly[-1] = reference[-1]
    nan = uneven.clone()
    nan[0, 1, 0] = torch.nan
    name = "accepts_no_noise"
    return [
        Refusal("even clouds equal to the reference", (SHIFT, reference, reference, even), name),
        Refusal(
            "one even cloud of the batch equal to its reference",
            (MOMENTS, reference, partly, uneven),
            name,
        ),
        Refusal("three equal clouds", (SHIFT, reference, reference, reference), name),
        Refusal(
            "an uneven cloud that holds NaN",
            (MOMENTS, reference, even, nan),
            "hides_nan",
            or_any_sign=True,
        ),
    ]


# Right, written differently


def _cloud_by_cloud(distance, reference, even, uneven):
    values = []
    for i in range(reference.shape[0]):
        here = slice(i, i + 1)
        noise = distance(reference[here], even[here])
        if not noise.item() > 0:
            raise ValueError("no noise")
        values.append(distance(reference[here], uneven[here]) / noise)
    return torch.cat(values)


def _by_multiplying(distance, reference, even, uneven):
    signal, noise = (distance(reference, other) for other in (uneven, even))
    if torch.count_nonzero(noise) < noise.numel():
        raise ValueError("some even cloud has no noise")
    return signal * noise.reciprocal()


def _stacked(distance, reference, even, uneven):
    both = torch.stack([distance(reference, uneven), distance(reference, even)])
    if both[1].abs().min() == 0:
        raise ValueError("distance 0")
    return torch.div(both[0], both[1])


# Wrong, each with its name


def _refusing(ratio: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Behind the right door: for variants that are wrong elsewhere."""

    def wrong(distance: Distance, reference: Tensor, even: Tensor, uneven: Tensor) -> Tensor:
        if bool((distance(reference, even) == 0).any()):
            raise ValueError("no noise")
        return ratio(distance, reference, even, uneven)

    return wrong


def _mistake(name: str, ratio: Callable[..., Tensor], sentence: str = "") -> Mistake:
    return Mistake(name, _refusing(ratio), sentence)


def _chamfer_always(d: Distance, r: Tensor, e: Tensor, u: Tensor) -> Tensor:
    def chamfer(x: Tensor, y: Tensor) -> Tensor:
        table = squares(x, y)
        return table.amin(2).sum(1) + table.amin(1).sum(1)

    return density_sensitivity(chamfer, r, e, u)


def _unguarded(d: Distance, r: Tensor, e: Tensor, u: Tensor) -> Tensor:
    return d(r, u) / d(r, e).clamp(min=1e-12)


WRONG = (
    _mistake(
        "inverted",
        lambda d, r, e, u: d(r, e) / d(r, u),
        "Upside down: the uneven cloud stands above the line, the noise below.",
    ),
    _mistake(
        "difference",
        lambda d, r, e, u: d(r, u) - d(r, e),
        "Looks like a difference: that keeps the unit of the distance. Divide.",
    ),
    _mistake(
        "relative_excess",
        lambda d, r, e, u: d(r, u) / d(r, e) - 1,
        "Looks like the excess over the noise (ratio minus 1); the ratio itself was asked.",
    ),
    _mistake(
        "share",
        lambda d, r, e, u: d(r, u) / (d(r, u) + d(r, e)),
        "Looks like a share of the sum of both distances; divide by the noise alone.",
    ),
    _mistake(
        "signal_alone",
        lambda d, r, e, u: d(r, u),
        "Looks like the distance to the uneven cloud, not divided by the noise.",
    ),
    _mistake(
        "even_against_uneven",
        lambda d, r, e, u: d(e, u) / d(r, e),
        "The distance above the line starts from the even cloud; it starts from the reference.",
    ),
    _mistake(
        "noise_from_uneven",
        lambda d, r, e, u: d(r, u) / d(e, u),
        "The noise is measured between the wrong pair: it is the reference against the even cloud.",
    ),
    _mistake(
        "arguments_swapped",
        lambda d, r, e, u: d(u, r) / d(e, r),
        "The distance is called with the reference second; not every distance is symmetric.",
    ),
    _mistake(
        "signal_swapped",
        lambda d, r, e, u: d(u, r) / d(r, e),
        "Above the line the reference stands second; not every distance is symmetric.",
    ),
    _mistake(
        "noise_swapped",
        lambda d, r, e, u: d(r, u) / d(e, r),
        "Below the line the reference stands second; not every distance is symmetric.",
    ),
    _mistake(
        "squared",
        lambda d, r, e, u: (d(r, u) / d(r, e)).square(),
        "Looks like the square of the ratio.",
    ),
    _mistake(
        "root",
        lambda d, r, e, u: (d(r, u) / d(r, e)).sqrt(),
        "Looks like the root of the ratio.",
    ),
    _mistake(
        "logarithm",
        lambda d, r, e, u: (d(r, u) / d(r, e)).log(),
        "Looks like the logarithm of the ratio.",
    ),
    _mistake(
        "ratio_of_means",
        lambda d, r, e, u: (d(r, u).mean() / d(r, e).mean()).expand(len(r)),
        "Every cloud got the ratio of the batch's means: divide cloud by cloud.",
    ),
    _mistake(
        "noise_of_the_batch",
        lambda d, r, e, u: d(r, u) / d(r, e).mean(),
        "Each cloud is divided by the mean noise of the batch; each has its own noise.",
    ),
    _mistake(
        "mean_over_the_batch",
        lambda d, r, e, u: (d(r, u) / d(r, e)).mean().expand(len(r)),
        "Every cloud got the mean of the batch; keep one value per cloud.",
    ),
    _mistake(
        "one_value_for_the_batch",
        lambda d, r, e, u: (d(r, u) / d(r, e)).mean(),
    ),
    _mistake(
        "percent",
        lambda d, r, e, u: 100 * d(r, u) / d(r, e),
        "Your value is in percent; a plain ratio was asked.",
    ),
    _mistake(
        "never_below_one",
        lambda d, r, e, u: (d(r, u) / d(r, e)).clamp(min=1.0),
        "Ratios below 1 come out as 1: an uneven cloud can be nearer by chance; keep the ratio.",
    ),
    _mistake(
        "ignores_distance",
        _chamfer_always,
        "Your function measures with a distance of its own; use the one that comes in.",
    ),
    _mistake(
        "noise_detached",
        lambda d, r, e, u: d(r, u) / d(r, e).detach(),
        "The value is right, but the noise is cut from the graph: it has a gradient as well.",
    ),
    *blunders(_refusing(density_sensitivity)),
    Mistake(
        "accepts_no_noise",
        _unguarded,
        "An even cloud at distance 0 from its reference was accepted: without noise there is no "
        "unit. Raise a ValueError.",
    ),
)

DENSITY_SENSITIVITY = Exercise(
    name="density_sensitivity",
    contract=(
        "density_sensitivity(distance, reference, even, uneven) returns distance(reference, "
        "uneven) / distance(reference, even), one value per cloud of the batch. An even cloud at "
        "distance 0 from its reference: ValueError."
    ),
    reference=density_sensitivity,
    parts=(
        Part("values", 0.6, _values, is_value=True),
        Part("hard places", 0.1, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("cloud by cloud", _cloud_by_cloud),
        Right("by multiplying", _by_multiplying),
        Right("stacked", _stacked),
    ),
    wrong=WRONG,
    points=4,
)
