"""The comparison of the three games, at a size that only shows that it runs."""

from __future__ import annotations

import math

import pytest

from mdcv.gan import compare_on_mixture
from mdcv.gan.comparison import comparison_preset


@pytest.fixture(scope="module")
def rows():
    return compare_on_mixture("smoke", seeds=[3, 5])


def test_there_is_a_row_per_model_and_seed(rows):
    models = ["data", "GAN", "WGAN", "WGAN-GP"]
    assert [(row.model, row.seed) for row in rows] == [(m, s) for m in models for s in (3, 5)]


def test_data_is_the_yardstick_and_untrained_generators_fall_short(rows):
    data, others = rows[:2], rows[2:]
    for row in data:
        assert row.modes == 8 and row.high_quality > 0.9 and 0 < row.transport < 1
    for row in others:
        assert math.isfinite(row.transport) and row.transport > max(d.transport for d in data)


def test_a_run_can_be_repeated_and_models_differ(rows):
    again = compare_on_mixture("smoke", seeds=[5])
    assert again == [row for row in rows if row.seed == 5]
    assert len({row.transport for row in again}) == 4


def test_it_runs_where_it_is_told_to(device):
    rows = compare_on_mixture("smoke", seeds=[0], device=device)
    assert len(rows) == 4


def test_every_model_makes_the_same_number_of_moves():
    for name in ("smoke", "cpu", "gpu"):
        preset = comparison_preset(name)
        for rules in preset.games.values():
            assert preset.moves % (rules.opponent_steps + 1) == 0


@pytest.mark.usefixtures("at_the_door")
def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="preset is 'tpu'"):
        compare_on_mixture("tpu")
