"""Mining of hard triplets."""

from __future__ import annotations

import pytest
import torch

from mdcv.embedding import mine_triplets, triplet_loss

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0, 1, 3])


def every_triplet(embeddings, labels):
    """All (anchor, positive, negative) with their two distances, by loops."""
    n = len(labels)
    for a in range(n):
        for p in range(n):
            for k in range(n):
                if a != p and labels[a] == labels[p] and labels[a] != labels[k]:
                    d = [float((embeddings[a] - embeddings[j]).norm()) for j in (p, k)]
                    yield a, p, k, *d


def test_on_a_line_in_the_head(device):
    """Kinds 0 at 0 and 1, kinds 1 at 3 and 9; the pair at 3 is nearer to 1 than to 9."""
    line = torch.tensor([[0.0], [1.0], [3.0], [9.0]], device=device)
    mined = mine_triplets(line, torch.tensor([0, 0, 1, 1], device=device))
    assert [index.tolist() for index in mined] == [[0, 1, 2, 3], [1, 0, 3, 2], [2, 2, 1, 1]]
    assert mined.anchor.device.type == device


def test_no_triplet_of_an_anchor_costs_more_than_its_hardest(embeddings):
    x = embeddings(10, 3)
    mined = mine_triplets(x, LABELS)
    worst = {}
    for a, _, _, positive, negative in every_triplet(x, LABELS):
        worst[a] = max(worst.get(a, -1e9), positive - negative)
    assert mined.anchor.tolist() == sorted(worst)
    for a, p, n in zip(*(index.tolist() for index in mined), strict=True):
        found = float((x[a] - x[p]).norm() - (x[a] - x[n]).norm())
        assert found == pytest.approx(worst[a])


def test_no_anchor_is_its_own_positive_and_no_negative_is_of_its_kind(embeddings):
    x = embeddings(10, 3)
    x[3] = x[0]  # a positive at distance 0 is still a positive, not the anchor
    for negatives in ("hardest", "semi-hard"):
        a, p, n = mine_triplets(x, LABELS, negatives=negatives)
        assert (a != p).all() and (LABELS[a] == LABELS[p]).all() and (LABELS[a] != LABELS[n]).all()


def test_a_positive_at_distance_zero_is_not_mistaken_for_the_anchor():
    twins = torch.tensor([[0.0], [0.0], [5.0]])
    a, p, n = mine_triplets(twins, torch.tensor([0, 0, 1]))
    assert [a.tolist(), p.tolist(), n.tolist()] == [[0, 1], [1, 0], [2, 2]]


def test_semi_hard_negatives_lie_between_the_positive_and_the_margin(embeddings):
    x = embeddings(10, 3)
    margin = 0.8
    a, p, n = mine_triplets(x, LABELS, negatives="semi-hard", margin=margin)
    hardest = mine_triplets(x, LABELS).negative
    moved = 0
    for row, (i, j, k) in enumerate(zip(a.tolist(), p.tolist(), n.tolist(), strict=True)):
        positive = float((x[i] - x[j]).norm())
        others = [float((x[i] - x[m]).norm()) for m in range(10) if LABELS[m] != LABELS[i]]
        between = [d for d in others if positive < d < positive + margin]
        if between:
            moved += 1
            assert float((x[i] - x[k]).norm()) == pytest.approx(min(between))
        else:
            assert k == hardest[row]
    assert moved


def test_kinds_without_a_partner_are_left_out(embeddings):
    x = embeddings(10, 3)
    assert 9 not in mine_triplets(x, LABELS).anchor  # the only one of kind 3
    alone = mine_triplets(x, torch.arange(10))
    all_one = mine_triplets(x, torch.zeros(10, dtype=torch.int64))
    assert [len(index) for index in (*alone, *all_one)] == [0] * 6


def test_mined_triplets_cost_at_least_the_average_one(embeddings):
    x = embeddings(10, 3)
    mined = triplet_loss(*(x[index] for index in mine_triplets(x, LABELS)))
    costs = [max(0.0, p - n + 1) for *_, p, n in every_triplet(x, LABELS)]
    assert mined > sum(costs) / len(costs)


def test_the_choice_has_no_gradient_and_the_input_stays(embeddings):
    x = embeddings(10, 3).requires_grad_()
    before = x.detach().clone()
    mined = mine_triplets(x, LABELS)
    assert not any(index.requires_grad for index in mined)
    assert x.detach().equal(before)
    triplet_loss(*(x[index] for index in mined)).backward()
    assert x.grad.isfinite().all() and x.grad.any()


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("embeddings", "labels", "options", "words"),
    [
        (torch.zeros(3), torch.zeros(3).long(), {}, r"embeddings has shape \(3,\)"),
        (torch.zeros(3, 2), torch.zeros(2).long(), {}, r"labels has shape \(2,\)"),
        (torch.zeros(3, 2), torch.zeros(3), {}, "expected a kind per row"),
        (torch.full((3, 2), torch.nan), torch.zeros(3).long(), {}, "embeddings holds NaN"),
        (torch.zeros(3, 2), torch.zeros(3).long(), {"negatives": "easy"}, "negatives is 'easy'"),
        (torch.zeros(3, 2), torch.zeros(3).long(), {"margin": -1}, "margin is -1"),
    ],
)
def test_bad_input_is_refused(embeddings, labels, options, words):
    with pytest.raises(ValueError, match=words):
        mine_triplets(embeddings, labels, **options)
