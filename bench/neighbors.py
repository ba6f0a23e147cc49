"""Nearest neighbors and the Chamfer distance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench import clouds
from bench.agreement import within
from bench.case import ANYWHERE, Case, Curve, Entrant, Goal, calling


def _scipy(**options):
    def prepare(x, y):
        from scipy.spatial import cKDTree

        queries, points, workers = x[0].numpy(), y[0].numpy(), torch.get_num_threads()
        return lambda: cKDTree(points, **options).query(queries, workers=workers)[0] ** 2

    return prepare


def _cdist(x, y):
    return lambda: torch.cdist(x, y).min(dim=2).values.square()


def _torch_cluster(x, y):
    from torch_cluster import knn

    x, y = x[0], y[0]
    return lambda: (x - y[knn(y, x, 1)[1]]).square().sum(dim=1)


def _distances(squared) -> dict[str, Tensor]:
    return {"distance": torch.as_tensor(squared).double().sqrt().flatten()}


OURS = Entrant(
    "mdcv",
    "mdcv.points",
    calling("mdcv.points", "nearest_neighbors"),
    lambda found: _distances(found.squared_distances),
    ANYWHERE,
)
TREE = Entrant("SciPy cKDTree", "scipy.spatial", _scipy(), _distances)
QUICK_TREE = Entrant(
    "SciPy cKDTree, unbalanced",
    "scipy.spatial",
    _scipy(balanced_tree=False, compact_nodes=False),
    _distances,
)
CDIST = Entrant("torch cdist", "torch", _cdist, _distances, ANYWHERE)
PYTORCH3D = Entrant(
    "pytorch3d",
    "pytorch3d.ops",
    calling("pytorch3d.ops", "knn_points"),  # K is 1 unless it is told otherwise
    lambda found: _distances(found.dists),
    ANYWHERE,
)
TORCH_CLUSTER = Entrant("torch-cluster", "torch_cluster", _torch_cluster, _distances, ANYWHERE)


def nearest(shape: str, cloud: Callable[[int, int], Tensor], n: int, times: float) -> Case:
    """From n points to n others, the search structure built anew in every call."""
    every_pair = (CDIST, PYTORCH3D) if n <= 10_000 else ()  # n² is minutes beyond
    return Case(
        name=f"nearest-{shape}-{n}",
        operation="nearest_neighbors",
        title=f"nearest neighbors, {shape}, {n:,}",
        inputs=lambda device: {
            "x": cloud(n, 1)[None].to(device),
            "y": cloud(n, 2)[None].to(device),
        },
        ours=OURS,
        peers=(TREE, QUICK_TREE, TORCH_CLUSTER, *every_pair),
        compare=within({"distance": 1e-3}),
        tolerance="distances within 0.1 % (as vectors)",
        goals=(Goal(times, (TREE.name, QUICK_TREE.name)),),
    )


def _with_gradients(distance: Callable[[Tensor, Tensor], Tensor]):
    def prepare(x, y):
        x, y = x.clone().requires_grad_(), y.clone().requires_grad_()

        def call():
            total = distance(x, y)
            return total.detach(), *torch.autograd.grad(total, (x, y))

        return call

    return prepare


def _forward(distance: Callable[[Tensor, Tensor], Tensor]):
    return lambda x, y: lambda: (distance(x, y),)


def _our_chamfer(x: Tensor, y: Tensor) -> Tensor:
    from mdcv.points import chamfer_distance

    return chamfer_distance(x, y).sum()


def _cdist_chamfer(x: Tensor, y: Tensor) -> Tensor:
    distances = torch.cdist(x, y)
    return sum(distances.min(dim=axis).values.square().sum() for axis in (1, 2))


def _pytorch3d_chamfer(x: Tensor, y: Tensor) -> Tensor:
    from pytorch3d.loss import chamfer_distance

    return chamfer_distance(x, y, batch_reduction="sum", point_reduction="sum")[0]


def _value_and_gradients(returned) -> dict[str, Tensor]:
    return dict(zip(("value", "gradient of x", "gradient of y"), returned, strict=False))


CHAMFERS = {
    "mdcv": ("mdcv.points", _our_chamfer),
    "torch cdist": ("torch", _cdist_chamfer),
    "pytorch3d": ("pytorch3d.loss", _pytorch3d_chamfer),
}


def _pairs(batch: int, n: int) -> Callable[[torch.device], dict[str, Tensor]]:
    def inputs(device: torch.device) -> dict[str, Tensor]:
        return {
            "x": clouds.sphere(batch * n, 1).view(batch, n, 3).to(device),
            "y": clouds.cube(batch * n, 2).view(batch, n, 3).to(device),
        }

    return inputs


def chamfer(
    name: str, title: str, batch: int, measured: Callable, limits: dict[str, float], **more
) -> Case:
    """`batch` pairs of 2048 points; `measured` says what of the distance, `limits` how exactly."""
    ours, *peers = (
        Entrant(library, needs, measured(distance), _value_and_gradients, ANYWHERE)
        for library, (needs, distance) in CHAMFERS.items()
    )
    return Case(
        name=name,
        operation="chamfer_distance",
        title=title,
        inputs=_pairs(batch, 2048),
        ours=ours,
        peers=tuple(peers),
        compare=within(limits),
        tolerance="value within 0.01 %, gradients within 1 % (as vectors)",
        **more,
    )


CASES = (
    chamfer(
        "chamfer-backward-16x2048",
        "Chamfer with gradients, 16 × 2048",
        16,
        _with_gradients,
        {"value": 1e-4, "gradient of x": 1e-2, "gradient of y": 1e-2},
        goals=(Goal(20, ("pytorch3d",)), Goal(60, ("torch cdist",))),
    ),
    chamfer(  # its floor is computed on a GPU
        "chamfer-forward-32x2048",
        "Chamfer, 32 × 2048",
        32,
        _forward,
        {"value": 1e-4},
        devices=("cuda",),
    ),
    *(
        nearest(shape, cloud, n, times)
        for shape, cloud, times in (
            ("cube", clouds.cube, 3),
            ("sphere", clouds.sphere, 3),
            ("clusters", clouds.clusters, 2),
        )
        for n in (10_000, 100_000)
    ),
)

CURVE = Curve(
    name="nearest_neighbors",
    operation="nearest_neighbors",
    title="nearest neighbors in a cube",
    counts="points on each side",
    sizes=(1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    case=lambda n: nearest("cube", clouds.cube, n, 3),
)
