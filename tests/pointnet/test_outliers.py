import pytest
import torch

from mdcv.data import correspondences
from mdcv.pointnet import (
    OutlierNet,
    context_normalize,
    match_weights,
    outlier_loss,
    weighted_eight_point,
)
from mdcv.seeds import generator


def small():
    return OutlierNet(width=16, blocks=2, rng=generator(0))


def test_context_normalization_is_per_set_and_feature(device, cloud):
    features = (3 + 2 * cloud(4, 50, 7)).to(device)
    normal = context_normalize(features, eps=0.0)
    torch.testing.assert_close(
        normal.mean(dim=1), torch.zeros(4, 7, device=device), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(normal.var(dim=1, correction=0), torch.ones(4, 7, device=device))
    one = torch.nn.functional.instance_norm(features.mT, eps=1e-3).mT
    torch.testing.assert_close(context_normalize(features), one)


def test_a_feature_that_is_constant_becomes_zero():
    assert context_normalize(torch.full((1, 5, 2), 7.0)).equal(torch.zeros(1, 5, 2))


def test_context_normalization_gradients(cloud):
    features = cloud(2, 5, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(context_normalize, features)


def test_the_logits_permute_with_the_pairs(device, cloud, settled):
    net = settled(small()).to(device).double()
    pairs = cloud(2, 60, 4, dtype=torch.float64).to(device)
    order = torch.randperm(60, generator=generator(1)).to(device)
    torch.testing.assert_close(net(pairs)[:, order], net(pairs[:, order]))


def test_every_pair_feels_every_other_of_its_own_set_only(cloud, settled):
    net = settled(small()).double()
    pairs = cloud(2, 10, 4, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(net(pairs)[0, 3], pairs)
    assert (slope[0].abs().sum(dim=1) > 0).all() and not slope[1].any()


def test_weights_lie_between_a_trace_and_one():
    logits = torch.tensor([[-50.0, 0.0, 0.5, 50.0]])
    expected = torch.tensor([[1e-6, 1e-6, 0.5, 1.0]])
    expected[0, 2] = torch.tensor(0.5).tanh()
    torch.testing.assert_close(match_weights(logits), expected)


def test_the_loss_of_a_perfect_judge_is_near_zero():
    pairs, good, essential = correspondences(
        3, matches=60, inlier_share=0.5, noise=0, generator=generator(0)
    )
    perfect = outlier_loss(torch.where(good, 20.0, -20.0), pairs, good, essential)
    assert perfect.classification < 1e-6 and perfect.geometry < 1e-4
    wrong = outlier_loss(torch.where(good, -20.0, 20.0), pairs, good, essential)
    assert wrong.classification > 10 and wrong.geometry > 0.1


def test_the_good_and_the_bad_weigh_half_each():
    good = torch.zeros(1, 40, dtype=torch.bool)
    good[:, :4] = True
    pairs, logits = torch.rand(1, 40, 4, generator=generator(0)), torch.full((1, 40), 1.5)
    loss = outlier_loss(logits, pairs, good, torch.eye(3)[None]).classification
    both = torch.nn.functional.softplus(torch.tensor([-1.5, 1.5])).mean()
    torch.testing.assert_close(loss, both)


def test_sign_and_scale_of_the_truth_mean_nothing():
    pairs, good, essential = correspondences(2, matches=30, generator=generator(0))
    logits = torch.randn(2, 30, generator=generator(1))
    one = outlier_loss(logits, pairs, good, essential).geometry
    torch.testing.assert_close(outlier_loss(logits, pairs, good, -9 * essential).geometry, one)


def test_geometry_by_hand():
    pairs, good, essential = correspondences(2, matches=30, noise=0.01, generator=generator(0))
    logits = torch.randn(2, 30, generator=generator(1))
    estimate = weighted_eight_point(pairs, match_weights(logits))
    gaps = [
        min(float((estimate[b] - s * essential[b]).square().sum()) for s in (-1, 1))
        for b in range(2)
    ]
    found = outlier_loss(logits, pairs, good, essential).geometry
    assert found.item() == pytest.approx(sum(gaps) / 2, rel=1e-4)


def test_sets_of_one_kind_only_are_fine():
    pairs, _, essential = correspondences(1, matches=30, generator=generator(0))
    for share in (True, False):
        good = torch.full((1, 30), share)
        assert outlier_loss(torch.zeros(1, 30), pairs, good, essential)[0].isfinite()


def test_training_has_finite_gradients_everywhere():
    pairs, good, essential = correspondences(4, matches=50, generator=generator(0))
    net = small()
    terms = outlier_loss(net(pairs), pairs, good, essential)
    (terms.classification + terms.geometry).backward()
    assert all(weight.grad.isfinite().all() for weight in net.parameters())
    net.eval()
    assert net.essential(pairs).shape == (4, 3, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(device, cloud, dtype):
    net = small().eval().to(device, dtype)
    assert net(cloud(2, 30, 4, dtype=dtype).to(device)).dtype == dtype


@pytest.mark.usefixtures("at_the_door")
def test_refusals(cloud):
    net = small()
    for bad in (torch.zeros(1, 5, 3), torch.zeros(1, 0, 4), torch.full((1, 5, 4), torch.nan)):
        with pytest.raises(ValueError, match="pairs"):
            net(bad)
    with pytest.raises(ValueError, match="dtype"):
        net(torch.zeros(1, 5, 4).double())
    with pytest.raises(ValueError, match="empty set"):
        context_normalize(torch.zeros(1, 0, 4))
    for options in ({"width": 0}, {"blocks": 0}):
        with pytest.raises(ValueError, match="expected an integer"):
            OutlierNet(**options)
    with pytest.raises(ValueError, match="logits has shape"):
        outlier_loss(
            torch.zeros(1, 8), torch.zeros(1, 9, 4), torch.zeros(1, 9).bool(), torch.eye(3)[None]
        )
