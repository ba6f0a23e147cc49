"""Wrong ways to write `earth_movers_distance`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.tables import between_centers, distances, refusing, squares
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

# Wrong, each with its name


def _solve(cost: Tensor) -> Tensor:
    """(B, N) partners of least cost."""
    from scipy.optimize import linear_sum_assignment

    if bool(cost.isnan().any()):
        raise ValueError("NaN")
    return torch.stack([torch.as_tensor(linear_sum_assignment(c)[1]) for c in cost.detach()])


def _pick(table: Tensor, partner: Tensor) -> Tensor:
    return table.gather(2, partner[:, :, None]).squeeze(2)


def _matched(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    return _pick(table, _solve(table))


def _reducing(
    each: Callable[[Tensor, Tensor], Tensor], *, equal: bool = True
) -> Callable[..., Tensor]:
    """A distance from a function that says what every point of x pays."""

    def wrong(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
        paid = each(x, y)
        return paid.sum(1) if reduction == "sum" else paid.mean(1)

    return refusing(wrong, equal=equal)


def _nearest_both_ways(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    return table.amin(2) + table.amin(1)


def _nearest_averaged(x: Tensor, y: Tensor) -> Tensor:
    return _nearest_both_ways(x, y) / 2


def _greedy_in_order(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    free, paid = table.detach().clone(), []
    for i in range(x.shape[1]):
        choice = free[:, i].argmin(1)
        paid.append(table[torch.arange(len(x)), i, choice])
        free[torch.arange(len(x)), :, choice] = torch.inf
    return torch.stack(paid, dim=1)


def _greedy_smallest_pair(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    batch, n, _ = table.shape
    rows, free, paid = torch.arange(batch), table.detach().clone(), []
    for _ in range(n):
        best = free.flatten(1).argmin(1)
        i, j = best // n, best % n
        paid.append(table[rows, i, j])
        free[rows, i, :] = torch.inf
        free[rows, :, j] = torch.inf
    return torch.stack(paid, dim=1)


def _sorted_by_first_coordinate(x: Tensor, y: Tensor) -> Tensor:
    def sort(cloud: Tensor) -> Tensor:
        order = cloud[:, :, 0].argsort(dim=1)
        return cloud.gather(1, order[:, :, None].expand_as(cloud))

    return torch.linalg.vector_norm(sort(x) - sort(y), dim=2)


def _index_aligned(x: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x - y, dim=2)


def _squared_cost(x: Tensor, y: Tensor) -> Tensor:
    table = squares(x, y)
    return _pick(table, _solve(table))


def _matched_by_squares(x: Tensor, y: Tensor) -> Tensor:
    return _pick(distances(x, y), _solve(squares(x, y)))


def _squared_afterwards(x: Tensor, y: Tensor) -> Tensor:
    return _matched(x, y).square()


def _inverse_partners(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    return _pick(table, _solve(table).argsort(1))


def _first_matching_for_all(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    return _pick(table, _solve(table[:1]).expand(len(x), -1))


def _most_expensive(x: Tensor, y: Tensor) -> Tensor:
    table = distances(x, y)
    return _pick(table, _solve(-table))


def _manhattan(x: Tensor, y: Tensor) -> Tensor:
    table = (x[:, :, None] - y[:, None]).abs().sum(3)
    return _pick(table, _solve(table))


def _mean_over_coordinates(x: Tensor, y: Tensor) -> Tensor:
    return _matched(x, y) / x.shape[2] ** 0.5


def _centers(x: Tensor, y: Tensor) -> Tensor:
    return between_centers(x, y)[:, None].expand(-1, x.shape[1])


def _sorted_coordinates(x: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x.sort(1).values - y.sort(1).values, dim=2)


def _each_centered(x: Tensor, y: Tensor) -> Tensor:
    return _matched(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True))


def _entropic(x: Tensor, y: Tensor) -> Tensor:
    """Sinkhorn in the log domain: a blurred plan in the place of a bijection."""
    table = distances(x, y)
    blur = 0.05 * table.detach().mean((1, 2), keepdim=True)
    plan = -table.detach() / blur
    for _ in range(50):
        plan = plan - plan.logsumexp(2, keepdim=True)
        plan = plan - plan.logsumexp(1, keepdim=True)
    return (plan.exp() * table).sum(2)


def _always_mean(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _matched(x, y).mean(1)


def _always_sum(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _matched(x, y).sum(1)


def _exchanged(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _matched(x, y).mean(1) if reduction == "sum" else _matched(x, y).sum(1)


def _divided_twice(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    total = _matched(x, y).sum(1)
    return total / x.shape[1] ** 2 if reduction == "mean" else total


def _divided_by_batch(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    total = _matched(x, y).sum(1)
    return total / len(x) if reduction == "mean" else total


def _worst_partner(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _matched(x, y).amax(1)


def _root_of_squares(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    each = _squared_cost(x, y)
    return torch.linalg.vector_norm(
        each.sqrt() if reduction == "sum" else each.sqrt() / x.shape[1] ** 0.5, dim=1
    )


def _batch_averaged(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _right(x, y, reduction=reduction).mean().expand(len(x))


def _right(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _matched(x, y).sum(1) if reduction == "sum" else _matched(x, y).mean(1)


def _own_root(x: Tensor, y: Tensor) -> Tensor:
    table = squares(x, y).sqrt()
    return _pick(table, _solve(table))


def _expanded(x: Tensor, y: Tensor) -> Tensor:
    table = torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")
    return _pick(table, _solve(table))


def _y_detached(x: Tensor, y: Tensor) -> Tensor:
    return _matched(x, y.detach())


def _from_scipy_numbers(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return torch.as_tensor(_right(x, y, reduction=reduction).detach().numpy())


def _numpy_without_detaching(x: Tensor, y: Tensor) -> Tensor:
    from scipy.optimize import linear_sum_assignment

    table = distances(x, y)
    partners = [torch.as_tensor(linear_sum_assignment(cost.numpy())[1]) for cost in table]
    return _pick(table, torch.stack(partners))


def _cut_to_the_smaller(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    n = min(x.shape[1], y.shape[1])
    return _right(x[:, :n], y[:, :n], reduction=reduction)


def _zero_for_empty(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    if x.shape[1] == 0:
        return x.new_zeros(len(x))
    return _right(x, y, reduction=reduction)


def _broadcast(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    batch = max(len(x), len(y))
    return _right(x.expand(batch, -1, -1), y.expand(batch, -1, -1), reduction=reduction)


def _mean_for_anything(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    return _right(x, y, reduction="sum" if reduction == "sum" else "mean")


def _whole(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return refusing(function, equal=True)


WRONG = (
    Mistake(
        "nearest_x_to_y",
        _reducing(lambda x, y: distances(x, y).amin(2)),
        "Looks like each point of x going to its nearest in y: two points may share one partner "
        "there. EMD asks for a bijection.",
    ),
    Mistake(
        "nearest_y_to_x",
        _reducing(lambda x, y: distances(x, y).amin(1)),
        "Looks like each point of y going to its nearest in x: two points may share one partner "
        "there. EMD asks for a bijection.",
    ),
    Mistake(
        "nearest_both_ways",
        _reducing(_nearest_both_ways),
        "Looks like the nearest neighbor both ways, which is Chamfer: EMD asks for a bijection.",
    ),
    Mistake(
        "nearest_averaged",
        _reducing(_nearest_averaged),
        "Looks like the average of both nearest-neighbor directions: EMD asks for a bijection.",
    ),
    Mistake(
        "greedy_in_order",
        _reducing(_greedy_in_order),
        "Looks like a greedy matching: each point in turn takes the nearest that is still free. "
        "What the first ones take the last ones pay for; the best matching weighs all at once.",
    ),
    Mistake(
        "greedy_smallest_pair",
        _reducing(_greedy_smallest_pair),
        "Looks like a greedy matching: the closest pair first, then the next. The best matching "
        "weighs all pairs at once.",
    ),
    Mistake(
        "sorted_by_first_coordinate",
        _reducing(_sorted_by_first_coordinate),
        "Looks like both sets sorted by their first coordinate: that is right in 1-D only.",
    ),
    Mistake(
        "index_aligned",
        _reducing(_index_aligned),
        "Looks like the i-th point of x with the i-th of y: the order of a set means nothing.",
    ),
    Mistake(
        "squared_cost",
        _reducing(_squared_cost),
        "Looks like squared distances; the cost is the distance itself.",
    ),
    Mistake(
        "matched_by_squares",
        _reducing(_matched_by_squares),
        "The matching is the best one for squared distances; it has to be the best for plain ones.",
    ),
    Mistake(
        "squared_afterwards",
        _reducing(_squared_afterwards),
        "The matching is right, but its distances are squared before they are added.",
    ),
    Mistake(
        "root_of_squares",
        _whole(_root_of_squares),
        "Looks like the root of a sum of squares: that is the 2-Wasserstein way; add plain ones.",
    ),
    Mistake(
        "inverse_partners",
        _reducing(_inverse_partners),
        "The permutation is applied the wrong way round: x_i goes to y[columns[i]].",
    ),
    Mistake(
        "first_matching_for_all",
        _reducing(_first_matching_for_all),
        "The matching of the first pair is used for the whole batch; each pair has its own.",
    ),
    Mistake(
        "most_expensive",
        _reducing(_most_expensive),
        "Looks like the most expensive matching: the cost is maximized.",
    ),
    Mistake("manhattan", _reducing(_manhattan)),
    Mistake("mean_over_coordinates", _reducing(_mean_over_coordinates)),
    Mistake(
        "centers_of_the_sets",
        _reducing(_centers),
    ),
    Mistake(
        "sorted_coordinates",
        _reducing(_sorted_coordinates),
        "Looks like each coordinate sorted by itself: the coordinates of a point belong together.",
    ),
    Mistake(
        "each_centered",
        _reducing(_each_centered),
        "Both sets are moved to their own center first: the way between the centers counts too.",
    ),
    Mistake(
        "entropic",
        _reducing(_entropic),
        "Looks like Sinkhorn's blurred plan: its cost is above the least one. EMD is exact here.",
    ),
    Mistake(
        "always_mean",
        _whole(_always_mean),
        "Looks like the mean where the sum was asked; reduction='sum' is the default.",
    ),
    Mistake(
        "always_sum",
        _whole(_always_sum),
        "Your value grows with the number of points: the sum where the mean was asked.",
    ),
    Mistake(
        "sum_and_mean_exchanged",
        _whole(_exchanged),
        "reduction='sum' takes the mean in your function, and 'mean' the sum: exchange them.",
    ),
    Mistake(
        "divided_twice",
        _whole(_divided_twice),
        "The mean is divided by the number of points twice.",
    ),
    Mistake(
        "divided_by_batch",
        _whole(_divided_by_batch),
        "The mean divides by the batch size; it should divide by the number of points.",
    ),
    Mistake(
        "worst_partner",
        _whole(_worst_partner),
        "Looks like the longest way in the matching; all of them are added.",
    ),
    Mistake("batch_averaged", _whole(_batch_averaged)),
    Mistake("cancellation", _reducing(_expanded)),
    Mistake("nan_gradient", _reducing(_own_root)),
    Mistake("gradient_of_one_input", _reducing(_y_detached)),
    Mistake("dead_gradient", _whole(_from_scipy_numbers)),
    Mistake("stops_at_a_gradient", _reducing(_numpy_without_detaching)),
    *blunders(_whole(_right), but=("dead_gradient",)),
    Mistake("accepts_unequal_sizes", refusing(_cut_to_the_smaller)),
    Mistake("accepts_empty_set", refusing(_zero_for_empty, equal=True, empty=False)),
    Mistake("broadcasts_batches", refusing(_broadcast, equal=True, batch=False)),
    Mistake("accepts_unknown_option", refusing(_mean_for_anything, equal=True, option=False)),
)
