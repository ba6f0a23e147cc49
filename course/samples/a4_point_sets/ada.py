"""Everything right, with a figure and a written answer."""

import matplotlib.pyplot as plt
import torch
from scipy.optimize import linear_sum_assignment


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3:
        raise ValueError(f"expected (B, N, D) and (B, M, D), got {x.shape} and {y.shape}")
    if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[2]:
        raise ValueError(f"batch and dimension must agree, got {x.shape} and {y.shape}")
    return torch.linalg.vector_norm(x.unsqueeze(2) - y.unsqueeze(1), dim=-1)


def _not_empty(x, y):
    if x.shape[1] == 0 or y.shape[1] == 0:
        raise ValueError(f"empty set: {x.shape} and {y.shape}")


def hausdorff_distance(x, y):
    table = pairwise_distances(x, y)
    _not_empty(x, y)
    worst_of_x = table.amin(2).amax(1)
    worst_of_y = table.amin(1).amax(1)
    return torch.maximum(worst_of_x, worst_of_y)


def chamfer_distance(x, y, *, squared=True, reduction="sum", one_sided=False):
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction is {reduction!r}, expected 'sum' or 'mean'")
    table = pairwise_distances(x, y)
    _not_empty(x, y)
    if squared:
        table = table**2
    forth, back = table.amin(2), table.amin(1)
    if reduction == "sum":
        forth, back = forth.sum(1), back.sum(1)
    else:
        forth, back = forth.mean(1), back.mean(1)
    return forth if one_sided else forth + back


def earth_movers_distance(x, y, *, reduction="sum"):
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction is {reduction!r}, expected 'sum' or 'mean'")
    table = pairwise_distances(x, y)
    _not_empty(x, y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"a bijection needs equal sizes, got {x.shape[1]} and {y.shape[1]}")
    totals = []
    for costs in table:
        rows, columns = linear_sum_assignment(costs.detach().double().cpu().numpy())
        totals.append(costs[rows, columns].sum())
    total = torch.stack(totals)
    return total if reduction == "sum" else total / x.shape[1]


def farthest_point_sample(points, k, *, start=0):
    if points.ndim != 3:
        raise ValueError(f"expected (B, N, D), got {points.shape}")
    batch, count, _ = points.shape
    if not 1 <= k <= count:
        raise ValueError(f"k is {k}, but there are {count} points")
    if not 0 <= start < count:
        raise ValueError(f"start is {start}, but there are {count} points")
    if torch.isnan(points).any():
        raise ValueError("points holds NaN")
    points = points.detach()
    each = torch.arange(batch, device=points.device)
    newest = torch.full((batch,), start, device=points.device)
    chosen = [newest]
    nearest = torch.full((batch, count), float("inf"), dtype=points.dtype, device=points.device)
    for _ in range(k - 1):
        away = (points - points[each, newest].unsqueeze(1)).square().sum(-1)
        nearest = torch.minimum(nearest, away)
        nearest[each, newest] = -1.0
        newest = nearest.argmax(1)
        chosen.append(newest)
    return torch.stack(chosen, dim=1)


def sample_surface(vertices, faces, n, *, generator=None):
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise ValueError(f"vertices has shape {vertices.shape}, expected (V, 3)")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"faces has shape {faces.shape}, expected (F, 3)")
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError("a face names a vertex that is not there")
    a, b, c = vertices[faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=1)
    if not area.sum() > 0:
        raise ValueError("the mesh has no area")
    face = torch.multinomial(area, n, replacement=True, generator=generator)
    r, s = torch.rand(2, n, 1, generator=generator, dtype=vertices.dtype)
    root = r.sqrt()
    return (1 - root) * a[face] + root * (1 - s) * b[face] + root * s * c[face]


def density_sensitivity(distance, reference, even, uneven):
    noise = distance(reference, even)
    if torch.any(noise == 0):
        raise ValueError("no noise: an even cloud equals its reference")
    return distance(reference, uneven) / noise


def sensitivity_figure(ratios, sensitivities):
    figure, axes = plt.subplots(figsize=(7, 4))
    for name, values in sensitivities.items():
        axes.errorbar(ratios, values.mean(1), yerr=values.std(1), marker="o", label=name)
    axes.axhline(1, linestyle=":", color="gray")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("density ratio, back to rest")
    axes.set_ylabel("times the sampling noise")
    axes.set_title("Only Earth Mover's sees the uneven chair early")
    axes.legend()
    return figure


written_answer = """
(a) Earth Mover's notices first, Euclidean Chamfer hardly at all. Under Chamfer many points may
share one nearest neighbor, so a surplus on the back costs nothing. A bijection gives every point
a partner of its own: the surplus has to travel to the legs, and that way is paid for.

(b) At large ratios the sparse legs have holes. Hausdorff is the largest such gap. Squaring lets
a few long ways outweigh many short ones, so the squared Chamfer curve rises where the plain one
stays flat.

(c) With Earth Mover's the points spread as in the training clouds. With Chamfer nothing asks for
even density, so points may crowd where the shape is easy. If only the outline matters, or the
sets differ in size, I would take Chamfer.
"""
