"""The two losses of Fast R-CNN: the class of a region, and the box of that class alone."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.detection import fast_rcnn_loss

LABELS = torch.tensor([0, 3, 1, 0, 2, 0])


def table(*shape: int) -> torch.Tensor:
    return (torch.arange(math.prod(shape), dtype=torch.float32) * 7 % 23 / 11 - 1).reshape(shape)


def test_it_gives_the_values_of_torchvision(device):
    """Printed by fastrcnn_loss of torchvision 0.28."""
    inputs = (table(6, 4), table(6, 16), LABELS, table(6, 4).flip(0))
    classification, regression = fast_rcnn_loss(*(x.to(device) for x in inputs))
    assert classification.item() == pytest.approx(1.7818989, abs=1e-6)
    assert regression.item() == pytest.approx(1.7373737, abs=1e-6)


def test_torchvision_agrees(peer):
    from torchvision.models.detection.roi_heads import fastrcnn_loss

    inputs = table(6, 4), table(6, 16), table(6, 4).flip(0)
    theirs = fastrcnn_loss(inputs[0], inputs[1], [LABELS], [inputs[2]])
    torch.testing.assert_close(
        tuple(fast_rcnn_loss(inputs[0], inputs[1], LABELS, inputs[2])), theirs
    )


def test_only_the_box_of_the_own_class_is_trained():
    deltas = table(6, 16).requires_grad_()
    fast_rcnn_loss(table(6, 4), deltas, LABELS, table(6, 4).flip(0)).regression.backward()
    trained = deltas.grad.unflatten(1, (4, 4)).ne(0).any(dim=2)
    expected = torch.zeros(6, 4, dtype=torch.bool)
    expected[[1, 2, 4], [3, 1, 2]] = True
    assert trained.equal(expected)


def test_one_box_for_all_classes_is_the_same_as_equal_boxes_for_each():
    shared = table(6, 4)
    targets = shared.flip(0)
    one = fast_rcnn_loss(table(6, 4), shared, LABELS, targets)
    each = fast_rcnn_loss(table(6, 4), shared.repeat(1, 4), LABELS, targets)
    assert one.regression == each.regression > 0


def test_background_alone_has_no_box_but_a_gradient():
    deltas = table(2, 12).requires_grad_()
    loss = fast_rcnn_loss(table(2, 3), deltas, torch.tensor([0, 0]), table(2, 4))
    loss.regression.backward()
    assert loss.regression == 0 and deltas.grad.eq(0).all() and loss.classification > 0


def test_the_gradient_is_right():
    logits, deltas = table(6, 4).double().requires_grad_(), table(6, 16).double().requires_grad_()
    targets = table(6, 4).flip(0).double()

    def total(a, b):
        return sum(fast_rcnn_loss(a, b, LABELS, targets, beta=1.0))

    assert torch.autograd.gradcheck(total, (logits, deltas))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_logits": torch.zeros(0, 3)}, r"class_logits has shape \(0, 3\)"),
        ({"class_logits": torch.zeros(2, 1)}, "a class beside background"),
        (
            {"deltas": torch.zeros(2, 8)},
            r"deltas has shape \(2, 8\); expected \(2, 12\) or \(2, 4\)",
        ),
        ({"deltas": torch.zeros(2, 12).half()}, "deltas has dtype torch.float16"),
        ({"targets": torch.zeros(3, 4)}, r"targets has shape \(3, 4\); expected \(2, 4\)"),
        ({"labels": torch.tensor([0, 3])}, "labels holds 3; expected integers from 0 to 2"),
        ({"labels": torch.tensor([0, -1])}, "labels holds -1"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {
        "class_logits": torch.zeros(2, 3),
        "deltas": torch.zeros(2, 12),
        "labels": torch.tensor([0, 2]),
        "targets": torch.zeros(2, 4),
    }
    with pytest.raises(ValueError, match=message):
        fast_rcnn_loss(**(good | change))
