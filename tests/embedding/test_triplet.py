"""The triplet loss."""

from __future__ import annotations

import pytest
import torch

from mdcv.embedding import triplet_loss


@pytest.fixture
def triplets(embeddings) -> tuple[torch.Tensor, ...]:
    return tuple(embeddings(11, 3, seed=seed) for seed in range(3))


def test_three_triplets_in_the_head(device):
    """Positives at distance 2; negatives at 1, 2.5 and 9; margin 1: costs 2, 0.5 and 0."""
    anchor = torch.zeros(3, 1, device=device)
    negative = torch.tensor([[1.0], [2.5], [9.0]], device=device)
    assert triplet_loss(anchor, anchor + 2, negative).item() == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("margin", [0, 0.3, 1.0, 4.0])
def test_agrees_with_pytorch(triplets, margin):
    found = triplet_loss(*triplets, margin=margin)
    if margin:  # PyTorch refuses a margin of 0
        theirs = torch.nn.functional.triplet_margin_loss(*triplets, margin=margin, eps=0)
        torch.testing.assert_close(found, theirs)
    a, p, n = triplets
    gap = torch.linalg.vector_norm(a - p, dim=1) - torch.linalg.vector_norm(a - n, dim=1)
    torch.testing.assert_close(found, (gap + margin).clamp(min=0).mean())


def test_a_motion_changes_nothing_and_a_scale_scales(triplets, embeddings):
    turn = torch.linalg.qr(embeddings(3, 3, seed=7)).Q
    moved = triplet_loss(*(3 * x @ turn + 5 for x in triplets), margin=3 * 0.8)
    torch.testing.assert_close(moved, 3 * triplet_loss(*triplets, margin=0.8))


def test_gradients_are_exact_and_finite_where_embeddings_coincide(triplets):
    leaves = [x.clone().requires_grad_() for x in triplets]
    assert torch.autograd.gradcheck(triplet_loss, leaves)
    assert torch.autograd.gradgradcheck(triplet_loss, leaves)
    same = triplets[0].clone().requires_grad_()
    triplet_loss(same, triplets[0], triplets[0]).backward()
    torch.testing.assert_close(same.grad, torch.zeros_like(same))


def test_satisfied_triplets_get_no_gradient():
    anchor = torch.zeros(2, 1, requires_grad=True)
    triplet_loss(anchor, torch.full((2, 1), 2.0), torch.tensor([[-2.5], [9.0]])).backward()
    torch.testing.assert_close(anchor.grad, torch.tensor([[-1.0], [0.0]]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_and_nan_shows(triplets, dtype):
    sets = [x.to(dtype) for x in triplets]
    assert triplet_loss(*sets).dtype == dtype
    for place in range(3):
        spoiled = [x.clone() for x in sets]
        spoiled[place][4, 1] = torch.nan
        assert triplet_loss(*spoiled).isnan()


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"positive": torch.zeros(1, 2)}, r"positive has shape \(1, 2\); expected \(3, 2\)"),
        ({"negative": torch.zeros(3, 1)}, r"negative has shape \(3, 1\)"),
        ({"anchor": torch.zeros(2)}, r"anchor has shape \(2,\); expected \(B, D\)"),
        ({"negative": torch.zeros(3, 2).double()}, "negative has dtype torch.float64"),
        ({"positive": torch.zeros(3, 2).long()}, "positive has dtype torch.int64"),
        ({"anchor": [[0.0, 0.0]]}, "anchor is list"),
        ({"margin": -0.5}, "margin is -0.5"),
        ({"margin": "1"}, "margin is '1'"),
    ],
    ids=str,
)
def test_bad_input_is_refused(change, words):
    good = {name: torch.zeros(3, 2) for name in ("anchor", "positive", "negative")}
    with pytest.raises(ValueError, match=words):
        triplet_loss(**{**good, **change})


def test_an_empty_batch_is_refused():
    empty = torch.zeros(0, 2)
    with pytest.raises(ValueError, match="at least one embedding"):
        triplet_loss(empty, empty, empty)
