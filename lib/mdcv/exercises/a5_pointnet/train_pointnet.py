"""The exercise `train_pointnet`: what a trained network says about shapes it never saw."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mdcv.exercises.a5_pointnet import shapes as data
from mdcv.exercises.a5_pointnet.clouds import clouds, near, reordered
from mdcv.exercises.a5_pointnet.train_pointnet_variants import RIGHT, WRONG, trained
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Exercise, Finding, Part, Refusal, Trial
from mdcv.exercises.traits import TRAITS

#: The share of unseen shapes that must be told right, whole and with a third of their points gone.
WHOLE, THINNED = 0.85, 0.7

#: Seconds to train.
LIMIT = 30.0


def _found(name: str, words: str = "") -> Finding:
    return Finding(" ".join(filter(None, (TRAIN_POINTNET.sentence_of(name), words))), name)


def _quality(draw: Draw) -> list[Trial]:
    shapes = data.shapes(draw)
    unseen = shapes.unseen
    inputs = (
        unseen,
        unseen,
        reordered(draw, unseen),
        unseen[:1],
        unseen[:, : data.POINTS * 2 // 3],
    )
    asks = [("", (x,), {}) for x in inputs]
    known = ("", (shapes.points[::3],), {})
    call = ((shapes.points, shapes.labels, data.CLASSES), [*asks, known])
    kind = f"{data.UNSEEN} shapes that it never saw"

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        values = answers[0]
        wanted = [(len(x), data.CLASSES) for x in (*inputs, shapes.points[::3])]
        came = [tuple(value.shape) for value in values]
        if came != wanted:
            return _found("wrong_shape", f"Your network gave {came}, expected {wanted}.")
        if not all(bool(value.isfinite().all()) for value in values):
            return _found("not_finite")
        return _judged(values, shapes)

    return [Trial(kind, ((call[0:2], {"mode": "eval"}),), examine, limit=LIMIT)]


def _judged(values: Sequence[Tensor], shapes: data.Shapes) -> Finding | None:
    """What is wrong with a trained network, read from its answers to unseen shapes."""
    logits, again, other_order, alone, thinned, known = values
    labels = shapes.unseen_labels
    if not near(again, logits, 1e-6):
        return _found("is_random")
    if not near(alone, logits[:1]):
        return _found("shapes_see_each_other")
    if not near(other_order, logits):
        return _found("depends_on_the_order")
    right = _share(logits, labels)
    if right >= WHOLE:
        return None if _share(thinned, labels) >= THINNED else _found("needs_every_point")
    seen = logits.argmax(1).unique().numel()
    turned = _best_renumbering(logits, labels)
    words = f"It told {100 * right:.0f} % of {len(labels)} right."
    if _share(known, shapes.labels[::3]) >= 0.95:
        return _found("learned_by_heart", words)
    loss = float(cross_entropy(logits, labels))
    if loss > 300:
        return _found("climbs_the_loss", words)
    if turned >= WHOLE:
        return _found("other_classes", words)
    if seen <= 2 and loss > 5:
        return _found("few_classes", words)
    return _found("accuracy_too_low", words)


def _share(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels).double().mean())


def _best_renumbering(logits: Tensor, labels: Tensor) -> float:
    """The share that would be right if every answer stood for its most frequent class."""
    table = torch.zeros(data.CLASSES, data.CLASSES)
    table.index_put_((logits.argmax(1), labels), torch.ones(len(labels)), accumulate=True)
    taken = table.argmax(1)
    one_each = taken.unique().numel() == data.CLASSES
    return float(table.amax(1).sum() / len(labels)) if one_each else 0.0


def _refusals(draw: Draw) -> list[Refusal]:
    points = clouds(draw, 6, 9)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    ask = [("", (points,), {})]
    bad = (
        ("a label of 3 for 3 classes", (points, labels + 1, 3), "accepts_other_labels"),
        ("a label of −1", (points, labels - 1, 3), "accepts_other_labels"),
        ("6 clouds and 5 labels", (points, labels[:5], 3), "accepts_unequal_numbers"),
        ("no clouds", (points[:0], labels[:0], 3), "accepts_no_clouds"),
    )
    return [Refusal(kind, (arguments, ask), name) for kind, arguments, name in bad]


TRAIN_POINTNET = Exercise(
    name="train_pointnet",
    contract=(
        "train_pointnet(points, labels, num_classes) returns a network that was trained on clouds "
        f"(S, N, 3) with their classes (S,), and maps clouds of any size to logits. It tells "
        f"{100 * WHOLE:.0f} % of unseen shapes right, and {100 * THINNED:.0f} % with a third of "
        "their points gone; the order of points, and other clouds of the batch, do not matter "
        f"(in evaluation mode). It trains within {LIMIT:.0f} seconds. No clouds, another number "
        "of labels, labels outside of 0 … num_classes − 1: ValueError."
    ),
    reference=trained,
    parts=(
        Part("unseen shapes", 0.85, _quality, is_value=True),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    through="then_ask",
    traits={"wrong_shape": TRAITS["wrong_shape"]},
    points=6,
)
