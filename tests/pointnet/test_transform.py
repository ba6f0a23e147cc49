import pytest
import torch

from mdcv.pointnet import PointMLP, TNet, orthogonality_penalty
from mdcv.pointnet.transform import transform_points
from mdcv.seeds import generator


@pytest.mark.parametrize("k", [1, 3, 64])
def test_the_identity_at_the_start(device, cloud, k):
    net = TNet(k, rng=generator(0)).to(device)
    eye = torch.eye(k, device=device).expand(4, k, k)
    points = cloud(4, 10, k).to(device)
    for mode in (True, False):
        assert net.train(mode)(points).equal(eye)


def test_one_step_of_training_leaves_the_identity(cloud):
    net = TNet(3, rng=generator(0))
    net(cloud(2, 10, 3))[0, 0, 1].backward()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter -= 0.1 * parameter.grad
    assert (net(cloud(2, 10, 3))[0] - torch.eye(3)).abs().max() > 1e-3


def test_the_matrix_depends_on_the_cloud_and_not_on_its_order(cloud, settled):
    net = settled(TNet(3))
    points = cloud(2, 40, 3)
    matrix = net(points)
    assert matrix.equal(net(points.flip(1)))
    assert not matrix[0].allclose(matrix[1])


def test_the_bias_is_the_identity_not_a_constant(cloud, settled):
    net = settled(TNet(3))
    pooled = net.h(cloud(2, 40, 3)).amax(dim=1)
    plain = net.gamma(pooled).view(2, 3, 3)
    torch.testing.assert_close(net(cloud(2, 40, 3)) - plain, torch.eye(3).expand(2, 3, 3))


def test_rows_are_multiplied_from_the_right(cloud):
    points, matrix = cloud(2, 70, 3, dtype=torch.float64), cloud(2, 3, 3, dtype=torch.float64)
    expected = torch.einsum("bni,bij->bnj", points, matrix)
    for exact in (True, False):
        torch.testing.assert_close(transform_points(points, matrix, exact=exact), expected)
    assert transform_points(points[:0], matrix[:0], exact=True).shape == (0, 70, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(device, cloud, dtype):
    net = TNet(3).to(device, dtype).eval()
    assert net(cloud(1, 20, 3, dtype=dtype).to(device)).dtype == dtype


def test_penalty_of_known_matrices():
    rotation = torch.linalg.qr(torch.randn(1, 8, 8, generator=generator(0)).double()).Q
    zero = torch.zeros((), dtype=torch.float64)
    torch.testing.assert_close(orthogonality_penalty(rotation), zero)
    assert orthogonality_penalty(torch.zeros(3, 64, 64)).item() == 64.0
    assert orthogonality_penalty(2 * torch.eye(5)[None]).item() == 5 * 9
    flipped = torch.diag(torch.tensor([1.0, -1.0, 1.0]))[None]
    assert orthogonality_penalty(flipped).item() == 0.0


def test_penalty_is_the_square_in_singular_values(cloud):
    matrices = cloud(6, 5, 5, dtype=torch.float64)
    singular = torch.linalg.svdvals(matrices)
    expected = (1 - singular**2).square().sum(dim=1).mean()
    torch.testing.assert_close(orthogonality_penalty(matrices), expected)


def test_penalty_gradient(cloud):
    matrices = cloud(2, 3, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(orthogonality_penalty, matrices)
    assert torch.autograd.gradgradcheck(orthogonality_penalty, matrices)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4), (0, 3, 3), (2, 0, 0)])
def test_penalty_refuses_what_is_not_square(shape):
    with pytest.raises(ValueError, match="transform has shape"):
        orthogonality_penalty(torch.zeros(shape))


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    for sizes in ({"k": 0}, {"k": 3, "widths": []}, {"k": 3, "head": [0]}):
        with pytest.raises(ValueError, match="expected"):
            TNet(**sizes)
    for bad in (torch.zeros(1, 4, 2), torch.zeros(1, 0, 3), torch.full((1, 4, 3), torch.nan)):
        with pytest.raises(ValueError, match="points"):
            TNet(3)(bad)


def test_no_hidden_head_is_fine(cloud):
    net = TNet(3, widths=(4,), head=())
    assert isinstance(net.gamma, PointMLP)
    assert net(cloud(1, 4, 3)).equal(torch.eye(3)[None])
