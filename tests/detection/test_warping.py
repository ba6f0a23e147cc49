"""Warping regions to one size: exact on ramps, averaged where it shrinks."""

from __future__ import annotations

import pytest
import torch

from mdcv.detection import warp_regions

RAMP = torch.arange(16.0).expand(1, 1, 12, 16) + 0.5  # each pixel's value is its center's place


def test_a_ramp_is_warped_to_the_ramp_of_its_region(device):
    boxes = [torch.tensor([[2.0, 1.0, 10.0, 9.0], [3.5, 2.0, 5.5, 8.0]], device=device)]
    warped = warp_regions(RAMP.to(device), boxes, (3, 4))
    expected = torch.tensor([[3.0, 5, 7, 9], [3.75, 4.25, 4.75, 5.25]], device=device)
    torch.testing.assert_close(warped[:, 0], expected[:, None].expand(2, 3, 4))


def test_a_region_of_its_own_size_is_cut_out():
    image = torch.rand(1, 3, 12, 16)
    warped = warp_regions(image, [torch.tensor([[4.0, 2.0, 10.0, 9.0]])], (7, 6))
    torch.testing.assert_close(warped[0], image[0, :, 2:9, 4:10])


def test_context_shows_what_lies_around():
    image = torch.rand(1, 3, 12, 16)
    # Six pixels of region in the middle of eight: a border of one.
    warped = warp_regions(image, [torch.tensor([[4.0, 2.0, 10.0, 8.0]])], 8, context=1)
    torch.testing.assert_close(warped[0], image[0, :, 1:9, 3:11])


def test_shrinking_averages_and_does_not_pick():
    stripes = (torch.arange(64) % 2).float().expand(1, 1, 64, 64)
    warped = warp_regions(stripes, [torch.tensor([[0.0, 0, 64, 64]])], 5)
    torch.testing.assert_close(warped, torch.full((1, 1, 5, 5), 0.5), rtol=0, atol=0.1)


@pytest.mark.parametrize("context", [-1, 4, "2", True, float("nan")])
def test_bad_context_is_refused(at_the_door, context):
    with pytest.raises(ValueError, match="context is"):
        warp_regions(RAMP, [torch.zeros(1, 4)], 8, context=context)
