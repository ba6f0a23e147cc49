"""Kullback-Leibler and Jensen-Shannon divergence."""

from __future__ import annotations

import math

import pytest
import scipy.spatial.distance
import scipy.special
import torch
from torch.distributions import Categorical

from mdcv.divergence import cross_entropy, entropy, js_divergence, kl_divergence

BOTH = pytest.mark.parametrize("divergence", [kl_divergence, js_divergence])


def test_a_fair_and_a_loaded_die(device):
    fair = torch.full((6,), 1 / 6, device=device)
    loaded = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], device=device)
    forth = 5 / 6 * math.log(10 / 6) + 1 / 6 * math.log(2 / 6)
    back = 5 * 0.1 * math.log(0.6) + 0.5 * math.log(3)
    torch.testing.assert_close(kl_divergence(fair, loaded).item(), forth, rtol=1e-5, atol=0)
    torch.testing.assert_close(kl_divergence(loaded, fair).item(), back, rtol=1e-5, atol=0)


def test_kl_is_cross_entropy_minus_entropy(distributions):
    p, q = distributions(2, 5, 7)
    torch.testing.assert_close(kl_divergence(p, q), cross_entropy(p, q) - entropy(p))


def test_kl_agrees_with_torch_distributions_and_scipy(distributions):
    p, q = distributions(4, 9)
    theirs = torch.distributions.kl_divergence(Categorical(p), Categorical(q))
    torch.testing.assert_close(kl_divergence(p, q), theirs)
    by_scipy = scipy.special.rel_entr(p.numpy(), q.numpy()).sum(-1)
    torch.testing.assert_close(kl_divergence(p, q), torch.from_numpy(by_scipy))


def test_js_agrees_with_scipy(distributions):
    p, q = distributions(6, 5)
    root = scipy.spatial.distance.jensenshannon(p.numpy(), q.numpy(), axis=-1)
    torch.testing.assert_close(js_divergence(p, q), torch.from_numpy(root**2))


def test_kl_is_zero_on_itself_positive_elsewhere_and_not_symmetric(distributions):
    p, q = distributions(300, 4)
    assert (kl_divergence(p, q) > 0).all()
    assert kl_divergence(p, p).equal(torch.zeros(300, dtype=p.dtype))
    assert ((kl_divergence(p, q) - kl_divergence(q, p)).abs() > 1e-3).any()


def test_js_is_symmetric_bounded_and_its_root_is_a_metric(logits):
    p, q, r = ((4 * logits(500, 3, seed=s)).softmax(-1) for s in range(3))
    torch.testing.assert_close(js_divergence(p, q), js_divergence(q, p))
    assert (js_divergence(p, q) <= math.log(2)).all() and (js_divergence(p, q) > 0).all()
    root = [js_divergence(*pair).sqrt() for pair in ((p, r), (p, q), (q, r))]
    assert (root[0] <= root[1] + root[2]).all()


def test_js_never_falls_below_zero_by_rounding(logits):
    p = logits(2000, 7).softmax(dim=-1)
    nearly = p * (1 + 1e-9 * logits(2000, 7, seed=1))
    assert (js_divergence(p, nearly / nearly.sum(-1, keepdim=True)) >= 0).all()


def test_merging_outcomes_never_tells_more(distributions):
    p, q = distributions(50, 6)

    def merged(rows):
        return rows.view(50, 3, 2).sum(dim=-1)

    for divergence in (kl_divergence, js_divergence):
        assert (divergence(merged(p), merged(q)) <= divergence(p, q)).all()


def test_supports_that_do_not_meet():
    p, q = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0]]), torch.tensor([[0, 0.5, 0.5], [0.5, 0.5, 0]])
    assert kl_divergence(p, q).tolist() == [math.inf, 0.0]
    torch.testing.assert_close(js_divergence(p, q), torch.tensor([math.log(2), 0.0]))


def test_probabilities_too_small_to_divide_by_are_no_trouble():
    p = torch.tensor([0.5, 0.5], dtype=torch.float64)
    q = torch.tensor([1e-320, 1.0], dtype=torch.float64)
    expected = 0.5 * (math.log(0.5) - math.log(1e-320)) + 0.5 * math.log(0.5)
    torch.testing.assert_close(kl_divergence(p, q).item(), expected)
    assert js_divergence(p, q).isfinite()


@BOTH
def test_gradients_are_exact(logits, divergence):
    p, q = logits(3, 5).requires_grad_(), logits(3, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: divergence(a.softmax(-1), b.softmax(-1)), (p, q))


@BOTH
def test_gradients_survive_a_softmax_that_underflows(divergence):
    scores = torch.tensor([0.0, 1.0, -1000.0], requires_grad=True)
    other = torch.tensor([0.3, 0.2, 0.1], requires_grad=True)
    divergence(scores.softmax(0), other.softmax(0)).backward()
    assert scores.grad.isfinite().all() and other.grad.isfinite().all()
    assert other.grad.any()


@BOTH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows(distributions, divergence, dtype):
    p, q = distributions(3, 4)
    found = divergence(p.to(dtype), q.to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), divergence(p, q), rtol=5e-2, atol=2e-2)


@BOTH
def test_inputs_are_left_alone(distributions, divergence):
    p, q = distributions(3, 4)
    before = p.clone(), q.clone()
    divergence(p, q)
    assert p.equal(before[0]) and q.equal(before[1])


@BOTH
@pytest.mark.usefixtures("at_the_door")
def test_bad_probabilities_are_refused(divergence, bad_probabilities):
    bad, words = bad_probabilities
    good = torch.tensor([[0.5, 0.5], [0.1, 0.9]])
    for pair in ((bad, good), (good, bad)):
        with pytest.raises(ValueError, match=words):
            divergence(*pair)


@BOTH
@pytest.mark.usefixtures("at_the_door")
def test_distributions_over_other_outcomes_are_refused(divergence, other_outcomes):
    p, q, words = other_outcomes
    with pytest.raises(ValueError, match=words):
        divergence(p, q)
