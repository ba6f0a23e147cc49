"""Farthest point sampling and ball query."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from bench import clouds
from bench.case import ANYWHERE, Case, Curve, Entrant, Goal, calling

#: By how much of it the farthest squared distance may be missed when coordinates are rounded.
TIE = 1e-5


def _bucket(height: int):
    def prepare(points, k):
        import fpsample

        cloud = points[0].numpy()
        return lambda: fpsample.bucket_fps_kdline_sampling(cloud, k, h=height, start_idx=0)

    return prepare


def _fpsample(points, k):
    import fpsample

    cloud = points[0].numpy()
    return lambda: fpsample.fps_sampling(cloud, k, start_idx=0)


def _pytorch3d_farthest(points, k):
    from pytorch3d.ops import sample_farthest_points

    return lambda: sample_farthest_points(points, K=k)[1]


def _torch_cluster_farthest(points, k):
    from torch_cluster import fps

    # The share is nudged so that its product with the size rounds up to k, not beyond.
    cloud, share = points[0], (k - 0.5) / points.shape[1]
    return lambda: fps(cloud, ratio=share, random_start=False)


def _flat(indices) -> Tensor:
    return torch.as_tensor(indices).flatten().long().cpu()


FARTHEST = (
    Entrant(
        "mdcv", "mdcv.points", calling("mdcv.points", "farthest_point_sample"), _flat, ANYWHERE
    ),
    *(
        Entrant(
            f"fpsample bucket, height {h}", "fpsample", _bucket(h), lambda i: _flat(i.astype(int))
        )
        for h in (5, 7, 9)
    ),
    Entrant("fpsample", "fpsample", _fpsample, lambda i: _flat(i.astype(int))),
    Entrant("pytorch3d", "pytorch3d.ops", _pytorch3d_farthest, _flat, ANYWHERE),
    Entrant("torch-cluster", "torch_cluster", _torch_cluster_farthest, _flat, ANYWHERE),
)
BRUTE_FORCE = ("fpsample", "pytorch3d", "torch-cluster")
#: Points times samples beyond which brute force takes seconds on a CPU, and is not asked there.
BRUTE_FORCE_WORK = 1e8
BUCKETS = tuple(one.name for one in FARTHEST if "bucket" in one.name)


def first_fault(points: Tensor, indices: Tensor, slack: float | None) -> int | None:
    """The first turn at which the choice was not a farthest point, or None.

    With a slack, a choice whose squared distance falls short by that share is a tie and passes;
    without one, only the lowest index among the farthest does.
    """
    axes = points.cpu().numpy().T.copy()
    to_nearest_chosen = np.full(len(points), np.inf, dtype=axes.dtype)
    for turn, chosen in enumerate(indices.tolist()):
        if turn:
            best = int(to_nearest_chosen.argmax())
            if slack is None:
                wrong = chosen != best
            else:
                wrong = to_nearest_chosen[chosen] < (1 - slack) * to_nearest_chosen[best]
            if wrong:
                return turn
        to_newest = np.zeros_like(to_nearest_chosen)
        for axis in axes:
            to_newest += (axis - axis[chosen]) ** 2
        np.minimum(to_nearest_chosen, to_newest, out=to_nearest_chosen)
        to_nearest_chosen[chosen] = -1.0
    return None


def _as_defined(inputs: dict, ours: Tensor) -> str | None:
    turn = first_fault(inputs["points"][0], ours, None)
    return None if turn is None else f"choice {turn} is not the one of the definition"


def _each_farthest(inputs: dict, ours: Tensor, theirs: Tensor) -> str | None:
    if theirs.shape != ours.shape:
        return f"{len(theirs)} indices where ours are {len(ours)}"
    if torch.equal(ours, theirs):
        return None
    turn = first_fault(inputs["points"][0], theirs, TIE)
    return None if turn is None else f"choice {turn} is not a farthest point"


def farthest(n: int, k: int, times: float) -> Case:
    ours, *peers = FARTHEST
    return Case(
        name=f"farthest-{n}-{k}",
        operation="farthest_point_sample",
        title=f"farthest points, {n:,} → {k:,}",
        inputs=lambda device: {"points": clouds.cube(n, 1)[None].to(device), "k": k},
        ours=ours,
        peers=tuple(
            replace(peer, devices=tuple(d for d in peer.devices if d != "cpu"))
            if peer.name in BRUTE_FORCE and n * k > BRUTE_FORCE_WORK
            else peer
            for peer in peers
        ),
        compare=_each_farthest,
        tolerance="ours the indices of the definition; theirs the same but for ties (1e-5)",
        verify=_as_defined,
        goals=(Goal(times, BUCKETS),),
    )


CENTERS, RADIUS, MOST = 2048, 0.1, 64
#: How far from the radius, as a share of it, the rounding of a distance can matter.
RIM = 1e-4


def _cdist_ball(points, centers):
    order = torch.arange(points.shape[1], device=points.device)

    def call():
        inside = torch.cdist(centers, points) <= RADIUS
        first = order.where(inside, len(order)).topk(MOST, largest=False, sorted=True).values
        return first.where(first < len(order), -1)

    return call


def _pytorch3d_ball(points, centers):
    from pytorch3d.ops import ball_query

    return lambda: ball_query(centers, points, K=MOST, radius=RADIUS, return_nn=False).idx


def _torch_cluster_ball(points, centers):
    from torch_cluster import radius

    points, centers = points[0], centers[0]
    return lambda: radius(points, centers, RADIUS, max_num_neighbors=MOST)


def _lists_of_pairs(pairs: Tensor) -> Tensor:
    """(2, pairs) of centers and points, as (C, k) in index order, padded with -1."""
    center, point = pairs.cpu()
    table = torch.full((CENTERS, MOST), torch.iinfo(torch.int64).max)
    order = torch.argsort(center, stable=True)
    center, point = center[order], point[order]
    start = torch.searchsorted(center, torch.arange(CENTERS))
    table[center, torch.arange(len(center)) - start[center]] = point
    table = table.sort(dim=1).values
    return table.where(table < torch.iinfo(torch.int64).max, -1)


BALL = (
    Entrant(
        "mdcv",
        "mdcv.points",
        calling("mdcv.points", "ball_query", RADIUS, MOST),
        lambda found: found[0].cpu(),
        ANYWHERE,
    ),
    Entrant("torch cdist + topk", "torch", _cdist_ball, lambda found: found[0].cpu(), ANYWHERE),
    Entrant("pytorch3d", "pytorch3d.ops", _pytorch3d_ball, lambda found: found[0].cpu(), ANYWHERE),
    Entrant("torch-cluster", "torch_cluster", _torch_cluster_ball, _lists_of_pairs, ANYWHERE),
)


def _same_balls(inputs: dict, ours: Tensor, theirs: Tensor) -> str | None:
    """The same points of every ball; of one with more than k, any k that lie within.

    A ball with a point on its rim, which rounding may put on either side, is left out.
    """
    points, centers = (inputs[name][0].cpu().double() for name in ("points", "centers"))
    for rows in torch.arange(len(centers)).split(256):
        distances = torch.cdist(centers[rows], points, compute_mode="donot_use_mm_for_euclid_dist")
        rim = ((distances - RADIUS).abs() < RIM * RADIUS).any(dim=1)
        full = (ours[rows] >= 0).all(dim=1) & (theirs[rows] >= 0).all(dim=1)
        if (ours[rows] != theirs[rows])[~rim & ~full].any():
            return "a ball holds other points"
        if (distances.gather(1, theirs[rows].clamp(min=0))[full] > (1 + RIM) * RADIUS).any():
            return "a point lies outside its ball"
    return None


def ball() -> Case:
    ours, *peers = BALL
    return Case(
        name="ball-query-20000-2048",
        operation="ball_query",
        title="ball query, 20,000, 2,048 centers",
        inputs=lambda device: {
            "points": clouds.cube(20_000, 1)[None].to(device),
            "centers": clouds.cube(20_000, 1)[None, :CENTERS].to(device),
        },
        ours=ours,
        peers=tuple(peers),
        compare=_same_balls,
        tolerance="the same points; where a ball holds over 64, any 64 of them",
        goals=(Goal(2, ("torch-cluster",)), Goal(15, ("torch cdist + topk",))),
    )


CASES = (farthest(10_000, 1024, 1.5), farthest(100_000, 4096, 1.2), ball())

CURVE = Curve(
    name="farthest_point_sample",
    operation="farthest_point_sample",
    title="512 farthest points in a cube",
    counts="points",
    sizes=(1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    case=lambda n: farthest(n, 512, 1.2),
)
