"""Counting modes."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import grid_mixture, ring_mixture
from mdcv.gan import mode_coverage
from mdcv.seeds import generator


def test_the_truth_finds_every_mode_and_has_nearly_all_quality(device):
    truth = ring_mixture(8)
    found = mode_coverage(truth.sample(4000, generator=generator(0, device)), truth)
    assert found.modes == 8 and found.counts.sum() == round(found.high_quality * 4000)
    assert found.high_quality == pytest.approx(0.9889, abs=0.01)


def test_collapse_and_smear_fail_in_different_ways():
    truth = grid_mixture(5)
    one = truth.centers[:1] + 0.05 * torch.randn(500, 2, generator=generator(1))
    collapsed = mode_coverage(one, truth)
    assert collapsed.modes == 1 and collapsed.high_quality > 0.97
    everywhere = 10 * torch.rand(20_000, 2, generator=generator(2)) - 5
    smeared = mode_coverage(everywhere, truth)
    assert smeared.modes == 25 and smeared.high_quality < 0.03


def test_the_border_counts_and_beyond_it_does_not():
    truth = ring_mixture(1, radius=0.0, std=1.0)
    at = torch.tensor([[3.0, 0.0], [0.0, -3.001]])
    assert mode_coverage(at, truth).counts.tolist() == [1]
    assert mode_coverage(at, truth, within=4).counts.tolist() == [2]
    assert mode_coverage(at, truth, at_least=2).modes == 0


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("samples", "options", "words"),
    [
        (torch.zeros(4, 3), {}, r"expected \(N, 2\)"),
        (torch.zeros(0, 2), {}, "N >= 1"),
        (torch.full((4, 2), torch.nan), {}, "NaN"),
        (torch.zeros(4, 2), {"within": -1.0}, "within is -1.0"),
        (torch.zeros(4, 2), {"at_least": 0}, "at_least is 0"),
    ],
)
def test_bad_input_is_refused(samples, options, words):
    with pytest.raises(ValueError, match=words):
        mode_coverage(samples, ring_mixture(), **options)
