import math

import pytest
import torch

from mdcv.data import correspondences
from mdcv.pointnet import nearest_essential, ransac_essential, sampson_distance, trials_needed
from mdcv.pointnet.ransac import AT_ONCE
from mdcv.seeds import generator


def matches(share, *, count=2, size=200, noise=0.0005, seed=0):
    return correspondences(
        count, matches=size, inlier_share=share, noise=noise, generator=generator(seed)
    )


def test_finds_the_inliers_and_the_matrix(device):
    pairs, good, essential = (t.to(device) for t in matches(0.6))
    found = ransac_essential(pairs, generator=generator(1, device))
    truth = nearest_essential(essential)
    gap = torch.minimum(
        (found.essential - truth).abs().amax(dim=(1, 2)),
        (found.essential + truth).abs().amax(dim=(1, 2)),
    )
    assert gap.max() < 0.05
    right = (found.is_inlier == good).float().mean(dim=1)
    assert right.min() > 0.95


def test_who_is_called_an_inlier_agrees_with_the_matrix():
    pairs = matches(0.6).pairs
    found = ransac_essential(pairs, threshold=0.003, generator=generator(1))
    distance = sampson_distance(found.essential, pairs)
    clear = (distance - 0.003).abs() > 1e-5
    assert ((distance <= 0.003) == found.is_inlier)[clear].all()
    singular = torch.linalg.svdvals(found.essential.double())
    torch.testing.assert_close(singular[:, 0], singular[:, 1], atol=1e-5, rtol=0)


def test_it_stops_when_the_confidence_is_reached():
    clean, dirty = matches(1.0, noise=0.0), matches(0.4)
    assert ransac_essential(clean.pairs, generator=generator(1)).trials.tolist() == [AT_ONCE] * 2
    few = ransac_essential(dirty.pairs, max_trials=300, generator=generator(1))
    assert few.trials.tolist() == [300, 300]


@pytest.mark.parametrize(("share", "sample"), [(0.5, 8), (0.7, 8), (0.5, 5)])
def test_the_number_of_trials_is_what_the_confidence_asks(share, sample):
    n = trials_needed(share, 0.99, sample=sample)
    assert (1 - share**sample) ** n == pytest.approx(0.01)


def test_the_number_of_trials_at_the_ends():
    assert trials_needed(1.0, 0.99) == 1.0
    assert trials_needed(0.0, 0.99) == math.inf


def test_one_seed_gives_one_answer_and_the_pairs_stay():
    pairs = matches(0.5).pairs
    before = pairs.clone()
    a, b = (ransac_essential(pairs, generator=generator(3)) for _ in range(2))
    assert all(x.equal(y) for x, y in zip(a, b, strict=True)) and pairs.equal(before)


@pytest.mark.parametrize("threshold", [5e-4, 5e-3])
def test_refinement_never_loses_votes(threshold):
    # Within the narrow threshold the noisy inliers of the first matrix disown the second.
    pairs = matches(0.6, count=6, size=60, noise=0.002).pairs
    options = {"threshold": threshold, "max_trials": 64}
    plain = ransac_essential(pairs, refinements=0, generator=generator(3), **options)
    better = ransac_essential(pairs, refinements=4, generator=generator(3), **options)
    assert (better.is_inlier.sum(dim=1) >= plain.is_inlier.sum(dim=1)).all()


def test_pairs_that_are_all_one_pair_are_no_reason_to_stop():
    pairs = torch.tensor([0.1, 0.2, 0.3, 0.4]).expand(1, 20, 4)
    found = ransac_essential(pairs, max_trials=4, generator=generator(0))
    assert found.essential.isfinite().all() and found.trials.tolist() == [4]


def test_no_sets_give_no_answers():
    found = ransac_essential(torch.zeros(0, 9, 4))
    assert found.essential.shape == (0, 3, 3) and found.is_inlier.shape == (0, 9)


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    pairs = torch.rand(1, 9, 4)
    for bad in (pairs[:, :7], pairs[..., :3], pairs * torch.inf, pairs[0]):
        with pytest.raises(ValueError, match="pairs"):
            ransac_essential(bad)
    for options in (
        {"threshold": -1.0},
        {"confidence": 1.0},
        {"confidence": 0.0},
        {"max_trials": 0},
        {"refinements": -1},
    ):
        with pytest.raises(ValueError, match="expected"):
            ransac_essential(pairs, **options)
