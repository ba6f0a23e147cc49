"""The masks of causal convolutions."""

from __future__ import annotations

import pytest
import torch
from worlds import earlier

from mdcv.autoregressive import MaskedConv2d, causal_mask, color_of_channels, dependence
from mdcv.seeds import generator

ONE = torch.zeros(1, dtype=torch.long)
RGB = torch.arange(3)


def test_kind_a_leaves_out_the_center_and_kind_b_keeps_it():
    above_and_left = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
    assert torch.equal(causal_mask((3, 3), "A", ONE, ONE)[0, 0], above_and_left)
    above_and_left[1, 1] = 1
    assert torch.equal(causal_mask((3, 3), "B", ONE, ONE)[0, 0], above_and_left)


def test_a_kernel_of_one_row_sees_the_left_only():
    mask = causal_mask((1, 5), "A", ONE, ONE)
    assert torch.equal(mask.flatten(), torch.tensor([1.0, 1, 0, 0, 0]))


def test_at_its_own_pixel_a_color_sees_those_before_it():
    """Red sees nothing of its pixel, green sees red, blue sees both; rows are outputs."""
    a, b = (causal_mask((3, 3), kind, RGB, RGB) for kind in ("A", "B"))
    assert torch.equal(a[:, :, 1, 1], torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]]))
    assert torch.equal(b[:, :, 1, 1], torch.tensor([[1.0, 0, 0], [1, 1, 0], [1, 1, 1]]))
    assert bool((a[:, :, 0] == 1).all()) and bool((a[:, :, 2] == 0).all())
    assert bool((a[:, :, 1, 0] == 1).all()) and bool((a[:, :, 1, 2] == 0).all())


def test_halves_of_the_output_are_each_ordered_by_color():
    assert color_of_channels(12, 3, parts=2).tolist() == [0, 0, 1, 1, 2, 2] * 2
    layer = MaskedConv2d(3, 6, 1, kind="A", colors=3, parts=2)
    red, green = layer.mask[[0, 3], :, 0, 0], layer.mask[[1, 4], :, 0, 0]
    assert not red.any()
    assert torch.equal(green, torch.tensor([[1.0, 0, 0]] * 2))


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_layer_wide_enough_sees_exactly_what_comes_before(kind, colors):
    torch.manual_seed(0)
    layer = MaskedConv2d(colors, colors, 7, kind=kind, colors=colors).double()
    images = torch.rand(1, colors, 3, 4, dtype=torch.float64, generator=generator(1))
    n = 12 * colors
    own = torch.eye(n, dtype=torch.bool) & (kind == "B")
    assert torch.equal(dependence(layer, images), earlier(n) | own)


def test_masked_weights_do_not_grow_back_in_training():
    torch.manual_seed(0)
    layer = MaskedConv2d(1, 1, 3, kind="A").double()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, weight_decay=0.1)
    x = torch.rand(4, 1, 5, 5, dtype=torch.float64, generator=generator(2))
    for _ in range(3):
        optimizer.zero_grad()
        (layer(x) - x).square().mean().backward()
        assert not (layer.weight.grad * (1 - layer.mask)).any()
        optimizer.step()
    assert not (dependence(layer, x) & ~earlier(25)).any()


def test_agrees_with_a_convolution_whose_weights_are_zero_ahead(device):
    torch.manual_seed(0)
    layer = MaskedConv2d(2, 3, (3, 5), kind="B").to(device)
    x = torch.rand(2, 2, 6, 7, generator=generator(3)).to(device)
    weight = layer.weight.detach().clone()
    weight[:, :, 2] = 0
    weight[:, :, 1, 3:] = 0
    expected = torch.nn.functional.conv2d(x, weight, layer.bias, padding=(1, 2))
    torch.testing.assert_close(layer(x), expected)


def test_the_mask_is_no_part_of_the_saved_weights():
    assert set(MaskedConv2d(1, 1, 3, kind="A").state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: MaskedConv2d(1, 1, 3, kind="C"), "kind is 'C'; expected one of 'A', 'B'"),
        (lambda: MaskedConv2d(1, 1, 4, kind="A"), r"kernel_size is \(4, 4\); expected two odd"),
        (lambda: MaskedConv2d(3, 4, 3, kind="A", colors=3), "channels is 4; expected a multiple"),
        (lambda: MaskedConv2d(1, 3, 3, kind="A", parts=2), "channels is 3; .* multiple of 2"),
        (lambda: MaskedConv2d(1, 1, 3, kind="A", colors=0), "colors is 0"),
    ],
)
@pytest.mark.usefixtures("at_the_door")
def test_bad_options_are_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()
