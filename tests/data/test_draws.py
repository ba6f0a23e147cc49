"""The draws that samplers are made of."""

from __future__ import annotations

import math

import torch

from mdcv.data.draws import choose, directions, drawn_once, mirrored, uniform
from mdcv.seeds import generator


def test_choice_is_in_proportion_to_the_areas():
    areas, n = [0.5, 0.0, 3.0, 1.5], 20_000
    counts = torch.bincount(choose(areas, n, generator(0)), minlength=4).double()
    expected = n * torch.tensor(areas).double() / sum(areas)
    assert counts[1] == 0
    chi_square = float(((counts - expected) ** 2 / expected.clamp(min=1)).sum())
    assert chi_square < 25  # two degrees of freedom


def test_mirroring_turns_a_uniform_density_into_a_tilted_one():
    slope, n = 0.7, 40_000
    up = uniform(n, generator(1))
    up = torch.where(mirrored(slope * (2 * up - 1), generator(2)), 1 - up, up)
    # Density 1 + slope (2t - 1) on [0, 1]: mean 1/2 + slope/6, second moment 1/3 + slope/6.
    for power, expected in ((1, 1 / 2 + slope / 6), (2, 1 / 3 + slope / 6)):
        draws = up**power
        assert abs(float((draws.mean() - expected) / draws.std())) * math.sqrt(n) < 5


def test_directions_have_length_one_and_no_preference():
    rays = directions(20_000, generator(3))
    torch.testing.assert_close(rays.norm(dim=1), torch.ones(20_000).double())
    second_moments = rays.T @ rays / len(rays)
    torch.testing.assert_close(second_moments, torch.eye(3).double() / 3, atol=0.012, rtol=0)


def test_one_seed_gives_one_sequence():
    assert uniform(5, generator(4)).equal(uniform(5, generator(4)))
    assert not uniform(5, generator(4)).equal(uniform(5, generator(5)))


def test_the_same_draw_from_the_same_state_is_made_once():
    made = []

    def draw(what, seed, size=3):
        source = generator(seed)

        def anew():
            made.append(what)
            return (uniform(size, source),)

        (numbers,) = drawn_once((what, size), source, anew)
        return numbers.tolist(), uniform(1, source).item()

    assert draw("these", 6) == draw("these", 6)
    assert made == ["these"]
    assert draw("these", 7) != draw("these", 6) and draw("others", 6) == draw("these", 6)
    assert made == ["these", "these", "others"]
    assert draw("many", 6, size=100_000) == draw("many", 6, size=100_000)
    assert made[3:] == ["many", "many"]  # too large to be kept
    for seed in range(10, 50):
        draw("these", seed)
    draw("these", 6)
    assert len(made) == 5 + 40 + 1  # pushed out by later ones


def test_without_a_generator_every_draw_is_a_new_one():
    draws = [drawn_once("these", None, lambda: (uniform(3, None),))[0].tolist() for _ in range(2)]
    assert draws[0] != draws[1]
