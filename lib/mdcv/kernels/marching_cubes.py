"""Marching cubes: which grid edges a level surface crosses, and the triangles between them."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import refuse_infinite
from mdcv.kernels.marching_cubes_table import CORNERS, EDGES, case_table


def marching_cubes_reference(volume: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Crossed edges (V,) in order, and faces (F, 3) that name three of them; volume (X, Y, Z).

    The edge 3 n + a runs from node n, counted row by row, along axis a. It is crossed when exactly
    one of its nodes is inside, that is below the level. Seen from outside, the edges of a face run
    counterclockwise. Cells come row by row, and each in the order of `case_table`.
    """
    inside = volume < level
    cells = [n - 1 for n in volume.shape]
    case = torch.zeros(cells, dtype=torch.int64, device=volume.device)
    for bit, corner in enumerate(CORNERS):
        seen = inside
        for axis in range(3):
            seen = seen.narrow(axis, corner[axis], cells[axis])
        case += seen.long() << bit

    table = torch.from_numpy(case_table()).to(volume.device).long()
    stride = torch.tensor([volume.shape[1] * volume.shape[2], volume.shape[2], 1])
    edge = torch.tensor([[3 * int(stride @ torch.tensor(c)) + axis] for c, axis in EDGES])
    stride, edge = stride.to(volume.device), edge.to(volume.device).flatten()

    active = torch.nonzero((case > 0) & (case < 255))
    crossed = table[case[active.unbind(dim=1)]]
    drawn = crossed[..., 0] >= 0
    first_node = (active * stride).sum(dim=1)
    numbers = (3 * first_node[:, None, None] + edge[crossed])[drawn]
    edges, faces = torch.unique(numbers, return_inverse=True)
    return edges, faces


@torch.library.custom_op("mdcv::marching_cubes", mutates_args=())
def march_cubes(volume: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Crossed edges and faces as the reference gives them, for a finite volume of 2 nodes or more.

    volume in float32 or float64; level () in the same dtype.
    """
    refuse_infinite("volume", volume)
    if volume.device.type == "cuda":
        from mdcv.kernels.marching_cubes_gpu import marching_cubes_gpu

        return marching_cubes_gpu(volume.detach(), level)
    if volume.device.type == "cpu":
        from mdcv.kernels.marching_cubes_cpu import marching_cubes_cpu

        return marching_cubes_cpu(volume.detach(), level.item())
    return marching_cubes_reference(volume, level)


@march_cubes.register_fake
def _(volume: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    context = torch.library.get_ctx()
    edges = volume.new_empty((context.new_dynamic_size(),), dtype=torch.int64)
    return edges, volume.new_empty((context.new_dynamic_size(), 3), dtype=torch.int64)
