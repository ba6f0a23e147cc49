"""Wrong ways to write `rpn_loss`, each with its name and its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a7_detection.guards import ACCEPTS_OTHER_SHAPES, Door
from mdcv.exercises.blunders import changing_its_input, detached, returning_nothing
from mdcv.exercises.exercise import Mistake

Pair = tuple[Tensor, Tensor]

_door = Door(
    shapes=lambda logits, deltas, labels, targets, **options: (
        logits.ndim == 1
        and labels.shape == logits.shape
        and deltas.shape == targets.shape == (len(logits), 4)
    ),
    labels=lambda logits, deltas, labels, targets, **options: bool(
        ((labels >= -1) & (labels <= 1)).all()
    ),
    count=lambda logits, deltas, labels, targets, **options: bool((labels >= 0).any()),
    nan=lambda logits, *given, **options: not bool(logits.isnan().any()),
)


# Wrong: one loss with every step that can be taken wrongly


def _smooth(gap: Tensor, beta: float) -> Tensor:
    gap = gap.abs()
    return torch.where(gap < beta, gap**2 / (2 * beta), gap - beta / 2)


def _loss(
    logits: Tensor,
    deltas: Tensor,
    labels: Tensor,
    targets: Tensor,
    *,
    beta: float = 1 / 9,
    counts: Callable[[Tensor], Tensor] = lambda labels: labels >= 0,
    truth: Callable[[Tensor], Tensor] = lambda labels: (labels == 1).double(),
    entropy: Callable[[Tensor, Tensor], Tensor] = lambda x, y: F.softplus(x) - x * y,
    learns: Callable[[Tensor], Tensor] = lambda labels: labels == 1,
    penalty: Callable[[Tensor, float], Tensor] = _smooth,
    over: Callable[[Tensor], int] = lambda labels: int((labels >= 0).sum()),
    over_boxes: Callable[[Tensor], float] = lambda labels: int((labels >= 0).sum()),
) -> Pair:
    """Both losses with their steps as arguments; the defaults are right."""
    sampled, boxes = counts(labels), learns(labels)
    terms = entropy(logits[sampled], truth(labels[sampled]).to(logits))
    gaps = penalty((deltas - targets)[boxes], beta)
    return terms.sum() / over(labels), gaps.sum() / over_boxes(labels)


def _wrong(**steps: Any) -> Callable[..., Pair]:
    return lambda *given, **options: _loss(*given, **{**options, **steps})


def _of_pair(change: Callable[[Tensor, Tensor], Any]) -> Callable[..., Any]:
    return lambda *given, **options: change(*_loss(*given, **options))


def _positives(labels: Tensor) -> int:
    return max(int((labels == 1).sum()), 1)


def _one_box_for_all(logits, deltas, labels, targets, **options) -> Pair:
    return _loss(
        logits, deltas.mean(1, keepdim=True), labels, targets.mean(1, keepdim=True), **options
    )


def _beta_ignored(*given, beta=1 / 9) -> Pair:
    return _loss(*given)


def _single(logits, deltas, labels, targets, **options) -> Pair:
    a, b = _loss(logits.float(), deltas.float(), labels, targets.float(), **options)
    return a.to(logits), b.to(logits)


def _half_gradient(*given, **options) -> Pair:
    return tuple((x + x.detach()) / 2 for x in _loss(*given, **options))


def _boxes_detached(logits, deltas, labels, targets, **options) -> Pair:
    return _loss(logits, deltas.detach(), labels, targets, **options)


def _cut(logits, deltas, labels, targets, **options) -> Pair:
    logits = logits.flatten()
    n = min(len(logits), len(labels))
    deltas = deltas.expand(n, 4) if len(deltas) == 1 else deltas[:n]
    return _loss(logits[:n], deltas, labels[:n], targets[:n], **options)


def _zero_without(logits, deltas, labels, targets, **options) -> Pair:
    if not bool((labels >= 0).any()):
        return 0 * logits.sum(), 0 * deltas.sum()
    return _loss(logits, deltas, labels, targets, **options)


def _mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "left_out_as_background",
        _wrong(counts=lambda labels: labels >= -1, over=len, over_boxes=len),
        "Anchors with label −1 are learned as background: they are to be left out.",
    ),
    _mistake(
        "left_out_as_background_in_one",
        _wrong(counts=lambda labels: labels >= -1, over=len),
        "Anchors with label −1 are learned as background in the objectness: leave them out.",
    ),
    _mistake(
        "label_as_target",
        _wrong(
            counts=lambda labels: labels >= -1,
            truth=lambda labels: labels.double(),
            over=len,
        ),
        "The label −1 goes into the cross-entropy as if it were a probability: leave such anchors "
        "out.",
    ),
    _mistake(
        "divided_by_all_anchors",
        _wrong(over=len, over_boxes=len),
        "Both losses are divided by all anchors; those with label −1 do not count.",
    ),
    _mistake(
        "boxes_divided_by_all_anchors",
        _wrong(over_boxes=len),
        "The regression is divided by all anchors; those with label −1 do not count.",
    ),
    _mistake(
        "boxes_divided_by_objects",
        _wrong(over_boxes=_positives),
        "The regression is divided by the number of objects: a picture with few of them would "
        "weigh too much. Divide by all labels that count, as the objectness is.",
    ),
    _mistake(
        "boxes_averaged",
        _wrong(over_boxes=lambda labels: 4 * _positives(labels)),
        "The regression is a mean over all its numbers: take their sum and divide it by the labels "
        "that count.",
    ),
    _mistake(
        "boxes_divided_by_four",
        _wrong(over_boxes=lambda labels: 4 * int((labels >= 0).sum())),
        "The four deltas of a box are averaged; they are added.",
    ),
    _mistake(
        "objectness_summed",
        _wrong(over=lambda labels: 1),
        "Your objectness grows with the number of anchors: a sum where a mean was asked.",
    ),
    _mistake(
        "regression_summed",
        _wrong(over_boxes=lambda labels: 1),
        "Your regression grows with the number of anchors: divide by the labels that count.",
    ),
    _mistake(
        "objectness_over_objects",
        _wrong(over=_positives),
        "The objectness is divided by the number of objects; divide by all labels that count.",
    ),
    _mistake(
        "background_learns_boxes",
        _wrong(learns=lambda labels: labels >= 0),
        "Background learns boxes as well: its targets mean nothing. Only label 1 has a box.",
    ),
    _mistake(
        "everything_learns_boxes",
        _wrong(learns=lambda labels: labels >= -1),
        "Every anchor learns a box, also background and what is left out: only label 1 has one.",
    ),
    _mistake(
        "objects_left_out",
        _wrong(learns=lambda labels: labels == 0),
        "Background learns boxes and objects do not: it is label 1 that has a box.",
    ),
    _mistake(
        "labels_turned",
        _wrong(truth=lambda labels: (labels == 0).double()),
        "Your loss falls when objects are called background: the labels are turned.",
    ),
    _mistake(
        "absolute",
        _wrong(penalty=lambda gap, beta: gap.abs()),
        "The regression looks like plain |x|: near 0 smooth L1 is a parabola.",
    ),
    _mistake(
        "squared",
        _wrong(penalty=lambda gap, beta: gap**2),
        "The regression looks like squares: far from 0 smooth L1 grows like |x|.",
    ),
    _mistake(
        "halved_squares",
        _wrong(penalty=lambda gap, beta: gap**2 / 2),
        "The regression looks like ½x²: far from 0 smooth L1 grows like |x|.",
    ),
    _mistake(
        "huber",
        _wrong(penalty=lambda gap, beta: beta * _smooth(gap, beta)),
        "The regression is β times too small: this is the Huber loss, whose slope far from 0 is β; "
        "that of smooth L1 is 1.",
    ),
    _mistake(
        "beta_ignored",
        _beta_ignored,
        "β does nothing in your function: it says where the parabola goes over into the line.",
    ),
    _mistake(
        "beta_of_one",
        _wrong(beta=1.0),
        "β is 1 in your function, as PyTorch has it without being told: pass it on.",
    ),
    _mistake(
        "without_half_beta",
        _wrong(
            penalty=lambda gap, beta: torch.where(gap.abs() < beta, gap**2 / (2 * beta), gap.abs())
        ),
        "Your smooth L1 jumps at β: beyond it is |x| − β/2.",
    ),
    _mistake(
        "without_absolute_value",
        _wrong(
            penalty=lambda gap, beta: torch.where(gap < beta, gap**2 / (2 * beta), gap - beta / 2)
        ),
        "Large negative gaps are still squared: compare |x| with β.",
    ),
    _mistake(
        "parabola_without_half",
        _wrong(
            penalty=lambda gap, beta: torch.where(
                gap.abs() < beta, gap**2 / beta, gap.abs() - beta / 2
            )
        ),
        "The parabola of your smooth L1 is twice as steep: it is x² / 2β.",
    ),
    _mistake(
        "one_gap_for_a_box",
        _one_box_for_all,
        "The four deltas of a box are averaged before they are compared: each has its own gap.",
    ),
    _mistake(
        "sigmoid_twice",
        _wrong(entropy=lambda x, y: F.softplus(x.sigmoid()) - x.sigmoid() * y),
        "The network can never be sure: the sigmoid is applied twice. A loss of logits brings its "
        "own.",
    ),
    _mistake(
        "sigmoid_in_two_steps",
        _wrong(
            entropy=lambda x, y: -torch.where(y == 1, x.sigmoid().log(), (1 - x.sigmoid()).log())
        ),
        "For large logits the sigmoid is exactly 0 or 1 and its logarithm infinite: take both in "
        "one step, with a loss of logits.",
    ),
    _mistake(
        "clamped_logarithm",
        _wrong(entropy=lambda x, y: F.binary_cross_entropy(x.sigmoid(), y, reduction="none")),
        "The logarithm is cut off at −100, as BCELoss does: a network that is wrong and sure then "
        "learns nothing. Work with the logits.",
    ),
    _mistake(
        "logarithm_base_2",
        _wrong(entropy=lambda x, y: (F.softplus(x) - x * y) / math.log(2)),
        "The logarithm is the one to base 2; the natural one was asked.",
    ),
    _mistake(
        "least_squares",
        _wrong(entropy=lambda x, y: (x.sigmoid() - y) ** 2),
        "The objectness looks like squares of σ − label; a cross-entropy was asked.",
    ),
    _mistake(
        "added_up",
        _of_pair(lambda objectness, regression: objectness + regression),
        "One number came, the sum of the two: the pair was asked.",
    ),
    _mistake("values_exchanged", _of_pair(lambda objectness, regression: (regression, objectness))),
    _mistake(
        "weighted",
        _of_pair(lambda objectness, regression: (objectness, 10 * regression)),
        "The regression is multiplied by 10, the weight of the paper: here it has none.",
    ),
    _mistake(
        "not_a_number_without_objects",
        _wrong(
            over_boxes=lambda labels: (
                int((labels >= 0).sum()) if bool((labels == 1).any()) else math.nan
            )
        ),
        "Without objects the regression is nan, the mean of nothing: it is 0.",
    ),
    _mistake("float32_inside", _single),
    _mistake("dead_gradient", detached(_loss)),
    _mistake("wrong_gradient", _half_gradient),
    _mistake("gradient_of_one_input", _boxes_detached),
    _mistake("changes_its_input", changing_its_input(_loss)),
    _mistake("returns_nothing", returning_nothing(_loss)),
    _mistake("accepts_other_shapes", _cut, ACCEPTS_OTHER_SHAPES, without="shapes"),
    _mistake(
        "accepts_no_labels",
        _zero_without,
        "Labels of −1 alone were accepted: there is nothing to learn from, and a mean of nothing. "
        "Raise a ValueError.",
        without="count",
    ),
    _mistake(
        "accepts_other_labels",
        _loss,
        "A label that is not 1, 0 or −1 was accepted (an index of an object, perhaps): raise a "
        "ValueError.",
        without="labels",
    ),
    _mistake(
        "hides_nan",
        lambda logits, *given, **options: _loss(logits.nan_to_num(), *given, **options),
        without="nan",
    ),
)
