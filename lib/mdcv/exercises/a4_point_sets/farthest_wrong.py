"""Wrong ways to write `farthest_point_sample`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.blunders import changing_its_input, returning_nothing
from mdcv.exercises.exercise import Mistake

# Wrong: one walk with every step that can be taken wrongly


def _squares(points: Tensor, newest: Tensor) -> Tensor:
    return (points - newest).square().sum(2)


def _first_of_largest(score: Tensor) -> Tensor:
    return score.argmax(1)


def _walk(
    points: Tensor,
    k: int,
    start: int,
    *,
    measure: Callable[[Tensor, Tensor], Tensor] = _squares,
    merge: Callable[[Tensor, Tensor], Tensor] = torch.minimum,
    choose: Callable[[Tensor], Tensor] = _first_of_largest,
    taken: float | None = -torch.inf,
) -> Tensor:
    """Farthest point sampling with its steps as arguments; the defaults are right."""
    rows = torch.arange(len(points))
    picks = [torch.full((len(points),), start)]
    score = measure(points, points[rows, picks[0]][:, None])
    for _ in range(k - 1):
        if taken is not None:
            score = score.scatter(1, torch.stack(picks, dim=1), taken)
        picks.append(choose(score))
        score = merge(score, measure(points, points[rows, picks[-1]][:, None]))
    return torch.stack(picks, dim=1)


def _right(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, start)


def _door(
    function: Callable[..., Tensor],
    *,
    many: bool = True,
    few: bool = True,
    low: bool = True,
    high: bool = True,
    nan: bool = True,
    axes: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a door; what is turned off is let through."""

    def guarded(points: Tensor, k: int, *, start: int = 0) -> Tensor:
        if points.ndim != 3 and (axes or points.ndim != 2):
            raise ValueError("expected (B, N, D)")
        n = points.shape[-2]
        if n == 0 or (many and k > n) or (few and k < 1):
            raise ValueError("k out of range")
        if (low and start < 0) or (high and start >= n):
            raise ValueError("start out of range")
        if nan and points.isnan().any():
            raise ValueError("NaN")
        return function(points, k, start=start)

    return guarded


def _wrong(**steps) -> Callable[..., Tensor]:
    return _door(lambda points, k, *, start=0: _walk(points, k, start, **steps))


def _ignores_start(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, 0)


def _start_left_out(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    n = points.shape[1]
    walked = _walk(points, min(k + 1, n), start)[:, 1:]
    return walked if k < n else torch.cat([walked, torch.full((len(points), 1), start)], dim=1)


def _from_the_center(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    first = _squares(points, points.mean(1, keepdim=True)).argmax(1).tolist()
    return torch.cat([_walk(p[None], k, i) for p, i in zip(points, first, strict=True)])


def _random_start(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, int(torch.randint(points.shape[1], ())))


def _first_cloud_for_all(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points[:1], k, start).repeat(len(points), 1)


def _farthest_from_start(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    score = _squares(points, points[:, start : start + 1])
    score[:, start] = torch.inf
    return score.sort(dim=1, descending=True, stable=True).indices[:, :k]


def _farthest_from_the_mean(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    picks = torch.full((len(points), 1), start)
    for _ in range(k - 1):
        chosen = points.gather(1, picks[:, :, None].expand(-1, -1, points.shape[2]))
        score = _squares(points, chosen.mean(1, keepdim=True)).scatter(1, picks, -1.0)
        picks = torch.cat([picks, score.argmax(1, keepdim=True)], dim=1)
    return picks


def _squared_and_plain(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    """Starts with squared distances and goes on with plain ones."""
    rounds = iter(range(k + 1))

    def measure(cloud: Tensor, newest: Tensor) -> Tensor:
        squared = _squares(cloud, newest)
        return squared if next(rounds) == 0 else squared.sqrt()

    return _walk(points, k, start, measure=measure)


def _in_the_plane(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points[:, :, :2], k, start)


def _starts_from_one(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, start, measure=lambda p, q: _squares(p, q).clamp(max=1.0))


def _last_of_largest(score: Tensor) -> Tensor:
    return score.shape[1] - 1 - score.flip(1).argmax(1)


def _nearest_first(score: Tensor) -> Tensor:
    return torch.where(score.isneginf(), torch.inf, score).argmin(1)


def _expanded(points: Tensor, newest: Tensor) -> Tensor:
    product = (points * newest).sum(2)
    return points.square().sum(2) - 2 * product + newest.square().sum(2)


def _points_themselves(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    picks = _walk(points, k, start)
    return points.gather(1, picks[:, :, None].expand(-1, -1, points.shape[2]))


def _sorted(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, start).sort(dim=1).values


def _one_more(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    n = points.shape[1]
    return _walk(points, min(k + 1, n), start) if k < n else _walk(points, n, start)


def _one_less(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, max(k - 1, 1), start)


def _every_nth(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    step = points.shape[1] // k
    picks = (start + step * torch.arange(k)) % points.shape[1]
    return picks.repeat(len(points), 1)


def _short_integers(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, start).int()


def _as_list(points: Tensor, k: int, *, start: int = 0) -> list[list[int]]:
    return _walk(points, k, start).tolist()


def _as_numpy(points: Tensor, k: int, *, start: int = 0) -> np.ndarray:
    return _walk(points, k, start).numpy()


def _cut_k(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, min(k, points.shape[1]), start)


def _raise_k(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, max(k, 1), start)


def _wrap_start(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points, k, start % points.shape[1])


def _any_axes(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    return _walk(points if points.ndim == 3 else points[None], k, start)


WRONG = (
    Mistake(
        "starts_too_low",
        _wrong(measure=lambda p, q: _squares(p, q).clamp(max=1e6)),
        "Your distances to the nearest pick seem to start at a constant (100, say) that a large "
        "cloud exceeds; start at infinity, or at the distances to the first pick.",
    ),
    Mistake(
        "sum_of_distances",
        _wrong(merge=torch.add, measure=lambda p, q: _squares(p, q).sqrt()),
        "Looks like the sum of the distances to the picks: points crowd at the rim. Use the "
        "distance to the nearest pick.",
    ),
    Mistake(
        "sum_of_squares",
        _wrong(merge=torch.add),
        "Looks like the sum of squared distances to the picks: points crowd at the rim. Use the "
        "distance to the nearest pick.",
    ),
    Mistake(
        "last_pick_only",
        _wrong(merge=lambda old, new: new, taken=None),
        "Only the distance to the last pick counts, and a chosen point is chosen again: keep the "
        "minimum over all picks.",
    ),
    Mistake(
        "last_pick_of_the_free",
        _wrong(merge=lambda old, new: new),
        "Only the distance to the last pick counts: keep the minimum over all picks.",
    ),
    Mistake(
        "farthest_pick_counts",
        _wrong(merge=torch.maximum),
        "Looks like the distance to the farthest pick (a maximum); the nearest pick counts.",
    ),
    Mistake(
        "farthest_from_start",
        _door(_farthest_from_start),
        "Looks like the points farthest from start, in order: later picks change what is far.",
    ),
    Mistake(
        "farthest_from_the_mean",
        _door(_farthest_from_the_mean),
        "Looks like the distance to the mean of the picks; the nearest pick counts.",
    ),
    Mistake(
        "ignores_start", _door(_ignores_start), "Your picks always begin at index 0, not at start."
    ),
    Mistake(
        "start_left_out",
        _door(_start_left_out),
        "The pick start itself is missing: it is the first of the k.",
    ),
    Mistake(
        "from_the_center",
        _door(_from_the_center),
        "Looks as if the first pick were the point farthest from the center; it is start.",
    ),
    Mistake("not_repeatable", _door(_random_start)),
    Mistake(
        "nearest_for_farthest",
        _wrong(choose=_nearest_first),
        "Looks like the nearest point in each round: the smallest distance is chosen, not the "
        "largest.",
    ),
    Mistake(
        "ties_to_the_highest",
        _wrong(choose=_last_of_largest),
        "Among equally far points the last one is chosen; ties go to the lowest index.",
    ),
    Mistake(
        "repeats_an_index",
        _wrong(taken=None),
        "With copies among the points an index comes twice: mark what is taken, below any "
        "distance.",
    ),
    Mistake(
        "first_cloud_for_all",
        _door(_first_cloud_for_all),
        "Every cloud of the batch got the picks of the first one.",
    ),
    Mistake(
        "squared_and_plain",
        _door(_squared_and_plain),
        "You compare squared with plain distances: the order changes where they cross 1.",
    ),
    Mistake(
        "manhattan",
        _wrong(measure=lambda p, q: (p - q).abs().sum(2)),
    ),
    Mistake(
        "largest_coordinate",
        _wrong(measure=lambda p, q: (p - q).abs().amax(2)),
    ),
    Mistake(
        "points_for_indices",
        _door(_points_themselves),
        "Your function returns the points; their indices were asked.",
    ),
    Mistake(
        "sorted_indices",
        _door(_sorted),
        "The indices are right but sorted; the order in which they are picked matters.",
    ),
    Mistake("one_more", _door(_one_more), "One pick too many: start is the first of the k."),
    Mistake("one_less", _door(_one_less), "One pick too few: k includes start."),
    Mistake(
        "every_nth",
        _door(_every_nth),
        "Looks like every n-th index: the coordinates do not matter in your picks.",
    ),
    Mistake("first_two_coordinates", _door(_in_the_plane)),
    Mistake(
        "starts_from_one",
        _door(_starts_from_one),
        "The distances to the nearest pick start from a number that real distances exceed; start "
        "from infinity.",
    ),
    Mistake("cancellation", _wrong(measure=_expanded)),
    Mistake("float32_inside", _door(lambda p, k, *, start=0: _walk(p.float(), k, start))),
    Mistake("wrong_dtype", _door(_short_integers)),
    Mistake("changes_its_input", _door(changing_its_input(_right))),
    Mistake("returns_list", _door(_as_list)),
    Mistake("returns_numpy", _door(_as_numpy)),
    Mistake("returns_nothing", _door(returning_nothing(_right))),
    Mistake(
        "accepts_too_many",
        _door(_cut_k, many=False),
        "More picks than points were accepted: k > N must raise a ValueError.",
    ),
    Mistake(
        "accepts_too_few",
        _door(_raise_k, few=False),
        "k < 1 was accepted; raise a ValueError.",
    ),
    Mistake(
        "accepts_negative_start",
        _door(_wrap_start, low=False),
        "A negative start was accepted, as if it counted from the end; raise a ValueError.",
    ),
    Mistake(
        "accepts_start_out_of_range",
        _door(_wrap_start, high=False),
        "A start beyond the last index was accepted; raise a ValueError.",
    ),
    Mistake("hides_nan", _door(_right, nan=False)),
    Mistake("accepts_wrong_ndim", _door(_any_axes, axes=False)),
)
