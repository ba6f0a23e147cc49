"""Mixtures whose modes are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from mdcv.data import Mixture, grid_mixture, ring_mixture
from mdcv.seeds import generator


def peer(mixture: Mixture) -> MixtureSameFamily:
    """The same density by PyTorch."""
    centers = mixture.centers.double()
    modes = Independent(Normal(centers, torch.full_like(centers, mixture.std)), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(centers))), modes)


def test_a_ring_has_its_modes_on_a_circle_evenly():
    centers = ring_mixture(7, radius=3.0).centers
    torch.testing.assert_close(centers.norm(dim=1), torch.full((7,), 3.0))
    gaps = (centers - centers.roll(1, dims=0)).norm(dim=1)
    torch.testing.assert_close(gaps, torch.full((7,), 6 * math.sin(math.pi / 7)))
    torch.testing.assert_close(centers[0], torch.tensor([3.0, 0.0]))


def test_a_grid_is_centered_and_has_its_spacing():
    centers = grid_mixture(5, spacing=2.0).centers
    assert centers.shape == (25, 2) and len(centers.unique(dim=0)) == 25
    torch.testing.assert_close(centers.mean(dim=0), torch.zeros(2))
    assert centers[:, 0].unique().tolist() == [-4, -2, 0, 2, 4]
    assert grid_mixture(1).centers.tolist() == [[0, 0]]


SOLID = Mixture(torch.tensor([[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]]), std=0.6)


@pytest.mark.parametrize("mixture", [ring_mixture(5, std=0.4), grid_mixture(3, std=0.7), SOLID])
def test_log_density_agrees_with_torch_distributions(mixture):
    dimension = mixture.centers.shape[1]
    x = 3 * torch.randn(4, 6, dimension, generator=generator(0), dtype=torch.float64)
    torch.testing.assert_close(mixture.log_density(x), peer(mixture).log_prob(x))


def test_log_density_is_finite_far_away():
    far = ring_mixture().log_density(torch.tensor([[1e4, 0.0]], dtype=torch.float64))
    expected = -((1e4 - 2) ** 2) / (2 * 0.02**2) - math.log(8) - math.log(2 * math.pi * 0.02**2)
    torch.testing.assert_close(far, torch.tensor([expected], dtype=torch.float64))


def test_modes_are_drawn_equally_often_and_each_has_its_spread():
    mixture, n = ring_mixture(8, std=0.05), 40_000
    x = mixture.sample(n, generator=generator(1))
    mode, distance = mixture.nearest_mode(x)
    counts = torch.bincount(mode, minlength=8).double()
    assert float(((counts - n / 8) ** 2 / (n / 8)).sum()) < 30  # chi-square, 7 degrees of freedom
    # |x - c|² / σ² is chi-square with two degrees of freedom: mean 2, standard deviation 2.
    squares = (distance.double() / 0.05) ** 2
    assert abs(float(squares.mean()) - 2) < 5 * 2 / math.sqrt(n)
    torch.testing.assert_close((distance <= 0.15).double().mean().item(), 0.9889, atol=3e-3, rtol=0)


def test_one_seed_gives_one_sample_and_dtype_follows_the_centers():
    double = Mixture(torch.randn(3, 4, dtype=torch.float64), std=1)
    for mixture in (ring_mixture(), double):
        x = mixture.sample(9, generator=generator(2))
        assert x.equal(mixture.sample(9, generator=generator(2)))
        assert not x.equal(mixture.sample(9, generator=generator(3)))
        assert x.dtype == mixture.centers.dtype and x.shape == (9, mixture.centers.shape[1])


def test_samples_live_where_the_generator_lives(device):
    mixture = grid_mixture()
    x = mixture.sample(5, generator=generator(0, device))
    assert x.device.type == device
    assert mixture.log_density(x).device.type == device


def test_nearest_mode_names_the_center_a_point_came_from():
    mixture = grid_mixture(3)
    mode, distance = mixture.nearest_mode(mixture.centers.flip(0) + 0.1)
    assert mode.tolist() == list(range(8, -1, -1))
    torch.testing.assert_close(distance, torch.full((9,), 0.1 * math.sqrt(2)))


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Mixture(torch.zeros(3), 1.0), r"centers has shape \(3,\); expected \(K, D\)"),
        (lambda: Mixture(torch.zeros(0, 2), 1.0), "expected a mode"),
        (lambda: Mixture(torch.zeros(2, 2), 0.0), "std is 0.0"),
        (lambda: Mixture(torch.zeros(2, 2), math.nan), "std is nan"),
        (lambda: ring_mixture(0), "modes is 0"),
        (lambda: grid_mixture(2.5), "side is 2.5"),
        (lambda: ring_mixture().sample(0), "n is 0"),
        (lambda: ring_mixture().log_density(torch.zeros(4, 3)), r"\(4, 3\); the last axis"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
