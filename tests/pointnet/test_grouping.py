import pytest
import torch

from mdcv.pointnet import group_points
from mdcv.pointnet.grouping import gather_points
from mdcv.seeds import generator


def test_a_known_answer(device):
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [9, 9, 9]]], device=device)
    centers = torch.tensor([[[0.0, 1, 0], [50, 0, 0]]], device=device)
    rows, is_there = group_points(points, centers, 1.5, 3, features=points[..., :1] + 7)
    assert rows[0, 0].tolist() == [[0, -1, 0, 7], [1, -1, 0, 8], [0, 1, 0, 7]]
    assert rows[0, 1].tolist() == [[0.0] * 4] * 3
    assert is_there.tolist() == [[[True] * 3, [False] * 3]]


def test_offsets_do_not_change_when_everything_moves():
    # Multiples of 2⁻¹⁰ below 2¹³: no difference is rounded.
    points = torch.randint(0, 1024, (2, 200, 3), generator=generator(0)) / 1024
    far = points + torch.tensor([64.0, -2048.0, 4096.0])
    here = group_points(points, points[:, :9], 0.3, 12)
    there = group_points(far, far[:, :9], 0.3, 12)
    assert here.rows.equal(there.rows) and here.is_there.equal(there.is_there)


def test_every_row_lies_in_its_ball(cloud):
    points = cloud(2, 300, 3, dtype=torch.float64)
    centers = cloud(2, 20, 3, seed=1, dtype=torch.float64)
    rows, is_there = group_points(points, centers, 0.4, 10)
    assert (rows.norm(dim=-1)[is_there] <= 0.4).all()
    inside = (torch.cdist(centers, points) <= 0.4).sum(dim=-1)
    assert is_there.sum(dim=-1).equal(inside.clamp(max=10))


def test_gather_takes_rows_of_their_own_batch_element():
    values = torch.arange(12.0).view(2, 3, 2)
    indices = torch.tensor([[[2, 0]], [[1, 1]]])
    assert gather_points(values, indices).tolist() == [[[[4, 5], [0, 1]]], [[[8, 9], [8, 9]]]]


def test_gradients(cloud):
    points = cloud(1, 6, 3, dtype=torch.float64).requires_grad_()
    features = cloud(1, 6, 2, seed=2, dtype=torch.float64).requires_grad_()

    def rows(p, f):
        return group_points(p, p[:, :2], 1.0, 4, features=f).rows

    assert torch.autograd.gradcheck(rows, (points, features))


@pytest.mark.usefixtures("at_the_door")
def test_refusals(cloud):
    points = cloud(2, 6, 3)
    with pytest.raises(ValueError, match="a row for every point"):
        group_points(points, points, 1.0, 2, features=points[:, :5])
    with pytest.raises(ValueError, match="features has dtype"):
        group_points(points, points, 1.0, 2, features=points.double())
    with pytest.raises(ValueError, match="radius is -1"):
        group_points(points, points, -1.0, 2)
    with pytest.raises(ValueError, match="k is 0"):
        group_points(points, points, 1.0, 0)
    with pytest.raises(ValueError, match="centers"):
        group_points(points, points[:1], 1.0, 2)
