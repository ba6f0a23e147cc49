"""The Earth Mover's distance, certified to 0.1 %."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench import clouds
from bench.case import ANYWHERE, Case, Curve, Entrant, Goal

EXCESS = 1e-3
#: How far an exact solver's cost may fall below another's: float32 distances, summed.
ROUNDING = 1e-5


def _ours(x, y):
    from mdcv.points import earth_movers_assignment

    return lambda: earth_movers_assignment(x, y, tolerance=EXCESS)


def _scipy(x, y):
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    x, y = x[0].numpy(), y[0].numpy()

    def call():
        cost = cdist(x, y)
        return cost[linear_sum_assignment(cost)].sum()

    return call


def _pot(x, y):
    import ot

    # Doubles here: what the solver converts to in any case. The default cap on iterations is too
    # low for these sizes and makes the answer wrong.
    x, y, threads = x[0].double().numpy(), y[0].double().numpy(), torch.get_num_threads()

    def call():
        cost = ot.dist(x, y, metric="euclidean")
        return ot.emd2([], [], cost, numItermax=10_000_000, numThreads=threads) * len(x)

    return call


def _geomloss(x, y):
    from geomloss import SamplesLoss

    loss = SamplesLoss("sinkhorn", p=1, blur=0.01, scaling=0.9, debias=False, backend="tensorized")
    return lambda: loss(x[0], y[0]) * x.shape[1]


OURS = Entrant(
    "mdcv",
    "mdcv.points",
    _ours,
    lambda found: {"cost": float(found.cost), "gap": float(found.gap)},
    ANYWHERE,
)
PEERS = (
    Entrant("SciPy", "scipy.optimize", _scipy, float),
    Entrant("POT", "ot", _pot, float),
    Entrant("geomloss", "geomloss", _geomloss, float, ANYWHERE),
)


def _certified(inputs: dict, ours: dict[str, float]) -> str | None:
    return None if ours["gap"] <= EXCESS else f"a gap of {ours['gap']:.2g} is certified"


def _costs(inputs: dict, ours: dict[str, float], theirs: float) -> str | None:
    excess = ours["cost"] / theirs - 1
    if -ROUNDING <= excess <= EXCESS:
        return None
    return f"its cost is {100 * (theirs / ours['cost'] - 1):+.2g} % from ours"


PAIRS: dict[str, Callable[[int], tuple[Tensor, Tensor]]] = {
    "sphere-cube": lambda n: (clouds.sphere(n, 1), clouds.cube(n, 2)),
    "sphere-sphere": lambda n: (clouds.sphere(n, 1), clouds.sphere(n, 2)),
    "lattice": lambda n: (
        clouds.shuffled(clouds.lattice(n, 0.0), 1),
        clouds.shuffled(clouds.lattice(n, 0.5), 2),
    ),
    "duplicates": lambda n: (
        clouds.shuffled(clouds.duplicated(clouds.sphere(n, 1)), 3),
        clouds.shuffled(clouds.duplicated(clouds.cube(n, 2)), 4),
    ),
}


def earth_movers(pair: str, n: int) -> Case:
    def inputs(device: torch.device) -> dict[str, Tensor]:
        x, y = PAIRS[pair](n)
        return {"x": x[None].to(device), "y": y[None].to(device)}

    return Case(
        name=f"earth-movers-{pair}-{n}",
        operation="earth_movers_distance",
        title=f"Earth Mover's to 0.1 %, {pair}, {n:,}",
        inputs=inputs,
        ours=OURS,
        peers=PEERS,
        compare=_costs,
        tolerance="our cost at most 0.1 % above theirs, and so certified by ours",
        verify=_certified,
        goals=(Goal(3, ("POT", "SciPy")),),
    )


CASES = tuple(earth_movers(pair, 2048) for pair in PAIRS)

CURVE = Curve(
    name="earth_movers_distance",
    operation="earth_movers_distance",
    title="Earth Mover's to 0.1 %, sphere to cube",
    counts="points on each side",
    sizes=(256, 512, 1024, 2048, 4096),
    case=lambda n: earth_movers("sphere-cube", n),
)
