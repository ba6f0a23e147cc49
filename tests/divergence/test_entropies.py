"""Entropy and cross-entropy of categorical distributions."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from torch.distributions import Categorical

from mdcv.divergence import cross_entropy, entropy


def test_known_entropies(device):
    p = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0], [0, 1, 0, 0]], device=device)
    expected = torch.tensor([math.log(4), math.log(2), 0.0], device=device)
    torch.testing.assert_close(entropy(p), expected)


def test_known_cross_entropy(device):
    p, q = torch.tensor([0.5, 0.5], device=device), torch.tensor([0.25, 0.75], device=device)
    expected = torch.tensor(math.log(16 / 3) / 2, device=device)
    torch.testing.assert_close(cross_entropy(p, q), expected)


def test_agrees_with_scipy_and_torch_distributions(distributions):
    p, q = distributions(2, 3, 7)
    expected = torch.from_numpy(scipy.stats.entropy(p.numpy(), axis=-1))
    torch.testing.assert_close(entropy(p), expected)
    torch.testing.assert_close(entropy(p), Categorical(p).entropy())
    relative = torch.distributions.kl_divergence(Categorical(p), Categorical(q))
    torch.testing.assert_close(cross_entropy(p, q), expected + relative)


def test_agrees_with_the_loss_of_a_classifier(distributions):
    p, q = distributions(5, 8)
    expected = torch.nn.functional.cross_entropy(q.log(), p, reduction="none")
    torch.testing.assert_close(cross_entropy(p, q), expected)


def test_independent_sources_add_up(distributions):
    p, q = distributions(4, 6)
    both = (p[:, :, None] * q[:, None, :]).flatten(1)
    torch.testing.assert_close(entropy(both), entropy(p) + entropy(q))


def test_no_belief_surprises_less_than_the_truth(distributions):
    p, q = distributions(200, 5)
    assert (cross_entropy(p, q) > entropy(p)).all()
    torch.testing.assert_close(cross_entropy(p, p), entropy(p))


def test_what_is_ruled_out_is_infinitely_surprising_and_what_never_happens_is_not():
    p = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    q = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    torch.testing.assert_close(cross_entropy(p, q), torch.tensor([math.log(2), torch.inf]))


def test_probabilities_too_small_to_divide_by_are_no_trouble():
    tiny = 1e-310  # a denormal number: 1 / tiny overflows
    p = torch.tensor([1.0, 0.0], dtype=torch.float64)
    q = torch.tensor([tiny, 1.0], dtype=torch.float64)
    expected = torch.tensor(-math.log(tiny), dtype=torch.float64)
    torch.testing.assert_close(cross_entropy(p, q), expected)


def test_gradients_are_exact(logits):
    def of_softmax(function):
        return lambda *scores: function(*(s.softmax(dim=-1) for s in scores))

    p, q = logits(3, 5).requires_grad_(), logits(3, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(of_softmax(entropy), (p,))
    assert torch.autograd.gradcheck(of_softmax(cross_entropy), (p, q))


def test_gradient_of_cross_entropy_with_certain_labels_is_minus_log_q_and_minus_one_over_q():
    p = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64, requires_grad=True)
    cross_entropy(p, q).backward()
    torch.testing.assert_close(p.grad, -q.detach().log())
    torch.testing.assert_close(q.grad, torch.tensor([0, -1 / 0.3, 0], dtype=torch.float64))


def test_gradients_survive_a_softmax_that_underflows():
    scores = torch.tensor([0.0, 1.0, -1000.0], requires_grad=True)
    p, q = scores.softmax(dim=0), (2 * scores).softmax(dim=0)
    assert p[2] == 0 and q[2] == 0
    (entropy(p) + cross_entropy(p, q)).backward()
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows(distributions, dtype):
    p, q = (value.to(dtype) for value in distributions(3, 4))
    assert entropy(p).dtype == cross_entropy(p, q).dtype == dtype
    wide = cross_entropy(*(rows.double() / rows.double().sum(-1, True) for rows in (p, q)))
    torch.testing.assert_close(cross_entropy(p, q).double(), wide, rtol=2e-2, atol=0)


def test_inputs_are_left_alone_and_layout_does_not_matter(distributions):
    p, q = distributions(7, 5)
    before = p.clone(), q.clone()
    turned = cross_entropy(p.T.contiguous().T, q.repeat_interleave(2, 0)[::2])
    torch.testing.assert_close(turned, cross_entropy(p, q))
    assert p.equal(before[0]) and q.equal(before[1])


@pytest.mark.usefixtures("at_the_door")
def test_bad_probabilities_are_refused(bad_probabilities):
    bad, words = bad_probabilities
    good = torch.tensor([[0.5, 0.5], [0.1, 0.9]])
    with pytest.raises(ValueError, match=words):
        entropy(bad)
    for pair in ((bad, good), (good, bad)):
        with pytest.raises(ValueError, match=words):
            cross_entropy(*pair)


@pytest.mark.usefixtures("at_the_door")
def test_distributions_over_other_outcomes_are_refused(other_outcomes):
    p, q, words = other_outcomes
    with pytest.raises(ValueError, match=words):
        cross_entropy(p, q)


def test_rows_that_are_off_by_rounding_are_taken_as_they_are():
    p = torch.tensor([0.5, 0.50008])
    torch.testing.assert_close(entropy(p), -(p * p.log()).sum())
