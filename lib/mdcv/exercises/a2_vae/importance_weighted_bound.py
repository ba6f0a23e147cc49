"""The exercise `importance_weighted_bound`."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from mdcv.exercises.a2_vae.guards import of_weights
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right
from mdcv.vae import importance_weighted_bound

# Right, written differently


def _by_shifting(log_weights: Tensor) -> Tensor:
    if log_weights.dim() != 2 or log_weights.size(0) < 1:
        raise ValueError(f"{tuple(log_weights.shape)} is not (K, B)")
    largest = log_weights.max(dim=0, keepdim=True).values
    mean = torch.exp(log_weights - largest).mean(dim=0)
    return mean.log() + largest.squeeze(0)


def _by_adding_pairs(log_weights: Tensor) -> Tensor:
    if log_weights.ndim != 2 or len(log_weights) == 0:
        raise ValueError("expected K rows, at least one")
    total = functools.reduce(torch.logaddexp, list(log_weights))
    return total - math.log(log_weights.shape[0])


def _by_columns(log_weights: Tensor) -> Tensor:
    if log_weights.ndim != 2:
        raise ValueError(f"{log_weights.ndim} axes")
    k, batch = log_weights.shape
    if k == 0:
        raise ValueError("no draws")
    each = [torch.logsumexp(log_weights[:, b] - math.log(k), dim=0) for b in range(batch)]
    return torch.stack(each)


def _by_running_sums(log_weights: Tensor) -> Tensor:
    return log_weights.logcumsumexp(dim=0)[-1] - torch.tensor(float(len(log_weights))).log()


# Wrong, each with its name


def _right(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(dim=0) - math.log(len(log_weights))


def _one_shift(log_weights: Tensor) -> Tensor:
    largest = log_weights.max()
    return (log_weights - largest).exp().mean(dim=0).log() + largest


def _smallest_shift(log_weights: Tensor) -> Tensor:
    smallest = log_weights.amin(dim=0)
    return (log_weights - smallest).exp().mean(dim=0).log() + smallest


def _weighted_by_themselves(log_weights: Tensor) -> Tensor:
    finite = log_weights.clamp(min=-1e30)
    return (log_weights.softmax(dim=0) * finite).sum(dim=0)


def _mistake(name: str, function, sentence: str = "") -> Mistake:
    return Mistake(name, of_weights(function), sentence)


EMPTY = "No draw at all was accepted: the mean of nothing is not a number. Raise a ValueError."
AXES = (
    "A tensor that has not the two axes (K, B) was accepted: which one counts the draws? Raise a "
    "ValueError."
)

WRONG = (
    _mistake(
        "mean_outside_the_log",
        lambda w: w.mean(dim=0),
        "Your bound does not improve with K: average the weights, then take the logarithm. The "
        "mean of the logarithms is the ELBO again.",
    ),
    _mistake(
        "sum_for_mean",
        lambda w: w.logsumexp(dim=0),
        "Looks like the logarithm of the sum: without the division by K it grows for ever.",
    ),
    _mistake(
        "log_k_added",
        lambda w: w.logsumexp(dim=0) + math.log(len(w)),
        "log K is added where it should be subtracted: a mean divides.",
    ),
    _mistake(
        "divided_after_the_log",
        lambda w: w.logsumexp(dim=0) / len(w),
        "Divided by K after the logarithm: dividing a number subtracts from its logarithm.",
    ),
    _mistake(
        "divided_by_the_batch",
        lambda w: w.logsumexp(dim=0) - math.log(w.shape[1]),
        "Divided by the number of samples B where the number of draws K was asked.",
    ),
    _mistake(
        "k_minus_one",
        lambda w: w.logsumexp(dim=0) - math.log(max(len(w) - 1, 1)),
        "Divided by K − 1: a mean divides by K.",
    ),
    _mistake(
        "over_the_batch",
        lambda w: w.logsumexp(dim=1) - math.log(w.shape[1]),
        "The mean runs over the samples of the batch, axis 1: the draws lie along axis 0.",
    ),
    _mistake(
        "over_everything",
        lambda w: w.flatten().logsumexp(dim=0) - math.log(w.numel()),
        "One number came for the whole batch: each sample has a bound of its own.",
    ),
    _mistake(
        "mean_over_the_batch",
        lambda w: _right(w).mean(),
        "One number came, the mean over the batch: each sample has a bound of its own.",
    ),
    _mistake(
        "largest_weight",
        lambda w: w.amax(dim=0),
        "Looks like the largest weight: the mean counts the others as well.",
    ),
    _mistake(
        "median_weight",
        lambda w: w.median(dim=0).values,
        "Looks like the median weight; the bound takes the mean.",
    ),
    _mistake(
        "first_draw_only",
        lambda w: w[0] + 0 * w[-1].nan_to_num(neginf=0.0),
        "Looks like the first draw alone: the mean runs over all K.",
    ),
    _mistake(
        "log_forgotten",
        lambda w: w.exp().mean(dim=0),
        "Looks like the mean weight itself: the logarithm at the end is missing.",
    ),
    _mistake(
        "log_of_mean_log",
        lambda w: w.mean(dim=0).abs().log(),
        "The logarithm is taken twice: what came in are logarithms already.",
    ),
    _mistake(
        "weighted_by_themselves",
        _weighted_by_themselves,
        "Looks like the mean of the log-weights, weighted by a softmax: it lies above the bound.",
    ),
    _mistake(
        "log_base_2",
        lambda w: _right(w) / math.log(2),
        "Looks like bits: your value is 1.4427 times the one in nats.",
    ),
    _mistake(
        "opposite_sign",
        lambda w: -_right(w),
        "The sign is the opposite: a bound on log p(x) was asked, not a loss.",
    ),
    _mistake(
        "overflows",
        lambda w: w.exp().mean(dim=0).log(),
        "The exponential leaves the range of floating point: log-weights of −1,000 are ordinary. "
        "Take the largest out first (or see torch.logsumexp).",
    ),
    _mistake(
        "one_shift_for_the_batch",
        _one_shift,
        "One sample of your batch drowns another: you take the largest weight of all columns out, "
        "and where a column lies far below it, its exponentials vanish. Each column has a largest "
        "weight of its own.",
    ),
    _mistake(
        "shifted_by_the_smallest",
        _smallest_shift,
        "Shifted by the smallest weight: the exponential of the others may still overflow. Take "
        "the largest out.",
    ),
    _mistake(
        "guarded_log",
        lambda w: (w.exp().mean(dim=0) + 1e-8).log(),
        "A small number is added inside your logarithm: below it every bound looks the same. Take "
        "the largest weight out instead.",
    ),
    _mistake(
        "clamped_weights",
        lambda w: _right(w.clamp(-80, 80)),
        "Log-weights are cut off at a fixed value: the bound of an unlikely sample is then wrong.",
    ),
    *blunders(of_weights(_right)),
    Mistake("accepts_no_draw", of_weights(_right, empty=False), EMPTY),
    Mistake("accepts_other_axes", of_weights(_right, axes=False), AXES),
)

# What is asked


def _weights(draw: Draw, k: int, batch: int, *, around: float = -3.0) -> Tensor:
    return around + 2.0 * draw.tensor(k, batch)


def _values(draw: Draw) -> list[Case]:
    sizes = ((5, 3), (4, 7), (9, 2))
    return [Case(f"{k} draws for {b} samples", (_weights(draw, k, b),)) for k, b in sizes]


def _hard(draw: Draw) -> list[Case]:
    apart = _weights(draw, 5, 4) + torch.tensor([0.0, -900.0, 900.0, -9000.0]).double()
    spread = 300.0 * draw.tensor(7, 3)
    impossible = _weights(draw, 6, 5)
    impossible[2, 1] = impossible[4, 1] = impossible[0, 3] = -torch.inf
    u, v = _weights(draw, 5, 7), _weights(draw, 7, 4)
    return [
        Case("log-weights around −10,000", (_weights(draw, 5, 3, around=-1e4),)),
        Case("log-weights around 10,000", (_weights(draw, 4, 3, around=1e4),)),
        Case("samples whose log-weights are thousands apart", (apart,)),
        Case("draws whose log-weights are hundreds apart", (spread,)),
        Case("draws of weight 0", (impossible,)),
        Case("log-weights around −500, float32", (_weights(draw, 5, 3, around=-500.0).float(),)),
        Case("one draw", (_weights(draw, 1, 5),)),
        Case("one sample", (_weights(draw, 5, 1),)),
        Case("as many draws as samples", (_weights(draw, 6, 6),)),
        Case("101 draws", (_weights(draw, 101, 3),)),
        Case("float32", (_weights(draw, 5, 4).float(),)),
        Case(
            "inputs that are not contiguous",
            (transposed_layout(u),),
            suspicion="needs_contiguous_input",
        ),
        Case("every second row", (strided_layout(v),), suspicion="needs_contiguous_input"),
    ]


def _gradients(draw: Draw) -> list[Case]:
    near, low = _weights(draw, 5, 3), _weights(draw, 4, 5, around=-800.0)
    return [
        Case("the gradient, 5 draws for 3 samples", (near,), gradient="value"),
        Case("the gradient, log-weights around −800", (low,), gradient="value"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    weights = _weights(draw, 5, 3)
    return [
        Refusal("no draw for 3 samples", (weights[:0],), "accepts_no_draw"),
        Refusal("one axis", (weights[:, 0],), "accepts_other_axes"),
        Refusal("three axes", (weights[None],), "accepts_other_axes"),
    ]


IMPORTANCE_WEIGHTED_BOUND = Exercise(
    name="importance_weighted_bound",
    contract=(
        "importance_weighted_bound(log_weights) returns, for log-weights (K, B) of K draws for "
        "each of B samples, the logarithm of the mean weight over the draws, shape (B,), for "
        "log-weights of any size. No draw, or another number of axes: ValueError."
    ),
    reference=importance_weighted_bound,
    parts=(
        Part("values", 0.45, _values, is_value=True),
        Part("hard places", 0.25, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("by shifting", _by_shifting),
        Right("by adding pairs", _by_adding_pairs),
        Right("column by column", _by_columns),
        Right("by running sums", of_weights(_by_running_sums)),
    ),
    wrong=WRONG,
    points=5,
)
