"""The exercise `distinct_count`: how many different things went by, from the smallest hashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right


def _guarded(
    function: Callable[..., Any], *, k_from: int = 1, interval: bool = True
) -> Callable[..., Any]:
    """The function behind a door; `k_from` and `interval` let smaller k, other numbers through."""

    def guarded(hashes: Tensor, *, k: int = 1) -> Any:
        if k < k_from:
            raise ValueError(f"k is {k}; expected at least 1")
        if interval and not bool(((hashes > 0) & (hashes < 1)).all()):
            raise ValueError("a hash lies outside (0, 1)")
        return function(hashes, k)

    return guarded


def _estimate(smallest: Tensor, k: int, numerator: float) -> Tensor:
    """The count from the k smallest different hashes, exact when there are fewer."""
    if len(smallest) < k:
        return smallest.new_tensor(float(len(smallest)))
    return numerator / smallest[-1]


def _plain(hashes: Tensor, k: int) -> Tensor:
    return _estimate(hashes.unique()[:k], k, max(k - 1, 1))


distinct_count = _guarded(_plain)

# Right, written differently


def _as_a_stream(hashes: Tensor, *, k: int = 1) -> Tensor:
    """One hash at a time, and never more than k in memory."""
    if k < 1:
        raise ValueError("k")
    kept: list[float] = []
    for value in hashes.tolist():
        if not 0 < value < 1:
            raise ValueError(value)
        if value not in kept:
            kept = sorted([*kept, value])[:k]
    if len(kept) < k:
        return torch.tensor(float(len(kept)), dtype=hashes.dtype)
    return torch.tensor(max(1, k - 1) / kept[-1], dtype=hashes.dtype)


def _by_sorting(hashes: Tensor, *, k: int = 1) -> Tensor:
    if k <= 0 or (hashes <= 0).any() or (hashes >= 1).any() or hashes.isnan().any():
        raise ValueError("k or hashes out of range")
    ordered = hashes.sort().values
    new = torch.ones(len(ordered), dtype=torch.bool)
    new[1:] = ordered[1:] > ordered[:-1]
    different = ordered[new]
    if different.numel() < k:
        return different.new_full((), different.numel())
    return (1 if k == 1 else k - 1) * different[k - 1].reciprocal()


def _minimum_by_minimum(hashes: Tensor, *, k: int = 1) -> Tensor:
    """The smallest, then the smallest above it, and so on."""
    if not k >= 1 or not torch.all((0 < hashes) & (hashes < 1)):
        raise ValueError("expected k >= 1 and hashes in (0, 1)")
    left, last = hashes, None
    for found in range(k):
        if len(left) == 0:
            return torch.as_tensor(found, dtype=hashes.dtype)
        last = left.min()
        left = left[left > last]
    return max(k - 1, 1) / last


RIGHT = (
    Right("as a stream", _as_a_stream),
    Right("by sorting", _by_sorting),
    Right("minimum by minimum", _minimum_by_minimum),
)

# Wrong, each with its name


def _with_numerator(numerator: Callable[[int], float]) -> Callable[[Tensor, int], Tensor]:
    return lambda h, k: _estimate(h.unique()[:k], k, numerator(k))


def _of_the_mean(h: Tensor, k: int) -> Tensor:
    return h.new_tensor(0.0) if len(h) == 0 else 1 / h.mean() - 1


def _mistake(name: str, function: Callable[[Tensor, int], Any], sentence: str = "") -> Mistake:
    return Mistake(name, _guarded(function), sentence)


WRONG = (
    _mistake(
        "repetitions_count",
        lambda h, k: _estimate(h.sort().values[:k], k, max(k - 1, 1)),
        "An item that comes again moves your estimate: among the k smallest hashes you keep "
        "copies. Equal items have equal hashes; keep each value once.",
    ),
    _mistake(
        "k_over",
        _with_numerator(lambda k: k),
        "Your estimate is k / h, which is too large on average: for k of 2 or more the unbiased "
        "form has k − 1 above the fraction.",
    ),
    _mistake(
        "one_over",
        _with_numerator(lambda k: 1),
        "Your estimate does not know how many hashes lie below the one you look at: for k > 1 "
        "there is more than 1 above the fraction.",
    ),
    _mistake(
        "zero_for_one",
        _with_numerator(lambda k: k - 1),
        "With k = 1 your estimate is 0 for every stream: there it is 1 / min h.",
    ),
    _mistake(
        "minus_one",
        lambda h, k: _plain(h, k) if len(h.unique()) < k else _plain(h, k) - 1,
        "One less than our value. 1 / h − 1 answers another question; the contract has no − 1 "
        "behind the fraction.",
    ),
    _mistake(
        "always_the_minimum",
        lambda h, k: _plain(h, 1),
        "The option k does nothing: your estimate looks at the smallest hash alone.",
    ),
    _mistake(
        "next_smallest",
        lambda h, k: _plain(h, k) if len(h.unique()) <= k else max(k - 1, 1) / h.unique()[k],
        "You look one hash too far: h₍ₖ₎ is the k-th smallest, at index k − 1.",
    ),
    _mistake(
        "largest",
        lambda h, k: (
            _plain(h, k) if len(h.unique()) < k else max(k - 1, 1) / h.unique().flip(0)[k - 1]
        ),
        "You look at the largest hashes: those come near 1, however many items went by. The "
        "smallest tell the number.",
    ),
    _mistake(
        "first_hashes",
        lambda h, k: _estimate(h[:k].sort().values, k, max(k - 1, 1)),
        "Only the first k hashes of the stream count in your estimate. Those that come later push "
        "larger ones out.",
    ),
    _mistake(
        "counted_exactly",
        lambda h, k: h.new_tensor(float(len(h.unique()))),
        "This is the exact count, for which every hash must be kept. Only the k smallest are "
        "known to a counter with constant memory.",
    ),
    _mistake(
        "length_of_the_stream",
        lambda h, k: h.new_tensor(float(len(h))),
        "This is the length of the stream, repetitions included; the different items were asked.",
    ),
    _mistake(
        "of_the_mean",
        _of_the_mean,
        "Looks like 1 divided by the mean hash: that one is near ½, however many items went by.",
    ),
    _mistake(
        "mean_of_the_smallest",
        lambda h, k: _plain(h, k) if len(h.unique()) < k else max(k - 1, 1) / h.unique()[:k].mean(),
        "You average the k smallest hashes; only the largest of them is asked for.",
    ),
    _mistake(
        "not_inverted",
        lambda h, k: h.unique()[:k][-1] if len(h) else h.new_tensor(0.0),
        "What came is the hash itself, which shrinks as items go by. The count is its inverse.",
    ),
    _mistake(
        "few_not_exact",
        lambda h, k: (
            max(len(h.unique()) - 1, 1) / h.unique()[-1]
            if 0 < len(h.unique()) < k
            else _plain(h, k)
        ),
        "With fewer than k different hashes nothing was pushed out, and you know the count "
        "exactly. Return it.",
    ),
    _mistake(
        "few_are_k",
        lambda h, k: h.new_tensor(float(k)) if len(h.unique()) < k else _plain(h, k),
        "With fewer than k different hashes you return k; the number that you hold was asked.",
    ),
    _mistake(
        "rounded",
        lambda h, k: _plain(h, k).round(),
        "Your estimate is rounded to a whole number. An estimate may have decimals; rounding it "
        "takes away that it is right on average.",
    ),
    _mistake(
        "log_estimate",
        lambda h, k: (
            _plain(h, k) if len(h.unique()) < k else max(k - 1, 1) / -(-h.unique()[k - 1]).log1p()
        ),
        "You divide by −log(1 − h), which is near h for small hashes, but is not h.",
    ),
    _mistake("returns_float32", lambda h, k: _plain(h, k).float()),
    _mistake("float32_inside", lambda h, k: _plain(h.float(), k).to(h.dtype)),
    _mistake("python_float_returned", lambda h, k: _plain(h, k).item()),
    _mistake("returns_nothing", lambda h, k: None),
    _mistake("changes_its_input", lambda h, k: (_plain(h, k), h.copy_(h.sort().values))[0]),
    _mistake("extra_axis", lambda h, k: _plain(h, k)[None]),
    Mistake(
        "accepts_no_memory",
        _guarded(lambda h, k: _plain(h, k) if k > 0 else h.new_tensor(0.0), k_from=-9),
        "A k below 1 was accepted: who keeps no hash knows nothing. Raise a ValueError.",
    ),
    Mistake(
        "accepts_other_numbers",
        _guarded(_plain, interval=False),
        "Numbers outside (0, 1) were accepted: these are no hashes, and the estimate has no "
        "meaning. Raise a ValueError.",
    ),
)


def _stream(draw: Draw, different: int, length: int) -> Tensor:
    """Hashes of a stream in which each of so many items comes up at least once."""
    values = 0.002 + 0.99 * draw.uniform(different)
    again = torch.tensor([draw.integer(0, different - 1) for _ in range(length - different)])
    stream = torch.cat([values, values[again.long()]])
    smallest = values.sort().values[:3].repeat(2)  # what is kept has been seen more than once
    stream = torch.cat([stream, smallest])
    stream = stream[draw.order(len(stream))]
    while stream[0] == stream[1]:
        stream = stream.roll(1)
    return stream


def _case(draw: Draw, different: int, length: int, k: int | None) -> Case:
    options = {} if k is None else {"k": k}
    words = "k = 1 by default" if k is None else f"k = {k}"
    kind = f"a stream of {different} different items, {words}"
    return Case(kind, (_stream(draw, different, length),), options, rtol=1e-9)


def _minimum(draw: Draw) -> list[Case]:
    return [_case(draw, 23, 60, None), _case(draw, 41, 50, 1), _case(draw, 17, 90, None)]


def _smallest(draw: Draw) -> list[Case]:
    return [_case(draw, 31, 80, 5), _case(draw, 57, 70, 16), _case(draw, 19, 100, 2)]


def _few(draw: Draw) -> list[Case]:
    one = torch.full((7,), 0.3, dtype=torch.float64)
    exactly = _stream(draw, 6, 20)
    return [
        _case(draw, 5, 40, 8),
        _case(draw, 11, 30, 64),
        Case("as many different items as k", (exactly,), {"k": 6}, rtol=1e-9),
        Case("a stream of one item, again and again, k = 4", (one,), {"k": 4}, rtol=1e-9),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    stream = _stream(draw, 13, 20)
    above, below, nan = stream.clone(), stream.clone(), stream.clone()
    above[4], below[7], nan[2] = 1.5, -0.25, torch.nan
    return [
        Refusal("k=0", (stream,), "accepts_no_memory", {"k": 0}),
        Refusal("k=-2", (stream,), "accepts_no_memory", {"k": -2}),
        Refusal("a number above 1", (above,), "accepts_other_numbers"),
        Refusal("a negative number", (below,), "accepts_other_numbers", {"k": 3}),
        Refusal("a NaN", (nan,), "accepts_other_numbers", {"k": 3}),
    ]


DISTINCT_COUNT = Exercise(
    name="distinct_count",
    contract=(
        "distinct_count(hashes, *, k=1) returns one number, how many different items a stream "
        "held, estimated from the k smallest different hashes (N,) in (0, 1): 1 / h₍₁₎ for k = 1, "
        "(k − 1) / h₍ₖ₎ for k ≥ 2, and the exact count where fewer than k different hashes came. "
        "k < 1, numbers outside (0, 1): ValueError."
    ),
    reference=distinct_count,
    parts=(
        Part("one hash", 0.35, _minimum, is_value=True),
        Part("k hashes", 0.3, _smallest, is_value=True),
        Part("few items", 0.2, _few),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=3,
)
