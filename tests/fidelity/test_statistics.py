"""Streaming mean and covariance."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.divergence import frechet_distance
from mdcv.fidelity import FeatureStatistics, fid, statistics
from mdcv.seeds import generator


def features(n: int, dim: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=generator(seed), dtype=torch.float64).cumsum(1) + 2


def agree(found: FeatureStatistics, x: torch.Tensor) -> None:
    assert found.count == len(x)
    torch.testing.assert_close(found.mean, x.double().mean(0))
    torch.testing.assert_close(found.cov, x.double().T.cov())


def test_batches_add_up_to_the_whole(device):
    x = features(23).to(device)
    found = FeatureStatistics(3)
    for batch in x.split([1, 7, 0, 15]):
        assert found.update(batch) is found
    agree(found, x)
    assert found.mean.device.type == device and found.cov.dtype == torch.float64


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 10**6),
)
def test_parts_may_be_merged_in_any_order(sizes, order, seed):
    x = features(sum(sizes) + 2, seed=seed)
    parts = [FeatureStatistics(3).update(part) for part in x.split([*sizes, 2])]
    order.shuffle(parts)
    while len(parts) > 1:
        joined = parts.pop().merge(parts.pop())
        parts.insert(order.randrange(len(parts) + 1), joined)
    agree(parts[0], x)


def test_merging_leaves_the_other_as_it_was_even_when_it_is_itself():
    x, y = features(5), features(4, seed=1)
    a, b = FeatureStatistics(3).update(x), FeatureStatistics(3).update(y)
    empty = FeatureStatistics(3)
    agree(empty.merge(a), x)
    empty.update(y)
    agree(a, x)
    agree(a.merge(b).merge(FeatureStatistics(3)), torch.cat([x, y]))
    agree(b, y)
    agree(b.merge(b), torch.cat([y, y]))


def test_accurate_far_from_the_origin():
    """Sums of squares around 1e16 would leave nothing of a variance of 1."""
    x = features(60)
    found = FeatureStatistics(3)
    for batch in (x + 1e8).split(7):
        found.update(batch)
    torch.testing.assert_close(found.cov, x.T.cov(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_low_precision_features_are_summed_in_float64(dtype):
    x = features(50).to(dtype)
    agree(FeatureStatistics(3).update(x), x)


def test_a_long_batch_is_taken_in_by_pieces(monkeypatch):
    monkeypatch.setattr(statistics, "ROWS", 4)
    x = features(11)
    agree(FeatureStatistics(3).update(x), x)


def test_what_is_returned_is_a_copy_and_carries_no_graph():
    x = features(6).requires_grad_()
    found = FeatureStatistics(3).update(x)
    found.mean.zero_()
    found.cov.zero_()
    agree(found, x.detach())
    assert not found.mean.requires_grad and not found.cov.requires_grad


def test_distance_of_the_statistics_is_the_distance_of_the_features():
    real, fake = features(20), features(30, seed=1)
    a, b = FeatureStatistics(3).update(real), FeatureStatistics(3).update(fake)
    torch.testing.assert_close(frechet_distance(a.mean, a.cov, b.mean, b.cov), fid(real, fake))


def test_refuses_what_does_not_fit_and_takes_nothing_in():
    x = features(4)
    found = FeatureStatistics(3).update(x)
    spoiled = x.clone()
    spoiled[2, 1] = torch.nan
    for wrong, words in [
        (spoiled, "features holds NaN"),
        (x / 0, "features holds NaN or infinity"),
    ]:
        with pytest.raises(ValueError, match=words):
            found.update(wrong)
    with pytest.raises(ValueError, match="other has dim 4; expected 3"):
        found.merge(FeatureStatistics(4))
    agree(found, x)


@pytest.mark.usefixtures("at_the_door")
def test_refuses_wrong_shapes_and_kinds():
    found = FeatureStatistics(3)
    for wrong, words in [
        (features(4, dim=2), r"features has shape \(4, 2\); expected \(N, 3\)"),
        (features(4)[0], r"features has shape \(3,\)"),
        (features(4).long(), "features has dtype torch.int64"),
        ([[1.0, 2.0, 3.0]], "features is list"),
    ]:
        with pytest.raises(ValueError, match=words):
            found.update(wrong)
    with pytest.raises(ValueError, match="other is Tensor"):
        found.merge(features(4))
    with pytest.raises(ValueError, match="features is on meta; expected cpu"):
        found.update(features(4)).update(features(4).to("meta"))
    for dim in (0, -1, 2.0, None):
        with pytest.raises(ValueError, match="dim is"):
            FeatureStatistics(dim)


def test_refuses_moments_that_do_not_exist_yet():
    found = FeatureStatistics(2)
    with pytest.raises(ValueError, match="no features so far"):
        _ = found.mean
    with pytest.raises(ValueError, match="0 features so far; expected at least 2"):
        _ = found.cov
    found.update(torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(found.mean, torch.tensor([1.0, 2.0]).double())
    with pytest.raises(ValueError, match="1 features so far"):
        _ = found.cov
    assert repr(found) == "FeatureStatistics(dim=2, count=1)"
