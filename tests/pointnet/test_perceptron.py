import pytest
import torch
from torch import nn

from mdcv.pointnet.perceptron import BLOCK, PointMLP, by_blocks
from mdcv.seeds import generator


def test_a_known_answer():
    mlp = PointMLP([2, 1, 1], norm=False, linear_end=True)
    with torch.no_grad():
        mlp.layers[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
        mlp.layers[0].bias.fill_(0.5)
        mlp.layers[2].weight.fill_(2.0)
        mlp.layers[2].bias.fill_(-3.0)
    rows = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    assert mlp(rows).tolist() == [[[0.0], [-3.0]]]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, [nn.Linear, nn.BatchNorm1d, nn.ReLU] * 2),
        ({"norm": False}, [nn.Linear, nn.ReLU] * 2),
        ({"linear_end": True}, [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear]),
        ({"norm": False, "linear_end": True}, [nn.Linear, nn.ReLU, nn.Linear]),
    ],
)
def test_layers_stand_in_order(options, kinds):
    assert [type(layer) for layer in PointMLP([3, 4, 5], **options).layers] == kinds


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_in_eval_mode_a_row_does_not_feel_its_company(device, cloud, settled, dtype):
    mlp = settled(PointMLP([3, 64, 100], rng=generator(0))).to(device, dtype)
    rows = cloud(1000, 3, dtype=dtype).to(device)
    together = mlp(rows)
    for n in (1, 2, 3, 8, 17, BLOCK, BLOCK + 1, 333):
        chosen = torch.randperm(1000, generator=generator(n))[:n].to(device)
        assert mlp(rows[chosen]).equal(together[chosen]), n


def test_training_normalizes_over_all_rows(cloud):
    mlp = PointMLP([3, 7], rng=generator(1))
    rows = cloud(4, 50, 3)
    z = mlp.layers[0](rows)
    z = (z - z.mean(dim=(0, 1))) / (z.var(dim=(0, 1), correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(mlp(rows), z.relu())


def test_eval_mode_agrees_with_plain_layers(cloud, settled):
    mlp = settled(PointMLP([3, 16, 8]))
    rows = cloud(2, 3, 5, 3)
    torch.testing.assert_close(mlp(rows), mlp.layers(rows.view(-1, 3)).view(2, 3, 5, 8))


def test_gradients_flow_in_eval_mode(cloud, settled):
    mlp = settled(PointMLP([3, 5, 4])).double()
    rows = cloud(70, 3, dtype=torch.float64).requires_grad_()
    torch.autograd.gradcheck(mlp, rows[:4])
    (slope,) = torch.autograd.grad(mlp(rows).sum(), rows)
    (expected,) = torch.autograd.grad(mlp.layers(rows).sum(), rows)
    torch.testing.assert_close(slope, expected)


def test_no_rows_give_no_rows(settled):
    mlp = settled(PointMLP([3, 5]))
    assert mlp(torch.zeros(0, 3)).shape == (0, 5)
    assert mlp(torch.zeros(2, 0, 3)).shape == (2, 0, 5)


def test_blocks_are_all_of_one_size():
    seen = []
    by_blocks(lambda rows: seen.append(len(rows)) or rows, torch.zeros(2 * BLOCK + 1, 1))
    assert seen == [BLOCK] * 3


def test_the_generator_decides_the_weights():
    one, two, other = (PointMLP([3, 4], rng=generator(s)).layers[0].weight for s in (5, 5, 6))
    assert one.equal(two) and not one.equal(other)


def test_weights_have_the_spread_of_plain_linear_layers():
    weight = PointMLP([100, 400], rng=generator(0)).layers[0].weight
    torch.testing.assert_close(weight.std(), torch.tensor(0.1 / 3**0.5), rtol=0.02, atol=0.0)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("sizes", [[3], [3, 0], [3.0, 4]])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="sizes is"):
        PointMLP(sizes)
