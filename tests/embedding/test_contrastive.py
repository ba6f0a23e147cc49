"""The contrastive loss."""

from __future__ import annotations

import pytest
import torch

from mdcv.embedding import contrastive_loss
from mdcv.seeds import generator

SAME = torch.tensor([True, False, True, False, False])


def by_hand(a, b, same, margin):
    total = 0.0
    for x, y, alike in zip(a, b, same, strict=True):
        d = float(((x - y) ** 2).sum()) ** 0.5
        total += 0.5 * d**2 if alike else 0.5 * max(0.0, margin - d) ** 2
    return total / len(a)


def test_four_pairs_in_the_head(device):
    """Distances 0 and 2 for both kinds; with margin 3 they cost 0, 2, 4.5 and 0.5."""
    a = torch.zeros(4, 1, device=device)
    b = torch.tensor([[0.0], [2.0], [0.0], [2.0]], device=device)
    same = torch.tensor([True, True, False, False], device=device)
    assert contrastive_loss(a, b, same, margin=3).item() == pytest.approx(7 / 4)


@pytest.mark.parametrize("margin", [0.0, 0.7, 1, 2.5, 9.0])
def test_agrees_with_the_definition_pair_by_pair(embeddings, margin):
    a, b = embeddings(5, 3), embeddings(5, 3, seed=1)
    expected = by_hand(a, b, SAME, margin)
    found = contrastive_loss(a, b, SAME, margin=margin)
    torch.testing.assert_close(found.item(), expected)


def test_agrees_with_pytorch_where_it_has_the_same_loss(embeddings):
    """Its hinge embedding loss takes distances and does not square."""
    a, b = embeddings(5, 3), embeddings(5, 3, seed=1)
    d = torch.nn.functional.pairwise_distance(a, b, eps=0)
    everyone = torch.ones(5, dtype=torch.bool)
    torch.testing.assert_close(contrastive_loss(a, b, everyone), (d**2).mean() / 2)
    hinge = torch.nn.functional.hinge_embedding_loss(
        d, -torch.ones(5), margin=2.5, reduction="none"
    )
    found = contrastive_loss(a, b, ~everyone, margin=2.5)
    torch.testing.assert_close(found, (hinge**2).mean() / 2)


def test_a_repeated_batch_costs_the_same(embeddings):
    a, b = embeddings(5, 3), embeddings(5, 3, seed=1)
    twice = contrastive_loss(a.repeat(2, 1), b.repeat(2, 1), SAME.repeat(2))
    torch.testing.assert_close(twice, contrastive_loss(a, b, SAME))


def test_a_motion_of_the_whole_space_changes_nothing(embeddings):
    a, b = embeddings(5, 3), embeddings(5, 3, seed=1)
    turn = torch.linalg.qr(embeddings(3, 3, seed=2)).Q
    moved = contrastive_loss(a @ turn + 4, b @ turn + 4, SAME)
    torch.testing.assert_close(moved, contrastive_loss(a, b, SAME))


def test_a_different_pair_beyond_the_margin_gets_no_gradient():
    a = torch.tensor([[0.0, 0.0], [0.0, 0.0]], requires_grad=True)
    b = torch.tensor([[0.0, 0.9], [0.0, 1.1]])
    contrastive_loss(a, b, torch.tensor([False, False])).backward()
    torch.testing.assert_close(a.grad, torch.tensor([[0.0, 0.05], [0.0, 0.0]]))


def test_gradients_are_exact_and_finite_where_embeddings_coincide(embeddings):
    a, b = embeddings(5, 3).requires_grad_(), embeddings(5, 3, seed=1).requires_grad_()
    loss = lambda x, y: contrastive_loss(x, y, SAME, margin=2.5)  # noqa: E731
    assert torch.autograd.gradcheck(loss, (a, b))
    assert torch.autograd.gradgradcheck(loss, (a, b))
    same = a.detach().clone().requires_grad_()
    contrastive_loss(same, a.detach(), SAME).backward()
    torch.testing.assert_close(same.grad, torch.zeros_like(same))


def test_far_from_the_origin_only_the_difference_counts():
    a = torch.full((2, 3), 1e4)
    b = a + torch.tensor([0.0, 0.0, 0.5])
    found = contrastive_loss(a, b, torch.tensor([True, False]))
    torch.testing.assert_close(found, torch.tensor(0.125))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_and_nan_shows(embeddings, dtype):
    a, b = embeddings(5, 3).to(dtype), embeddings(5, 3, seed=1).to(dtype)
    assert contrastive_loss(a, b, SAME).dtype == dtype
    for row in (0, 1):
        spoiled = a.clone()
        spoiled[row, 1] = torch.nan
        assert contrastive_loss(spoiled, b, SAME).isnan()


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"b": torch.zeros(1, 2)}, r"b has shape \(1, 2\); expected \(3, 2\)"),
        ({"b": torch.zeros(3, 1)}, r"b has shape \(3, 1\)"),
        ({"a": torch.zeros(2), "b": torch.zeros(2)}, r"a has shape \(2,\); expected \(B, D\)"),
        ({"a": torch.zeros(0, 2), "b": torch.zeros(0, 2)}, "at least one embedding"),
        ({"b": torch.zeros(3, 2).double()}, "b has dtype torch.float64"),
        ({"same": torch.zeros(2, dtype=torch.bool)}, r"expected a boolean tensor \(3,\)"),
        ({"same": torch.zeros(3, 1, dtype=torch.bool)}, r"torch.bool \(3, 1\)"),
        ({"same": torch.zeros(3)}, r"torch.float32 \(3,\)"),
        ({"same": [True, False, True]}, "list"),
        ({"margin": -1.0}, "margin is -1.0"),
        ({"margin": float("nan")}, "margin is nan"),
        ({"margin": float("inf")}, "margin is inf"),
    ],
    ids=str,
)
def test_bad_input_is_refused(change, words):
    good = {
        "a": torch.rand(3, 2, generator=generator(0)),
        "b": torch.zeros(3, 2),
        "same": torch.zeros(3, dtype=torch.bool),
    }
    with pytest.raises(ValueError, match=words):
        contrastive_loss(**{**good, **change})
