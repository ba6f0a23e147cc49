import itertools

import pytest
import torch
from torch import nn

from mdcv.pointnet import SetFunction, pool_points
from mdcv.pointnet.symmetric import POOLINGS
from mdcv.seeds import generator

KNOWN = {"max": [3.0, 5.0], "sum": [6.0, 6.0], "mean": [2.0, 2.0]}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_known_answers(device, pooling):
    features = torch.tensor([[1.0, 5.0], [3.0, 2.0], [2.0, -1.0]], device=device)
    assert pool_points(features, pooling).tolist() == KNOWN[pooling]
    assert pool_points(features[None, None], pooling).tolist() == [[KNOWN[pooling]]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_order_of_a_set_gives_one_value(pooling):
    h = nn.Sequential(nn.Linear(3, 8), nn.ReLU()).double()
    f = SetFunction(h, nn.Linear(8, 2).double(), pooling=pooling)
    points = torch.randn(1, 5, 3, generator=generator(0), dtype=torch.float64)
    values = torch.cat([f(points[:, list(p)]) for p in itertools.permutations(range(5))])
    assert len(values) == 120
    torch.testing.assert_close(values, values[:1].expand_as(values))


def test_the_maximum_ignores_repetition_and_the_sum_counts():
    features = torch.rand(1, 4, 3, generator=generator(1))
    twice = features.repeat(1, 2, 1)
    assert pool_points(twice).equal(pool_points(features))
    torch.testing.assert_close(pool_points(twice, "sum"), 2 * pool_points(features, "sum"))
    torch.testing.assert_close(pool_points(twice, "mean"), pool_points(features, "mean"))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_masked_point_is_not_there(device, pooling, dtype):
    features = (torch.randn(2, 5, 3, generator=generator(2)) - 4).to(device, dtype)
    mask = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 1, 0, 0]], device=device).bool()
    pooled = pool_points(features, pooling, mask=mask)
    for b in range(2):
        torch.testing.assert_close(pooled[b], pool_points(features[b, mask[b]], pooling))
    assert pooled.dtype == dtype


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_set_that_is_all_masked_gives_zero_and_a_zero_gradient(pooling):
    features = torch.full((1, 3, 2), -5.0, requires_grad=True)
    pooled = pool_points(features, pooling, mask=torch.zeros(1, 3, dtype=torch.bool))
    pooled.sum().backward()
    assert pooled.tolist() == [[0.0, 0.0]]
    assert features.grad.tolist() == [[[0.0, 0.0]] * 3]


def test_nan_behind_a_mask_does_no_harm_and_before_it_spreads():
    features = torch.tensor([[[1.0], [float("nan")]]])
    assert pool_points(features).isnan().all()
    for pooling in POOLINGS:
        shown = pool_points(features, pooling, mask=torch.tensor([[True, False]]))
        assert shown.tolist() == [[1.0]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients(pooling):
    features = torch.randn(2, 4, 3, generator=generator(3), dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True, False, True]] * 2)
    assert torch.autograd.gradcheck(lambda f: pool_points(f, pooling), features)
    assert torch.autograd.gradcheck(lambda f: pool_points(f, pooling, mask=mask), features)


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    good = torch.zeros(2, 4, 3)
    with pytest.raises(ValueError, match="empty set"):
        pool_points(good[:, :0])
    with pytest.raises(ValueError, match="pooling is 'median'"):
        pool_points(good, "median")
    with pytest.raises(ValueError, match="mask has shape"):
        pool_points(good, mask=torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"torch\.float32; expected"):
        pool_points(good, mask=torch.ones(2, 4))
    with pytest.raises(ValueError, match="expected"):
        pool_points([1.0])
    with pytest.raises(ValueError, match="pooling is 'min'"):
        SetFunction(nn.Identity(), nn.Identity(), pooling="min")
    with pytest.raises(ValueError, match="shape"):
        SetFunction(nn.Identity(), nn.Identity())(torch.zeros(4, 3))
