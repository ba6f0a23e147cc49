"""What every measure on two sets of features asks for."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.errors import check_finite, check_same_kind, check_tensor


def check_feature_sets(
    first: Tensor, second: Tensor, *, names: tuple[str, str], at_least: int, needed_for: str
) -> None:
    """Refuses anything but two finite sets of features, (N, D) and (M, D), of one kind.

    Args:
        names: what the message calls the two.
        at_least: samples that each set must have, and `needed_for` what.

    >>> two, three = torch.zeros(4, 2), torch.zeros(4, 3)
    >>> check_feature_sets(two, three, names=("a", "b"), at_least=2, needed_for="a variance")
    Traceback (most recent call last):
    ValueError: b has shape (4, 3); axis D should be 2 as in a, not 3
    """
    for name, features in zip(names, (first, second), strict=True):
        check_tensor(name, features, ndim=2, layout="(N, D)")
        if features.shape[0] < at_least or features.shape[1] == 0:
            raise ValueError(
                f"{name} has shape {tuple(features.shape)}; expected (N, D) with N >= {at_least} "
                f"samples, which {needed_for} needs, and D >= 1"
            )
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[1]} has shape {tuple(second.shape)}; axis D should be {first.shape[1]} as in "
            f"{names[0]}, not {second.shape[1]}"
        )
    check_same_kind(names[1], second, names[0], first)
    if not torch.compiler.is_compiling():
        for name, features in zip(names, (first, second), strict=True):
            check_finite(name, features)
