"""The exercise `orthogonality_penalty`: how far transforms are from rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right
from mdcv.pointnet import orthogonality_penalty


def _guarded(function: Callable[[Tensor], Any], *, square: bool = True, empty: bool = True):
    """The function behind a door; `square` and `empty` off let others through."""

    def guarded(transform: Tensor) -> Any:
        if transform.ndim != 3 or (square and transform.shape[1] != transform.shape[2]):
            raise ValueError(f"transform has shape {tuple(transform.shape)}; expected (B, k, k)")
        if empty and len(transform) == 0:
            raise ValueError("a batch without transforms")
        return function(transform)

    return guarded


def _identity(a: Tensor) -> Tensor:
    return torch.eye(a.shape[1], dtype=a.dtype)


def _plain(a: Tensor) -> Tensor:
    return (_identity(a) - a @ a.mT).square().sum((1, 2)).mean()


# Right, written differently


def _the_other_product(transform: Tensor) -> Tensor:
    """AᵀA for AAᵀ: for square matrices the number is the same."""
    if transform.dim() != 3 or transform.size(1) != transform.size(2) or not len(transform):
        raise ValueError("expected a batch of square matrices")
    gram = torch.bmm(transform.transpose(1, 2), transform)
    return torch.linalg.matrix_norm(gram - torch.eye(len(gram[0])).to(gram)).pow(2).mean()


def _expanded(transform: Tensor) -> Tensor:
    """‖I − AAᵀ‖² = k − 2‖A‖² + ‖AAᵀ‖²."""
    if transform.ndim != 3 or transform.shape[1] != transform.shape[2] or len(transform) < 1:
        raise ValueError("expected (B, k, k)")
    square = torch.einsum("bij,bkj->bik", transform, transform).square().sum((1, 2))
    terms = transform.shape[1] - 2 * transform.square().sum((1, 2)) + square
    return terms.sum() / len(transform)


def _row_by_row(transform: Tensor) -> Tensor:
    if transform.ndim != 3 or 0 in transform.shape or transform.shape[1] != transform.shape[2]:
        raise ValueError("expected square matrices")
    total = transform.new_zeros(())
    for matrix in transform:
        for i, row in enumerate(matrix):
            for j, other in enumerate(matrix):
                total = total + ((1.0 if i == j else 0.0) - (row * other).sum()) ** 2
    return total / len(transform)


RIGHT = (
    Right("as the formula reads", _guarded(_plain)),
    Right("the other product", _the_other_product),
    Right("expanded", _expanded),
    Right("row by row", _row_by_row),
)

# Wrong, each with its name


def _norms(a: Tensor) -> Tensor:
    return (_identity(a) - a @ a.mT).square().sum((1, 2)).sqrt()


def _mistake(name: str, function: Callable[[Tensor], Any], sentence: str = "") -> Mistake:
    return Mistake(name, _guarded(function), sentence)


WRONG = (
    _mistake(
        "without_the_identity",
        lambda a: (a @ a.mT).square().sum((1, 2)).mean(),
        "Your penalty is 0 for a matrix of zeros and punishes rotations: AAᵀ is compared with "
        "nothing. Its goal is the identity.",
    ),
    _mistake(
        "norm_for_its_square",
        lambda a: _norms(a).mean(),
        "Looks like the norm; the penalty is its square.",
    ),
    _mistake(
        "square_of_the_mean",
        lambda a: _norms(a).mean().square(),
        "You average the norms and square then: square the norm of each matrix, then average.",
    ),
    _mistake(
        "norm_of_the_mean",
        lambda a: (_identity(a) - a @ a.mT).mean(0).square().sum(),
        "You average the matrices first, where errors of opposite sign cancel. Each matrix has a "
        "penalty of its own.",
    ),
    _mistake(
        "mean_over_entries",
        lambda a: (_identity(a) - a @ a.mT).square().mean(),
        "Looks like a mean over the entries: the Frobenius norm adds the k² squares up; only over "
        "the batch is a mean taken.",
    ),
    _mistake(
        "sum_over_the_batch",
        lambda a: (_identity(a) - a @ a.mT).square().sum(),
        "Your value grows with the batch: the sum over the entries is right, over the batch a mean "
        "is taken.",
    ),
    _mistake(
        "one_value_each",
        lambda a: (_identity(a) - a @ a.mT).square().sum((1, 2)),
        "One value came for every matrix; the penalty is one number, their mean.",
    ),
    _mistake(
        "not_transposed",
        lambda a: (_identity(a) - a @ a).square().sum((1, 2)).mean(),
        "You multiply A by itself: a rotation by 90° is punished, a reflection is not. One of the "
        "two factors is transposed.",
    ),
    _mistake(
        "entry_by_entry",
        lambda a: (_identity(a) - a * a.mT).square().sum((1, 2)).mean(),
        "The product is taken entry by entry (*); the matrix product (@) was asked.",
    ),
    _mistake(
        "squared_entries",
        lambda a: (_identity(a) - a * a).square().sum((1, 2)).mean(),
        "You square the entries of A; AAᵀ holds the inner products of its rows.",
    ),
    _mistake(
        "near_the_identity",
        lambda a: (_identity(a) - a).square().sum((1, 2)).mean(),
        "Your penalty compares A itself with the identity, so that every rotation but one is "
        "punished. It is AAᵀ that should be the identity.",
    ),
    _mistake(
        "spectral_norm",
        lambda a: torch.linalg.matrix_norm(_identity(a) - a @ a.mT, ord=2).square().mean(),
        "Looks like the spectral norm, the largest singular value; the Frobenius norm adds all "
        "squares up.",
    ),
    _mistake(
        "absolute_values",
        lambda a: (_identity(a) - a @ a.mT).abs().sum((1, 2)).mean(),
        "Looks like a sum of absolute values; the Frobenius norm adds squares.",
    ),
    _mistake(
        "ones_for_the_identity",
        lambda a: (1 - a @ a.mT).square().sum((1, 2)).mean(),
        "Every entry of AAᵀ is compared with 1. Off the diagonal the goal is 0: rows are "
        "orthogonal to each other.",
    ),
    _mistake(
        "diagonal_only",
        lambda a: (1 - a.square().sum(2)).square().sum(1).mean(),
        "Only the lengths of the rows count in your penalty; they must be orthogonal to each "
        "other as well.",
    ),
    _mistake(
        "off_diagonal_only",
        lambda a: (_identity(a) * (a @ a.mT) - a @ a.mT).square().sum((1, 2)).mean(),
        "Only the angles between rows count in your penalty, so that zeros are free; each row "
        "must have length 1 as well.",
    ),
    _mistake(
        "determinant",
        lambda a: (torch.linalg.det(a) - 1).square().mean(),
        "Looks like a distance of the determinant from 1: shears have determinant 1, too.",
    ),
    _mistake(
        "halved",
        lambda a: _plain(a) / 2,
        "Half of our value: the penalty has no factor ½.",
    ),
    *blunders(_guarded(_plain), but=("returns_list",)),
    _mistake("python_float_returned", lambda a: _plain(a).item()),
    Mistake(
        "accepts_no_square",
        _guarded(
            lambda a: (torch.eye(a.shape[1], dtype=a.dtype) - a @ a.mT).square().sum((1, 2)).mean(),
            square=False,
        ),
        "Matrices that are not square were accepted; a transform of k numbers is k × k. Raise a "
        "ValueError.",
    ),
    Mistake(
        "accepts_no_transform",
        _guarded(_plain, empty=False),
        "A batch without matrices was accepted; the mean of nothing is nan. Raise a ValueError.",
    ),
)


def _cases(draw: Draw) -> list[Case]:
    return [
        Case(f"{b} matrices {k} × {k}", (scale * draw.tensor(b, k, k),))
        for b, k, scale in ((2, 3, 1.0), (5, 4, 0.6), (3, 7, 0.4))
    ]


def _rotations(draw: Draw, batch: int, k: int) -> Tensor:
    return torch.linalg.qr(draw.tensor(batch, k, k))[0]


def _special(draw: Draw) -> list[Case]:
    rotations = _rotations(draw, 3, 5)
    near = rotations + 1e-3 * draw.tensor(3, 5, 5)
    layout = transposed_layout(0.5 * draw.tensor(2, 5, 5))
    return [
        Case("rotations and reflections", (rotations,), atol=1e-12),
        Case("nearly orthogonal matrices", (near,), rtol=1e-4, atol=1e-12),
        Case("equal matrices of zeros", (torch.zeros(2, 5, 5, dtype=torch.float64),)),
        Case("a batch of one matrix", (draw.tensor(1, 4, 4),)),
        Case("large entries", (100 * draw.tensor(2, 3, 3),)),
        Case("64 × 64, float32", (draw.tensor(2, 64, 64, dtype=torch.float32) / 8,), rtol=1e-4),
        Case("not contiguous", (layout,), suspicion="needs_contiguous_input"),
    ]


def _gradients(draw: Draw) -> list[Case]:
    return [
        Case("3 matrices 4 × 4", (0.7 * draw.tensor(3, 4, 4),), gradient="value"),
        Case("equal rotations", (torch.eye(3).double().repeat(2, 1, 1),), gradient="finite"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    return [
        Refusal("matrices 3 × 5", (draw.tensor(2, 3, 5),), "accepts_no_square"),
        Refusal("matrices 5 × 3", (draw.tensor(2, 5, 3),), "accepts_no_square"),
        Refusal("one matrix without a batch axis", (draw.tensor(3, 3),), "accepts_wrong_axes"),
        Refusal("a batch of none", (draw.tensor(2, 3, 3)[:0],), "accepts_no_transform"),
    ]


ORTHOGONALITY_PENALTY = Exercise(
    name="orthogonality_penalty",
    contract=(
        "orthogonality_penalty(transform) returns one number, the mean over the batch of "
        "‖I − AAᵀ‖²_F for matrices (B, k, k). Matrices that are not square, other axes, an empty "
        "batch: ValueError."
    ),
    reference=orthogonality_penalty,
    parts=(
        Part("values", 0.55, _cases, is_value=True),
        Part("special matrices", 0.15, _special),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=3,
    traits={
        "accepts_wrong_axes": (
            "A tensor that does not have the three axes (B, k, k) was accepted; raise a ValueError."
        )
    },
)
