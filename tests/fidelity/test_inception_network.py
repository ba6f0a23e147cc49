"""The network behind FID, with random weights saved in the layout of the standard file."""

from __future__ import annotations

import pytest
import torch

from mdcv.fidelity import InceptionNetwork, load_inception
from mdcv.fidelity.inception_blocks import BasicConv2d, InceptionA, InceptionE, average
from mdcv.seeds import generator

#: Some entries of the standard file, written down from it and not from our network.
LAYOUT = {
    "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
    "Conv2d_1a_3x3.bn.weight": (32,),
    "Conv2d_2b_3x3.bn.running_mean": (64,),
    "Conv2d_3b_1x1.conv.weight": (80, 64, 1, 1),
    "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3),
    "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
    "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
    "Mixed_5d.branch3x3dbl_3.bn.bias": (96,),
    "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
    "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
    "Mixed_6c.branch7x7dbl_4.conv.weight": (160, 160, 7, 1),
    "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
    "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
    "Mixed_7b.branch3x3_2a.conv.weight": (384, 384, 1, 3),
    "Mixed_7b.branch1x1.conv.weight": (320, 1280, 1, 1),
    "Mixed_7c.branch3x3dbl_1.conv.weight": (448, 2048, 1, 1),
    "Mixed_7c.branch3x3dbl_3b.bn.running_var": (384,),
    "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1),
    "fc.weight": (1008, 2048),
    "fc.bias": (1008,),
}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Random weights, scaled so that features neither vanish nor explode; no batch counters."""
    draw = generator(0)
    found = {}
    for name, like in InceptionNetwork().state_dict().items():
        if name.endswith("running_var"):
            found[name] = 1 + torch.rand(like.shape, generator=draw)
        elif name.endswith("conv.weight"):
            scale = (2 / like[0].numel()) ** 0.5
            found[name] = scale * torch.randn(like.shape, generator=draw)
        elif not name.endswith("num_batches_tracked"):
            found[name] = 0.1 * torch.randn(like.shape, generator=draw) + name.endswith("bn.weight")
    return found


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(state, file)
    return file


def test_names_and_shapes_are_those_of_the_standard_file():
    with torch.device("meta"):
        state = InceptionNetwork().state_dict()
    assert {name: tuple(state[name].shape) for name in LAYOUT} == LAYOUT
    convolutions = [name for name in state if name.endswith("conv.weight")]
    assert len(convolutions) == 94
    trained = [n for n in state if not n.endswith("num_batches_tracked")]
    assert len(trained) == 5 * 94 + 2
    weights = [n for n in trained if "running" not in n]
    # What is known of Inception-v3 with 1000 classes and without its auxiliary head: 23,834,568.
    assert sum(state[n].numel() for n in weights) == 23_834_568 + 8 * 2049


def test_weights_from_a_file_give_2048_features_without_gradients(path, state):
    network = load_inception(path)
    images = torch.rand(2, 3, 40, 56, generator=generator(1))
    features = network(images)
    assert features.shape == (2, 2048) and features.isfinite().all() and features.std() > 1e-3
    assert not network.training and not features.requires_grad
    assert torch.equal(
        network.Mixed_7c.branch_pool.conv.weight, state["Mixed_7c.branch_pool.conv.weight"]
    )
    torch.testing.assert_close(network(images[1:])[0], features[1], rtol=1e-4, atol=1e-5)


def test_counters_in_a_newer_file_are_no_obstacle(state, tmp_path):
    counters = {n: torch.tensor(5) for n in InceptionNetwork().state_dict() if "num_batches" in n}
    torch.save({**state, **counters}, tmp_path / "new.pth")
    load_inception(tmp_path / "new.pth")


def test_images_are_resized_and_scaled_as_the_convention_says(path):
    network = load_inception(path)
    seen = []
    network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.rand(1, 3, 20, 30, generator=generator(2))
    network(images)
    resized = torch.nn.functional.interpolate(images, (299, 299), mode="bilinear")
    torch.testing.assert_close(seen[0], 2 * resized - 1)


def test_average_pooling_does_not_count_the_border():
    assert torch.equal(average(torch.ones(1, 2, 4, 5)), torch.ones(1, 2, 4, 5))


def test_the_last_block_takes_a_maximum_and_the_one_before_it_a_mean():
    with torch.device("meta"):
        network = InceptionNetwork()
    assert network.Mixed_7c.max_pool and not network.Mixed_7b.max_pool
    torch.manual_seed(0)
    block = InceptionE(4).eval()
    x = torch.rand(1, 4, 5, 5)
    mean = block(x)
    block.max_pool = True
    changed = (block(x) != mean).any(dim=(0, 2, 3))
    assert not changed[:-192].any() and changed[-192:].any()


def test_a_block_puts_its_branches_in_order():
    torch.manual_seed(0)
    block = InceptionA(8, 32).eval()
    x = torch.rand(1, 8, 6, 6)
    out = block(x)
    assert out.shape == (1, 64 + 64 + 96 + 32, 6, 6)
    torch.testing.assert_close(out[:, :64], block.branch1x1(x))
    torch.testing.assert_close(out[:, -32:], block.branch_pool(average(x)))


def test_a_unit_is_convolution_normalization_and_relu():
    unit = BasicConv2d(2, 3, 3, padding=1).eval()
    x = torch.randn(1, 2, 4, 4, generator=generator(3))
    expected = (unit.conv(x) / (1 + 0.001) ** 0.5).relu()
    torch.testing.assert_close(unit(x), expected)


def test_files_of_another_layout_are_refused(state, tmp_path):
    file = tmp_path / "other.pth"
    short = {k: v for k, v in state.items() if not k.startswith("fc")}
    for wrong, words in [
        (short, r"2 weights too few \(fc.bias, fc.weight\) and 0 too many \(none\)"),
        ({**state, "AuxLogits.fc.bias": torch.zeros(9)}, r"1 too many \(AuxLogits.fc.bias\)"),
        ({**state, "fc.bias": torch.zeros(1000)}, r"fc.bias has shape \(1000,\); expected \(1008"),
        ({"state_dict": state}, "holds no state dict; expected tensors by name"),
        ([torch.zeros(2)], "holds no state dict"),
    ]:
        torch.save(wrong, file)
        with pytest.raises(ValueError, match=words):
            load_inception(file)
    file.write_bytes(b"not a file of weights")
    with pytest.raises(ValueError, match="cannot be read as a state dict"):
        load_inception(file)
    with pytest.raises(FileNotFoundError, match="expected a file of Inception weights"):
        load_inception(tmp_path / "nothing.pth")


@pytest.mark.usefixtures("at_the_door")
def test_images_outside_the_convention_are_refused():
    with torch.device("meta"):
        network = InceptionNetwork()
    x = torch.rand(1, 3, 8, 8)
    for wrong, words in [
        (x[:, :1], "axis C should be 3, not 1: repeat a gray image"),
        (x[0], r"images has shape \(3, 8, 8\)"),
        (2 * x - 1, r"images reach from -.* expected \[0, 1\]"),
        (255 * x, "images reach from"),
        ((255 * x).byte(), "images has dtype torch.uint8"),
        (x * torch.nan, "images reach from nan"),
    ]:
        with pytest.raises(ValueError, match=words):
            network(wrong)
