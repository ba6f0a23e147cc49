"""Plain doors for the right and wrong variants, which differ behind them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Function = Callable[..., Tensor]


def of_noise(function: Function, *, shapes: bool = True) -> Function:
    """The draw behind a door for mu, logvar and eps of one shape; `shapes` off broadcasts."""

    def guarded(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
        if shapes and not mu.shape == logvar.shape == eps.shape:
            raise ValueError(f"shapes {mu.shape}, {logvar.shape} and {eps.shape}")
        return function(mu, logvar, eps)

    return guarded


def of_images(
    function: Function, *, shapes: bool = True, latents: bool = True, pixels: bool = True
) -> Function:
    """The bound behind a door for images and their guesses.

    `shapes`, `latents` and `pixels` turned off let images broadcast, let guesses broadcast, and
    accept pixels outside [0, 1].
    """

    def guarded(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        if shapes and logits.shape != x.shape:
            raise ValueError(f"logits have shape {logits.shape}, x {x.shape}")
        if latents and (mu.shape != logvar.shape or len(mu) != len(x)):
            raise ValueError(f"mu has shape {mu.shape}, logvar {logvar.shape}")
        if pixels and not bool(((x >= 0) & (x <= 1)).all()):
            raise ValueError("a pixel is outside [0, 1]")
        return function(logits, x, mu, logvar)

    return guarded


def of_weights(function: Function, *, axes: bool = True, empty: bool = True) -> Function:
    """The bound behind a door for weights (K, B); `axes` and `empty` off let others through."""

    def guarded(log_weights: Tensor) -> Tensor:
        if axes and log_weights.ndim != 2:
            raise ValueError(f"{log_weights.ndim} axes")
        if len(log_weights) == 0:
            if empty:
                raise ValueError("no draw")
            return log_weights.sum(dim=0)
        return function(log_weights)

    return guarded
