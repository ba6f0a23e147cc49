"""The k nearest points of one set for every point of another, with a gradient for the distances."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import refuse_infinite, rows_at_a_time, squared_distances

#: Beyond this many neighbors, unless they are few of many, sorting all is faster than a search.
MOST_KEPT_SORTED = 64

#: On a GPU more than this many would crowd the registers.
MOST_KEPT_ON_GPU = 32


def nearest_neighbors_reference(x: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Sorts all squared distances from each x (B, N, D) to y (B, M, D) and keeps the k smallest.

    Returns:
        Squared distances (B, N, k), ascending, and indices into y (B, N, k); ties go to the
        lower index. Rows are taken a few at a time, so that memory does not grow with N · M.
    """
    rows = rows_at_a_time(y.shape[0], y.shape[1])
    found = [
        torch.sort(squared_distances(some, y), dim=-1, stable=True) for some in x.split(rows, dim=1)
    ]
    values = torch.cat([part.values[..., :k] for part in found], dim=1)
    indices = torch.cat([part.indices[..., :k] for part in found], dim=1)
    return values, indices


@torch.library.custom_op("mdcv::nearest_neighbors", mutates_args=())
def find_nearest_neighbors(x: Tensor, y: Tensor, k: int, refuse_nan: bool) -> tuple[Tensor, Tensor]:
    """Squared distances and indices as the reference gives them; x and y in float32 or float64.

    The gradient flows through the distances of the winning pairs, and can be taken again.

    Args:
        refuse_nan: what to do about a NaN or an infinity. True refuses it; False makes every
            distance of its batch element NaN, so that nothing hides it and no device waits.
    """
    if refuse_nan:
        refuse_infinite("x", x)
        refuse_infinite("y", y)
        return _body(x, y, k)
    finite = x.isfinite().flatten(1).all(dim=1) & y.isfinite().flatten(1).all(dim=1)
    at_fault = ~finite[:, None, None]
    squared, indices = _body(x.where(~at_fault, 0.0), y.where(~at_fault, 0.0), k)
    return squared.masked_fill(at_fault, torch.nan), indices


def _body(x: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The body for this device and these sizes; all give the same bits."""
    few_of_many = k <= MOST_KEPT_SORTED or MOST_KEPT_SORTED * k <= y.shape[1]
    if x.device.type == "cpu" and x.numel() and few_of_many:
        from mdcv.kernels.nearest_neighbors_cpu import nearest_neighbors_cpu

        return nearest_neighbors_cpu(x.detach(), y.detach(), k)
    if x.device.type == "cuda" and x.numel() and k <= MOST_KEPT_ON_GPU:
        from mdcv.kernels.nearest_neighbors_gpu import nearest_neighbors_gpu

        return nearest_neighbors_gpu(x.detach(), y.detach(), k)
    return nearest_neighbors_reference(x, y, k)


@find_nearest_neighbors.register_fake
def _(x: Tensor, y: Tensor, k: int, refuse_nan: bool) -> tuple[Tensor, Tensor]:
    shape = (x.shape[0], x.shape[1], k)
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int64)


def _save_winners(ctx, inputs, output) -> None:
    x, y, _, _ = inputs
    ctx.save_for_backward(x, y, output[1])


def _pull_winners(ctx, grad_squared: Tensor, _: Tensor):
    """∂|x - y|² = 2 (x - y) on the winning pairs; plain torch, so that it has a gradient itself."""
    x, y, indices = ctx.saved_tensors
    winners = indices.flatten(1).unsqueeze(-1).expand(-1, -1, y.shape[2])
    difference = x.unsqueeze(2) - y.gather(1, winners).unflatten(1, indices.shape[1:])
    pull = 2 * grad_squared.unsqueeze(-1) * difference
    grad_x = pull.sum(dim=2) if ctx.needs_input_grad[0] else None
    grad_y = None
    if ctx.needs_input_grad[1]:
        grad_y = torch.zeros_like(y).scatter_add(1, winners, -pull.flatten(1, 2))
    return grad_x, grad_y, None, None


find_nearest_neighbors.register_autograd(_pull_winners, setup_context=_save_winners)
