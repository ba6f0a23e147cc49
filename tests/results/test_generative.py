"""The generative table: every model measured, seeded, and comparable line by line."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.results import GENERATIVE, adversaries, densities, reproduce_generative, summarize
from mdcv.results.expectation import read


@pytest.fixture(scope="module")
def smoke():
    return reproduce_generative("smoke", seeds=[0, 1], progress=False)


def test_every_expectation_finds_its_lines(smoke):
    lines = summarize(smoke)
    assert all(math.isfinite(read(expected, lines).left) for expected in GENERATIVE)


def test_every_model_has_a_number_for_each_seed(smoke):
    trained = [row for row in smoke if row.model not in ("data", "held-out data")]
    assert {row.model for row in trained} == {"VAE", "PixelCNN", "GAN", "WGAN", "WGAN-GP"}
    for line in summarize(trained):
        assert line.seeds == 2, line


def test_a_seed_gives_the_same_numbers_again_and_another_seed_others():
    how = {"device": "cpu", "progress": False}
    first, again = (list(densities.measure_densities("smoke", [3], **how)) for _ in range(2))
    other = list(densities.measure_densities("smoke", [4], **how))
    assert first == again
    assert all(a.value != b.value for a, b in zip(first, other, strict=True))


def test_the_tighter_bound_is_never_the_longer_code(smoke):
    values = {(row.measure, row.seed): row.value for row in smoke if row.model == "VAE"}
    for seed in (0, 1):
        assert values[densities.IWAE, seed] <= values[densities.ELBO, seed]


def test_untrained_coins_cost_one_bit_a_pixel():
    # A model that has not learned knows nothing about a black or white pixel.
    rows = list(densities.measure_densities("smoke", [0], device="cpu", progress=False))
    assert all(0.5 < row.value < 1.5 for row in rows)


def test_generated_digits_are_pixels():
    made = adversaries.DigitGenerator(4, 64, width=8, depth=1).sample(5)
    assert made.shape == (5, 64)
    assert bool(((made > 0) & (made < 1)).all())


def test_real_images_score_better_than_noise(smoke):
    lines = {(line.model, line.measure): line.mean for line in summarize(smoke)}
    assert lines["held-out data", "FID"] < lines["GAN", "FID"]
    assert lines["data", adversaries.TRANSPORT] < lines["GAN", adversaries.TRANSPORT]


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    reproduce_generative("smoke", seeds=[0], progress=False)
    assert torch.rand(3).equal(expected)


@pytest.mark.parametrize(("preset", "seeds"), [("large", [0]), ("smoke", [])])
def test_an_unknown_preset_and_no_seed_are_refused(preset, seeds):
    with pytest.raises(ValueError, match="expected"):
        reproduce_generative(preset, seeds=seeds, progress=False)
