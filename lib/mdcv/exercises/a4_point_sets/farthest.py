"""The exercise `farthest_point_sample`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.farthest_right import RIGHT
from mdcv.exercises.a4_point_sets.farthest_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Clue, Exercise, Part, Refusal
from mdcv.points import farthest_point_sample


def _case(kind: str, points: Tensor, k: int, *, suspicion: str = "", **options: int) -> Case:
    batch, n, dimension = points.shape
    start = f" from index {options['start']}" if options else ""
    words = f"{k} of {n} points in {dimension}-D{start}, a batch of {batch}"
    return Case(f"{kind} ({words})" if kind else words, (points, k), options, suspicion=suspicion)


def _from_the_first(draw: Draw) -> list[Case]:
    cases = []
    for batch, n, dimension, k in ((2, 23, 3, 7), (2, 23, 3, 7), (3, 17, 2, 11), (4, 13, 5, 13)):
        spread = 0.4 + draw.integer(0, 12) / 10
        points = draw.cloud(batch, n + draw.integer(0, 4), dimension, spread=spread)
        cases.append(_case("", points, points.shape[1] if k == n else k))
    return [*cases, _case("", draw.cloud(3, 8, 5), 1)]


def _from_start(draw: Draw) -> list[Case]:
    cases = []
    for batch, n, dimension, k in ((2, 19, 3, 7), (3, 16, 5, 5), (2, 19, 3, 7)):
        points = draw.cloud(batch, n, dimension)
        cases.append(_case("", points, k, start=draw.integer(1, n - 2)))
    last = draw.cloud(2, 9, 2)
    return [*cases, _case("", last, 4, start=8), _case("", draw.cloud(3, 7, 2), 7, start=2)]


def _ties(draw: Draw) -> list[Case]:
    """Whole numbers, so that distances are exact and many of them equal."""
    square = torch.cartesian_prod(torch.arange(4.0), torch.arange(5.0)).double()
    cube = torch.cartesian_prod(*3 * [torch.arange(3.0)])
    ring = torch.tensor([[0, 0], [3, 4], [-3, 4], [3, -4], [-3, -4], [5, 0], [-5, 0], [0, 5]])
    cases = []
    for grid, k, start in ((square, 9, 0), (cube, 11, 13), (ring.double(), 6, 0)):
        shuffled = torch.stack([grid[draw.order(len(grid))] for _ in range(2)])
        kind = "points on a grid, with ties"
        cases.append(_case(kind, shuffled, k, start=start, suspicion="wrong_ties"))
    return cases


def _copies(draw: Draw) -> list[Case]:
    few = draw.cloud(2, 3, 3)[:, [0, 1, 1, 2, 0, 2, 1, 0]]
    same = draw.cloud(3, 1, 2).expand(3, 6, 2).contiguous()
    return [
        _case("fewer distinct points than picks", few, 7),
        _case("fewer distinct points than picks", few, 8, start=3),
        _case("copies of one point", same, 5, start=2),
    ]


def _hard(draw: Draw) -> list[Case]:
    far = draw.cloud(2, 31, 3, offset=1e4, spread=1e-2, dtype=torch.float32)
    layout = "needs_contiguous_input"
    return [
        _case("float32 clouds of size 0.01 around 10,000", far, 12, suspicion="cancellation"),
        _case(
            "float64 clouds around 4,000,000",
            draw.cloud(3, 29, 2, offset=4e6, spread=0.1),
            11,
            suspicion="float32_inside",
        ),
        _case("clouds of size 10,000", draw.cloud(2, 17, 3, spread=1e4), 9),
        _case("not contiguous", transposed_layout(draw.cloud(2, 13, 3)), 5, suspicion=layout),
        _case("not contiguous", strided_layout(draw.cloud(3, 11, 2)), 5, suspicion=layout),
        _case("a single point", draw.cloud(3, 1, 2), 1),
        _case("a batch of one", draw.cloud(1, 12, 3), 5),
        _case("float32", draw.cloud(2, 14, 3, dtype=torch.float32), 6),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    points = draw.cloud(2, 7, 3)
    nan = points.clone()
    nan[1, 4, 2] = torch.nan
    return [
        Refusal("k=8 of 7 points", (points, 8), "accepts_too_many"),
        Refusal("k=0", (points, 0), "accepts_too_few"),
        Refusal("k=-1", (points, -1), "accepts_too_few"),
        Refusal("start=7 of 7 points", (points, 3), "accepts_start_out_of_range", {"start": 7}),
        Refusal("start=-1", (points, 3), "accepts_negative_start", {"start": -1}),
        Refusal("a point that holds NaN", (nan, 3), "hides_nan"),
        Refusal("clouds without points", (points[:, :0], 1), "accepts_empty_set"),
        Refusal("a cloud without a batch axis", (points[0], 3), "accepts_wrong_ndim"),
    ]


def _start_is_not_first(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool((yours[:, 0] != case.options.get("start", 0)).any())


def _repeats(yours: Tensor, right: Tensor, case: Case) -> bool:
    return any(len(set(row)) < len(row) for row in yours.tolist())


def _beyond(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool(((yours < 0) | (yours >= case.arguments[0].shape[1])).any())


def _same_for_all(yours: Tensor, right: Tensor, case: Case) -> bool:
    alike = len(yours) > 1 and bool((yours == yours[:1]).all())
    return alike and not bool((right == right[:1]).all())


def _second_is_right(yours: Tensor, right: Tensor, case: Case) -> bool:
    return yours.shape[1] > 2 and torch.equal(yours[:, :2].long(), right[:, :2])


FARTHEST_POINT_SAMPLE = Exercise(
    name="farthest_point_sample",
    contract=(
        "farthest_point_sample(points, k, *, start=0) returns int64 indices (B, k): the first is "
        "start, each next one maximizes the distance to those chosen before. Ties go to the lowest "
        "index, and no index comes twice. k outside 1..N, start outside 0..N-1, NaN: ValueError."
    ),
    reference=farthest_point_sample,
    parts=(
        Part("picks from index 0", 0.4, _from_the_first, is_value=True),
        Part("picks from start", 0.15, _from_start, is_value=True),
        Part("ties", 0.1, _ties),
        Part("copies", 0.1, _copies),
        Part("hard places", 0.1, _hard),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    clues=(
        Clue("Some indices are not indices of the cloud at all.", _beyond),
        Clue("The first index is not start.", _start_is_not_first),
        Clue("Every cloud of the batch got the same picks; each has its own.", _same_for_all),
        Clue(
            "An index comes twice: keep each point's distance to the nearest pick so far.", _repeats
        ),
        Clue(
            "The first two picks are right, a later one is not: the distance that counts is the "
            "one to the nearest of all picks so far.",
            _second_is_right,
        ),
    ),
    points=6,
)
