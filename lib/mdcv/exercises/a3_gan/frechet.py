"""The exercise `frechet_distance`: the distance inside FID."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.divergence import frechet_distance
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw, Gram, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right

Gaussians = tuple[Tensor, Tensor, Tensor, Tensor]


def _covariance(draw: Draw, d: int, rank: int | None = None, *, scale: float = 1.0) -> Tensor:
    factor = scale * draw.tensor(d, rank or d + 2) / d**0.5
    return factor @ factor.mT


def _gaussians(draw: Draw, d: int, *, scale: float = 1.0) -> Gaussians:
    """Two Gaussians of different size whose axes do not agree."""
    return (
        scale * draw.tensor(d),
        _covariance(draw, d, scale=scale),
        scale * (draw.tensor(d) + 0.5),
        _covariance(draw, d, scale=1.7 * scale),
    )


def _values(draw: Draw) -> list[Case]:
    return [Case(f"two Gaussians in {d}-D", _gaussians(draw, d)) for d in (3, 5, 7, 3)]


def _centered(draw: Draw) -> list[Case]:
    cases = []
    for d in (4, 6):
        mu, cov1, _, cov2 = _gaussians(draw, d)
        cases.append(Case(f"two Gaussians in {d}-D with one mean", (mu, cov1, mu, cov2)))
    return cases


def _hard(draw: Draw) -> list[Case]:
    mu1, cov1, mu2, cov2 = _gaussians(draw, 5)
    thin, flat = _covariance(draw, 5, 2), _covariance(draw, 5, 1)
    single = tuple(value.float() for value in _gaussians(draw, 4))
    line = tuple(value[:1] if value.ndim == 1 else value[:1, :1] for value in _gaussians(draw, 3))
    near = cov1 + 1e-3 * cov2
    singular = {"suspicion": "singular_covariance", "atol": 2e-5}
    return [
        Case("a covariance without width in three directions", (mu1, thin, mu2, cov2), **singular),
        Case("two covariances that are singular", (mu1, thin, mu2, flat), **singular),
        Case("a covariance of zeros", (mu1, 0 * cov1, mu2, cov2), **singular),
        Case("one Gaussian twice", (mu1, cov1, mu1.clone(), cov1.clone()), suspicion="not_zero"),
        Case("a singular Gaussian twice", (mu1, thin, mu1.clone(), thin.clone()), **singular),
        Case("two Gaussians that nearly agree", (mu1, cov1, mu1 + 1e-3, near)),
        Case("large variances", _gaussians(draw, 5, scale=100.0)),
        Case("small variances", tuple(1e-2 * v for v in _gaussians(draw, 5)), atol=1e-9),
        Case("one dimension", line),
        Case("float32", single, rtol=1e-4, atol=1e-5),
        Case("float32 in 40-D", tuple(v.float() for v in _gaussians(draw, 40)), rtol=1e-4),
        Case(
            "covariances that are not contiguous",
            (mu1, transposed_layout(cov1), mu2, transposed_layout(cov2)),
            suspicion="needs_contiguous_input",
        ),
    ]


def _gradients(draw: Draw) -> list[Case]:
    cases = []
    for d in (3, 5):
        factors = [Gram(draw.tensor(d, d + 2) / d**0.5) for _ in range(2)]
        given = draw.tensor(d), factors[0], draw.tensor(d) + 1, factors[1]
        cases.append(Case(f"the gradient in {d}-D", given, gradient="value"))
    return cases


def _refusals(draw: Draw) -> list[Refusal]:
    mu1, cov1, mu2, cov2 = _gaussians(draw, 4)
    name, nan = "accepts_unequal_shapes", cov1.clone()
    nan[1, 2] = nan[2, 1] = torch.nan
    return [
        Refusal("means in 4-D and 1-D", (mu1, cov1, mu2[:1], cov2), name),
        Refusal("a mean in 4-D, covariances in 1-D", (mu1, cov1[:1, :1], mu2, cov2[:1, :1]), name),
        Refusal("a covariance in 1-D beside one in 4-D", (mu1, cov1[:1, :1], mu2, cov2), name),
        Refusal("variances for a covariance", (mu1, cov1.diagonal(), mu2, cov2.diagonal()), name),
        Refusal("means with a batch axis", (mu1[None], cov1, mu2[None], cov2), name),
        Refusal("NaN in a covariance", (mu1, nan, mu2, cov2), "hides_nan", or_any_sign=True),
        Refusal("NaN in a mean", (mu1 * torch.nan, cov1, mu2, cov2), "hides_nan", or_any_sign=True),
    ]


# Pieces


def refusing(distance: Callable[..., Any]) -> Callable[..., Any]:
    """The distance behind a door, in float64, and back in the dtype that came."""

    def guarded(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Any:
        _check(mu1, cov1, mu2, cov2)
        value = distance(*(given.double() for given in (mu1, cov1, mu2, cov2)))
        return value.to(mu1.dtype)

    return guarded


def _check(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> None:
    square = (*mu1.shape, *mu1.shape)
    if mu1.ndim != 1 or mu1.shape != mu2.shape or cov1.shape != square or cov2.shape != square:
        raise ValueError("shapes do not fit")
    if not all(bool(given.isfinite().all()) for given in (mu1, cov1, mu2, cov2)):
        raise ValueError("an entry is not finite")


def _root(matrix: Tensor) -> Tensor:
    """The symmetric root of a covariance."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * _safe_root(values)) @ vectors.mT


def _safe_root(values: Tensor) -> Tensor:
    positive = values > 1e-14 * values.detach().abs().max()
    return torch.where(positive, torch.where(positive, values, 1.0).sqrt(), 0.0)


def _trace_of_root(cov1: Tensor, cov2: Tensor) -> Tensor:
    half = _root(cov1)
    return _safe_root(torch.linalg.eigvalsh(half @ cov2 @ half)).sum()


def _with(
    trace: Callable[[Tensor, Tensor], Tensor] = _trace_of_root,
    gap: Callable[[Tensor], Tensor] = lambda apart: apart.square().sum(),
    total: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] = lambda g, a, b, t: (
        g + a + b - 2 * t
    ),
) -> Callable[..., Any]:
    """The distance with one of its terms replaced: the trace of the root, the gap of the means."""

    def distance(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
        return total(gap(mu1 - mu2), cov1.trace(), cov2.trace(), trace(cov1, cov2))

    return refusing(distance)


# Right, written differently


def _eigenvalues_of_the_product(cov1: Tensor, cov2: Tensor) -> Tensor:
    values = torch.linalg.eigvals(cov1 @ cov2).real
    return _safe_root(values).sum()


def _singular_values(cov1: Tensor, cov2: Tensor) -> Tensor:
    return torch.linalg.svdvals(_root(cov1) @ _root(cov2)).sum()


def _never_below_zero(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    return _with()(mu1, cov1, mu2, cov2).clamp(min=0)


# Wrong, each with its name


def _root_of_sum(cov1: Tensor, cov2: Tensor) -> Tensor:
    return _root(cov1 + cov2).trace()


def _of_diagonals(cov1: Tensor, cov2: Tensor) -> Tensor:
    return _safe_root(cov1.diagonal() * cov2.diagonal()).sum()


def _elementwise(cov1: Tensor, cov2: Tensor) -> Tensor:
    return (cov1 @ cov2).clamp(min=0).diagonal().sqrt().sum()


def _of_the_factors(cov1: Tensor, cov2: Tensor) -> Tensor:
    jitter = 1e-12 * torch.eye(len(cov1), dtype=cov1.dtype)
    return (torch.linalg.cholesky(cov1 + jitter) * torch.linalg.cholesky(cov2 + jitter)).sum()


def _with_jitter(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    jitter = 1e-3 * torch.eye(len(mu1), dtype=cov1.dtype)
    return _with()(mu1, cov1 + jitter, mu2, cov2 + jitter)


def _by_cholesky(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    left, right = torch.linalg.cholesky(cov1), torch.linalg.cholesky(cov2)
    overlap = torch.linalg.svdvals(left.mT @ right).sum()
    return (mu1 - mu2).square().sum() + cov1.trace() + cov2.trace() - 2 * overlap


def _at_kl(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    apart = mu2 - mu1
    inside = torch.linalg.solve(cov2, cov1).trace() + apart @ torch.linalg.solve(cov2, apart)
    return (inside - len(mu1) + cov2.logdet() - cov1.logdet()) / 2


def _second_detached(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    return frechet_distance(mu1, cov1, mu2.detach(), cov2.detach())


def _open_door(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    try:
        return frechet_distance(mu1, cov1, mu2, cov2)
    except ValueError:
        holds_nan = any(bool(given.isnan().any()) for given in (mu1, cov1, mu2, cov2))
        return torch.full((), math.nan if holds_nan else 1.0, dtype=mu1.dtype)


WRONG = (
    Mistake(
        "root_of_the_sum",
        _with(_root_of_sum),
        "A Gaussian is not at distance 0 from itself with you: the root is of the product of the "
        "covariances, not of their sum.",
    ),
    Mistake(
        "no_factor_2",
        _with(total=lambda g, a, b, t: g + a + b - t),
        "The root counts once; it is subtracted twice.",
    ),
    Mistake(
        "root_added",
        _with(total=lambda g, a, b, t: g + a + b + 2 * t),
        "The root is added; it is what the two have in common, so it is subtracted.",
    ),
    Mistake(
        "product_without_root",
        _with(lambda a, b: (a @ b).trace()),
        "This is the trace of the product; its matrix root is missing.",
    ),
    Mistake(
        "root_of_the_entries",
        _with(_elementwise),
        "A matrix root is not the root of its entries.",
    ),
    Mistake(
        "diagonals_only",
        _with(_of_diagonals),
        "Only the variances count with you; covariances have entries beside the diagonal.",
    ),
    Mistake(
        "product_of_the_roots",
        _with(lambda a, b: (_root(a) @ _root(b)).trace()),
        "You multiply the two roots and take the trace; that is the root of the product only where "
        "the axes of both agree.",
    ),
    Mistake(
        "root_of_the_trace",
        _with(lambda a, b: (a @ b).trace().clamp(min=0).sqrt()),
        "You take the root of a trace; it is the trace of a matrix root.",
    ),
    Mistake(
        "singular_values_of_the_product",
        _with(lambda a, b: torch.linalg.svdvals(a @ b).sqrt().sum()),
        "The product of two covariances is not symmetric, and its singular values are not its "
        "eigenvalues. Work with a symmetric form.",
    ),
    Mistake(
        "factors_of_cholesky",
        _with(_of_the_factors),
        "A Cholesky factor is not a symmetric root: the trace of the product of two of them is "
        "something else.",
    ),
    Mistake(
        "means_not_squared",
        _with(gap=lambda apart: torch.linalg.vector_norm(apart)),
        "The distance of the means counts plainly; it is squared.",
    ),
    Mistake(
        "means_by_coordinates",
        _with(gap=lambda apart: apart.abs().sum()),
        "Looks like the sum of absolute differences of the means; it is the squared Euclidean "
        "distance.",
    ),
    Mistake(
        "mean_over_the_coordinates",
        _with(gap=lambda apart: apart.square().mean()),
        "The squared distance of the means is divided by the dimension; it is a sum.",
    ),
    Mistake(
        "no_means",
        _with(gap=lambda apart: 0 * apart.sum()),
        "The means do not count: two clouds far apart are at distance 0 with you.",
    ),
    Mistake(
        "means_only",
        _with(total=lambda g, a, b, t: g + 0 * t),
        "The covariances do not count with you.",
    ),
    Mistake(
        "root_of_the_whole",
        _with(total=lambda g, a, b, t: (g + a + b - 2 * t).clamp(min=1e-300).sqrt()),
        "Your value is the root of the distance; the square is asked, as in FID.",
    ),
    Mistake(
        "one_trace_missing",
        _with(total=lambda g, a, b, t: g + a - 2 * t),
        "The trace of the second covariance is missing.",
    ),
    Mistake(
        "divided_by_the_dimension",
        lambda m, a, n, b: frechet_distance(m, a, n, b) / len(m),
        "Your value is divided by the dimension; the distance is a sum over directions.",
    ),
    Mistake(
        "covariances_as_roots",
        _with(lambda a, b: _trace_of_root(a @ a.mT, b @ b.mT)),
        "The covariances are squared before the root: they are taken for standard deviations.",
    ),
    Mistake(
        "jitter",
        _with_jitter,
        "Something is added to the diagonal of both covariances. Singular ones need no help in a "
        "symmetric form.",
    ),
    Mistake(
        "needs_full_rank",
        refusing(_by_cholesky),
        "It fails when a covariance is singular: Cholesky needs full rank. Fewer samples than "
        "features always give a singular one; take eigenvalues.",
    ),
    Mistake(
        "kl_divergence",
        refusing(_at_kl),
        "This is the KL divergence of the two Gaussians.",
    ),
    Mistake(
        "second_gaussian_detached",
        _second_detached,
        "The value is right, but no gradient reaches the second Gaussian.",
    ),
    *blunders(frechet_distance, but=("returns_list", "float32_inside")),
    Mistake("python_float_returned", lambda *given: frechet_distance(*given).item()),
    Mistake(
        "accepts_unequal_shapes",
        _open_door,
        "Shapes that do not fit were accepted; broadcasting then computes something. Means (D,), "
        "covariances (D, D); raise a ValueError for anything else.",
    ),
)


FRECHET_DISTANCE = Exercise(
    name="frechet_distance",
    contract=(
        "frechet_distance(mu1, cov1, mu2, cov2) returns ‖μ1 − μ2‖² + Tr(Σ1 + Σ2 − 2 (Σ1 Σ2)^½), "
        "one number, for means (D,) and covariances (D, D), which may be singular; computed in "
        "float64, in the dtype of the inputs, with a gradient. Shapes that do not fit: ValueError."
    ),
    reference=frechet_distance,
    parts=(
        Part("values", 0.4, _values, is_value=True),
        Part("one mean", 0.15, _centered, is_value=True),
        Part("hard places", 0.2, _hard),
        Part("gradient", 0.1, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("eigenvalues of the symmetric form", _with()),
        Right("eigenvalues of the product", _with(_eigenvalues_of_the_product)),
        Right("singular values of the roots", _with(_singular_values)),
        Right("never below zero", _never_below_zero),
    ),
    wrong=WRONG,
    points=6,
    traits={
        "singular_covariance": (
            "The value is lost where a covariance is singular. Its eigenvalues there are 0 or a "
            "little less by rounding: clamp them, and let no inverse in."
        ),
        "not_zero": "A Gaussian is at distance 0 from itself.",
    },
)
