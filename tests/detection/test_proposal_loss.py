"""The two losses of the region proposal network: what counts, and by what it is divided."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.detection import rpn_loss
from mdcv.seeds import generator


def table(*shape: int) -> torch.Tensor:
    """Numbers from -1 to 1 that need no generator, so that other programs can have them too."""
    return (torch.arange(math.prod(shape), dtype=torch.float32) * 7 % 23 / 11 - 1).reshape(shape)


LABELS = torch.tensor([1, 0, -1, 0, 1, 1, 0, -1, 0, 0, 1, 0])


def test_it_gives_the_values_of_torchvision(device):
    """Printed by RegionProposalNetwork.compute_loss of torchvision 0.28."""
    inputs = (table(12), table(12, 4), LABELS, table(12, 4).flip(0))
    objectness, regression = rpn_loss(*(x.to(device) for x in inputs))
    assert objectness.item() == pytest.approx(0.9326500, abs=1e-6)
    assert regression.item() == pytest.approx(0.9027548, abs=1e-6)


def test_a_loop_over_the_anchors_gives_the_same():
    g = generator(0)
    logits, deltas = torch.randn(40, generator=g).double(), torch.randn(40, 4, generator=g).double()
    targets, labels = torch.randn(40, 4, generator=g).double(), torch.randint(-1, 2, (40,))
    for beta in (1 / 9, 1.0, 0.0):
        objectness = regression = 0.0
        for z, d, c, t in zip(logits, deltas, labels.tolist(), targets, strict=True):
            if c >= 0:
                objectness -= math.log(torch.sigmoid(z if c else -z))
            if c == 1:
                for x in (d - t).abs().tolist():
                    regression += x * x / (2 * beta) if x < beta else x - beta / 2
        counted = int((labels >= 0).sum())
        loss = rpn_loss(logits, deltas, labels, targets, beta=beta)
        assert loss.objectness.item() == pytest.approx(objectness / counted, rel=1e-9)
        assert loss.regression.item() == pytest.approx(regression / counted, rel=1e-9)


def test_what_is_left_out_may_be_anything_and_gets_no_gradient():
    logits, deltas = table(12), table(12, 4)
    logits[LABELS == -1], deltas[LABELS < 1] = math.nan, math.inf
    targets = table(12, 4).flip(0).masked_fill((LABELS < 1)[:, None], math.nan)
    logits.requires_grad_(), deltas.requires_grad_()
    sum(rpn_loss(logits, deltas, LABELS, targets)).backward()
    assert logits.grad[LABELS == -1].eq(0).all() and logits.grad[LABELS >= 0].ne(0).all()
    assert deltas.grad[LABELS < 1].eq(0).all() and deltas.grad[LABELS == 1].ne(0).any(dim=1).all()


def test_without_objects_the_regression_is_zero_with_a_gradient():
    deltas = table(3, 4).requires_grad_()
    loss = rpn_loss(table(3), deltas, torch.tensor([0, 0, -1]), table(3, 4))
    loss.regression.backward()
    assert loss.regression == 0 and deltas.grad.eq(0).all()


def test_the_gradient_is_right():
    logits, deltas = table(12).double().requires_grad_(), table(12, 4).double().requires_grad_()
    targets = table(12, 4).flip(0).double()
    assert torch.autograd.gradcheck(
        lambda a, b: sum(rpn_loss(a, b, LABELS, targets)), (logits, deltas)
    )


def test_torchvision_agrees(peer):
    from torchvision.models.detection.rpn import RegionProposalNetwork

    class Fixed:
        """A sampler that takes what the labels say."""

        def __call__(self, labels):
            return [labels[0] == 1], [labels[0] == 0]

    network = RegionProposalNetwork(None, None, 0.7, 0.3, 256, 0.5, {}, {}, 0.7)
    network.fg_bg_sampler = Fixed()
    deltas, targets = table(12, 4), table(12, 4).flip(0)
    theirs = network.compute_loss(table(12)[:, None], deltas, [LABELS.float()], [targets])
    torch.testing.assert_close(tuple(rpn_loss(table(12), deltas, LABELS, targets)), theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": torch.zeros(3, 1)}, r"logits has shape \(3, 1\); expected \(A,\)"),
        ({"deltas": torch.zeros(4, 4)}, r"deltas has shape \(4, 4\); expected \(3, 4\)"),
        ({"targets": torch.zeros(3, 5)}, r"targets has shape \(3, 5\)"),
        ({"targets": torch.zeros(3, 4).double()}, "targets has dtype torch.float64"),
        ({"labels": torch.tensor([1.0, 0.0, -1.0])}, "labels has dtype torch.float32"),
        ({"labels": torch.tensor([1, 0])}, r"labels has shape \(2,\); expected \(3,\)"),
        ({"labels": torch.tensor([1, 0, 2])}, "labels holds 2; expected integers from -1 to 1"),
        ({"labels": torch.tensor([-1, -1, -1])}, "none of them is 0 or 1"),
        ({"labels": [1, 0, 0]}, "labels is list"),
        ({"beta": -1.0}, "beta is -1.0"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {
        "logits": torch.zeros(3),
        "deltas": torch.zeros(3, 4),
        "labels": torch.tensor([1, 0, -1]),
        "targets": torch.zeros(3, 4),
    }
    with pytest.raises(ValueError, match=message):
        rpn_loss(**(good | change))
