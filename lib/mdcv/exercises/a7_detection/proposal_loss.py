"""The exercise `rpn_loss`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.detection import rpn_loss
from mdcv.exercises.a7_detection.proposal_loss_right import RIGHT
from mdcv.exercises.a7_detection.proposal_loss_wrong import WRONG
from mdcv.exercises.cases import Constant, Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part, Refusal

Options = Mapping[str, Any]

Given = tuple[Tensor, Tensor, Tensor, Tensor]


def _some(draw: Draw, positive: int, negative: int, ignored: int, *, width: float = 0.4) -> Given:
    """Logits, deltas, labels and targets; where there is no object the targets mean nothing."""
    labels = torch.tensor([1] * positive + [0] * negative + [-1] * ignored)
    labels = labels[draw.order(len(labels))]
    n = len(labels)
    targets = draw.tensor(n, 4)
    deltas = targets + width * draw.tensor(n, 4)
    targets = torch.where(labels[:, None] == 1, targets, 20 * draw.tensor(n, 4))
    return 1.5 * draw.tensor(n), deltas, labels, targets


def _case(kind: str, given: Given, options: Options | None = None, **more: Any) -> Case:
    options = options or {}
    labels = given[2]
    counts = ", ".join(f"{int((labels == v).sum())} labels {v}" for v in (1, 0, -1))
    chosen = "".join(f", {name}={value:g}" for name, value in options.items())
    arguments = (*given[:3], Constant(given[3])) if more.get("gradient") else given
    return Case(f"{kind} ({counts}{chosen})", arguments, options, **more)


def _values(draw: Draw) -> list[Case]:
    return [
        _case("anchors", _some(draw, 3, 5, 4)),
        _case("anchors", _some(draw, 5, 8, 2, width=0.1)),
        _case("anchors", _some(draw, 2, 9, 7, width=2)),
        _case("anchors", _some(draw, 4, 3, 6), {"beta": 0.5}),
        _case("anchors", _some(draw, 3, 7, 1, width=2), {"beta": 1.0}),
    ]


def _hard(draw: Draw) -> list[Case]:
    logits, deltas, labels, targets = _some(draw, 4, 6, 3)
    huge = torch.where(labels == 1, -1e4, 1e4).double() * (1 + draw.uniform(13))
    name = "sigmoid_in_two_steps"
    return [
        _case(
            "logits of 10,000 on the wrong side", (huge, deltas, labels, targets), suspicion=name
        ),
        _case("logits around 40", (40 + logits, deltas, labels, targets), suspicion=name),
        _case("no objects", _some(draw, 0, 6, 3), suspicion="not_a_number_without_objects"),
        _case("no background", _some(draw, 5, 0, 4)),
        _case("nothing to leave out", _some(draw, 3, 6, 0)),
        _case("one anchor", _some(draw, 1, 0, 0)),
        _case("deltas that are their targets", (logits, targets.clone(), labels, targets)),
        _case("float32", (logits.float(), deltas.float(), labels, targets.float())),
        _case(
            "tensors that are not contiguous",
            (
                strided_layout(logits[:, None])[:, 0],
                transposed_layout(deltas),
                labels,
                strided_layout(targets),
            ),
            suspicion="needs_contiguous_input",
        ),
    ]


def _gradients(draw: Draw) -> list[Case]:
    logits, deltas, labels, targets = _some(draw, 4, 6, 3)
    large = 60 * logits, deltas, labels, targets
    return [
        _case("the gradient", _some(draw, 4, 7, 3), gradient="value"),
        _case("the gradient", _some(draw, 3, 5, 4), {"beta": 0.6}, gradient="value"),
        _case("the gradient at large logits", large, gradient="value"),
        _case("the gradient without objects", _some(draw, 0, 6, 3), gradient="value"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    logits, deltas, labels, targets = _some(draw, 4, 6, 3)
    none, other = torch.full_like(labels, -1), labels.clone()
    other[5] = 2
    nan = logits.clone()
    nan[labels >= 0] = torch.nan
    fewer = "accepts_other_shapes"
    return [
        Refusal("labels of −1 alone", (logits, deltas, none, targets), "accepts_no_labels"),
        Refusal("a label 2", (logits, deltas, other, targets), "accepts_other_labels"),
        Refusal("13 logits and 12 labels", (logits, deltas, labels[:12], targets), fewer),
        Refusal("12 logits and 13 labels", (logits[:12], deltas, labels, targets), fewer),
        Refusal("deltas of shape (1, 4)", (logits, deltas[:1], labels, targets), fewer),
        Refusal("logits of shape (13, 1)", (logits[:, None], deltas, labels, targets), fewer),
        Refusal(
            "logits that are NaN", (nan, deltas, labels, targets), "hides_nan", or_any_sign=True
        ),
    ]


def _law(sentence: str, change: Any, holds: Any) -> Law:
    def calls(draw: Draw) -> list[Call]:
        given = _some(draw, 4, 6, 3)
        return [(given, {}), (change(*given), {})]

    return Law(sentence, calls, holds)


def _agree(values: Any) -> bool:
    return all(torch.allclose(a, b, rtol=1e-6) for a, b in zip(*values, strict=True))


LAWS = (
    _law(
        "Anchors with label −1 change your value: leave them out of both losses.",
        lambda x, d, y, t: (
            torch.where(y < 0, x + 5, x),
            torch.where(y[:, None] < 0, d + 5, d),
            y,
            t,
        ),
        _agree,
    ),
    _law(
        "Deltas of background change your value: only anchors with an object have a box to learn.",
        lambda x, d, y, t: (x, torch.where(y[:, None] == 0, d + 5, d), y, t),
        _agree,
    ),
    _law(
        "Your value changes when every anchor comes twice: both losses are divided by the number "
        "of labels that count.",
        lambda x, d, y, t: tuple(torch.cat([one, one]) for one in (x, d, y, t)),
        _agree,
    ),
)

RPN_LOSS = Exercise(
    name="rpn_loss",
    contract=(
        "rpn_loss(logits, deltas, labels, targets, *, beta=1/9) returns the pair (objectness, "
        "regression) for logits (A,), deltas and targets (A, 4), labels (A,) of 1, 0 and −1: the "
        "mean binary cross-entropy over labels >= 0, and the sum of smooth L1 (x²/2β up to |x| = "
        "β, |x| − β/2 beyond) over labels 1, divided by the number of labels >= 0. Stable, with "
        "gradients. Shapes that do not fit, other labels, no label >= 0: ValueError."
    ),
    reference=rpn_loss,
    parts=(
        Part("values", 0.5, _values, is_value=True),
        Part("hard places", 0.2, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    returns=("objectness", "regression"),
    points=5,
)
