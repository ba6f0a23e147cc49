"""The losses of the original game."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.integrate import quad
from torch.nn.functional import binary_cross_entropy_with_logits

from mdcv.data import ring_mixture
from mdcv.gan import discriminator_loss, generator_loss, optimal_discriminator
from mdcv.seeds import generator


def logits(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return 3 * torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def test_known_values_by_hand():
    real, fake = torch.tensor([0.8, 0.5]).logit(), torch.tensor([0.25]).logit()
    expected = -(math.log(0.8) + math.log(0.5)) / 2 - math.log(0.75)
    torch.testing.assert_close(discriminator_loss(real, fake), torch.tensor(expected))
    torch.testing.assert_close(generator_loss(fake), torch.tensor(-math.log(0.25)))
    torch.testing.assert_close(generator_loss(fake, saturating=True), torch.tensor(math.log(0.75)))


def test_agrees_with_binary_cross_entropy(device):
    real, fake = logits(7, 1).to(device), logits(11, 1, seed=1).to(device)
    cross_entropy = binary_cross_entropy_with_logits
    expected = cross_entropy(real, torch.ones_like(real)) + cross_entropy(
        fake, torch.zeros_like(fake)
    )
    torch.testing.assert_close(discriminator_loss(real, fake), expected)
    torch.testing.assert_close(generator_loss(fake), cross_entropy(fake, torch.ones_like(fake)))
    saturating = -cross_entropy(fake, torch.zeros_like(fake))
    torch.testing.assert_close(generator_loss(fake, saturating=True), saturating)


@pytest.mark.parametrize("size", [25.0, 40.0, 1e4])
def test_extreme_logits_lose_no_digit(size):
    wrong, right = torch.tensor([-size] * 2).double(), torch.tensor([size] * 2).double()
    tail = math.log1p(math.exp(-size))  # 1.4e-11 at 25: a soft threshold at 20 would give 0
    for value, expected in (
        (discriminator_loss(wrong, right), 2 * (size + tail)),
        (discriminator_loss(right, wrong), 2 * tail),
        (generator_loss(wrong), size + tail),
        (generator_loss(right), tail),
        (generator_loss(wrong, saturating=True), -tail),
        (generator_loss(right, saturating=True), -size - tail),
    ):
        torch.testing.assert_close(value.item(), expected, rtol=1e-12, atol=0)


def test_slopes_are_those_of_the_formulas():
    a = logits(9).requires_grad_()
    d = a.detach().sigmoid()
    (non_saturating,) = torch.autograd.grad(generator_loss(a), a)
    (saturating,) = torch.autograd.grad(generator_loss(a, saturating=True), a)
    torch.testing.assert_close(non_saturating, -(1 - d) / 9)
    torch.testing.assert_close(saturating, -d / 9)
    assert torch.autograd.gradcheck(discriminator_loss, (a, logits(4, seed=1).requires_grad_()))


def test_slopes_stay_finite_at_extreme_logits():
    a = torch.tensor([-1e4, 1e4], dtype=torch.float64, requires_grad=True)
    for value in (
        discriminator_loss(a, a),
        generator_loss(a),
        generator_loss(a, saturating=True),
    ):
        (slope,) = torch.autograd.grad(value, a)
        assert slope.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows(dtype):
    real, fake = logits(5, dtype=dtype), logits(3, seed=1, dtype=dtype)
    assert discriminator_loss(real, fake).dtype == dtype
    assert generator_loss(fake).dtype == dtype


def test_the_best_discriminator_earns_log_four_less_two_jensen_shannon():
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    best = optimal_discriminator(p.log(), q.log())
    torch.testing.assert_close(best, p / (p + q))
    value = (p * best.log() + q * (1 - best).log()).sum()
    middle = (p + q) / 2
    js = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    torch.testing.assert_close(value, 2 * js - math.log(4))
    for change in (-0.05, 0.05):
        other = (best + change).clamp(1e-9, 1 - 1e-9)
        assert (p * other.log() + q * (1 - other).log()).sum() < value


def test_the_best_discriminator_of_two_densities_agrees_with_quadrature():
    real, fake = (
        torch.distributions.Normal(torch.tensor(m).double(), s) for m, s in ((0.0, 1.0), (1.5, 0.5))
    )

    def value(x: float) -> float:
        at = torch.tensor(x, dtype=torch.float64)
        log_p, log_q = real.log_prob(at), fake.log_prob(at)
        says_real, says_fake = (optimal_discriminator(*o) for o in ((log_p, log_q), (log_q, log_p)))
        return float(log_p.exp() * says_real.log() + log_q.exp() * says_fake.log())

    def two_js(x: float) -> float:
        at = torch.tensor(x, dtype=torch.float64)
        log_p, log_q = real.log_prob(at), fake.log_prob(at)
        log_m = torch.logaddexp(log_p, log_q) - math.log(2)
        return float(log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m))

    left, right = quad(value, -8, 8)[0], quad(two_js, -8, 8)[0] - math.log(4)
    assert left == pytest.approx(right, abs=1e-6)


def test_the_best_discriminator_is_sure_where_only_one_has_mass():
    log_p, log_q = torch.tensor([0.0, -torch.inf, -2e4]), torch.tensor([-torch.inf, 0.0, -1e4])
    assert optimal_discriminator(log_p, log_q).tolist() == [1, 0, 0]
    nowhere = torch.tensor([-torch.inf])
    assert optimal_discriminator(nowhere, nowhere).isnan().all()
    near, ring = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), ring_mixture(std=0.1)
    broad = ring_mixture(1, radius=0.0, std=1.0)
    d = optimal_discriminator(ring.log_density(near), broad.log_density(near))
    assert d[0] > 0.9 and d[1] < 1e-6


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: discriminator_loss([0.0], torch.zeros(1)), "real_logits is list"),
        (lambda: discriminator_loss(torch.zeros(2), torch.zeros(0)), "fake_logits has shape"),
        (lambda: discriminator_loss(torch.zeros(2), torch.zeros(2).double()), "float64"),
        (lambda: generator_loss(torch.zeros(2).long()), "fake_logits is torch.int64"),
        (lambda: generator_loss(torch.zeros(0)), "at least one value"),
        (lambda: generator_loss(torch.zeros(2), saturating="no"), "saturating is 'no'"),
        (lambda: optimal_discriminator(torch.zeros(2), torch.zeros(3)), r"\(3,\); expected \(2,\)"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
