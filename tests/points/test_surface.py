import pytest
import torch

from mdcv.points import sample_surface
from mdcv.seeds import generator

SQUARE = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
TWO_HALVES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def within(count: int, n: int, share: float) -> bool:
    """A count of n draws with this probability, within five standard errors."""
    return abs(count - n * share) < 5 * (n * share * (1 - share)) ** 0.5


def test_points_lie_on_the_surface_and_fill_it_evenly(device):
    n = 40_000
    points = sample_surface(
        SQUARE.to(device), TWO_HALVES.to(device), n, generator=generator(0, device)
    ).cpu()
    assert not points[:, 2].any()
    assert (points >= 0).all() and (points <= 1).all()
    cells = (points[:, :2] * 5).long().clamp(max=4)
    counts = torch.bincount(cells[:, 0] * 5 + cells[:, 1], minlength=25)
    assert all(within(count, n, 1 / 25) for count in counts.tolist())


def test_every_part_of_one_triangle_is_equally_likely():
    """Four triangles of equal area, cut by the middles of the sides, get a quarter each."""
    n = 40_000
    corners = torch.tensor([[0.0, 0.0, 3.0], [4.0, 0.0, 3.0], [0.0, 2.0, 3.0]])
    points = sample_surface(corners, torch.tensor([[2, 0, 1]]), n, generator=generator(0))
    to_b, to_c = points[:, 0] / 4, points[:, 1] / 2
    weights = torch.stack([1 - to_b - to_c, to_b, to_c])
    assert (weights > -1e-6).all()
    counts = (weights > 0.5).sum(dim=1).tolist()
    counts.append(n - sum(counts))
    assert all(within(count, n, 0.25) for count in counts)
    torch.testing.assert_close(weights.mean(dim=1), torch.full((3,), 1 / 3), atol=0.01, rtol=0)


def test_faces_are_drawn_by_area():
    vertices = torch.tensor([[0.0, 0, 0], [3, 0, 0], [0, 3, 0], [10, 0, 0], [11, 0, 0], [10, 1, 0]])
    n = 20_000
    points = sample_surface(
        vertices, torch.tensor([[0, 1, 2], [3, 4, 5]]), n, generator=generator(0)
    )
    assert within(int((points[:, 0] < 5).sum()), n, 0.9)


def test_a_million_faces_beside_a_large_one_get_their_share():
    """In float32 their cumulated areas would vanish beside the large face's."""
    count = 200_000
    small = torch.tensor([[0.0, 0, 0], [1e-3, 0, 0], [0, 1e-3, 0]])
    large = torch.tensor([[5.0, 0, 0], [6, 0, 0], [5, 0.2, 0]])
    faces = torch.cat([torch.tensor([[3, 4, 5]]), torch.tensor([[0, 1, 2]]).repeat(count, 1)])
    n = 20_000
    points = sample_surface(torch.cat([small, large]), faces, n, generator=generator(0))
    share = count * 0.5e-6 / (count * 0.5e-6 + 0.1)
    assert within(int((points[:, 0] < 1).sum()), n, share)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_face_without_area_is_never_drawn(where):
    vertices = torch.cat([SQUARE, torch.tensor([[7.0, 7, 7], [8, 8, 8], [9, 9, 9], [7, 7, 7]])])
    flat = [[4, 5, 6], [4, 4, 5], [4, 7, 5], [4, 4, 4]]
    faces = TWO_HALVES.tolist()
    faces[where:where] = flat
    points = sample_surface(vertices, torch.tensor(faces), 2000, generator=generator(0))
    assert (points <= 1).all()


def test_collinear_corners_have_no_area_whatever_the_rounding():
    direction = torch.tensor([0.1, 0.2, 0.7], dtype=torch.float64)
    vertices = torch.stack([t * direction + 1 / 3 for t in (0.0, 0.3, 0.9, 1.7)])
    with pytest.raises(ValueError, match="none of the 2 faces has any area"):
        sample_surface(vertices, torch.tensor([[0, 1, 2], [1, 2, 3]]), 5)


def test_a_sliver_is_drawn_all_the_same():
    sliver = torch.tensor([[0.0, 0, 0], [1e7, 0, 0], [1e7, 1, 0]])
    points = sample_surface(sliver, torch.tensor([[0, 1, 2]]), 100, generator=generator(0))
    assert points[:, 1].max() > 0.5


def test_tiny_and_huge_meshes_are_drawn_as_others():
    for scale in (1e-18, 1e18):
        points = sample_surface(SQUARE * scale, TWO_HALVES, 50, generator=generator(0))
        expected = scale * sample_surface(SQUARE, TWO_HALVES, 50, generator=generator(0))
        torch.testing.assert_close(points, expected, rtol=1e-5, atol=1e-6 * scale)


def test_a_generator_repeats_itself_and_two_seeds_differ():
    first, again, other = (
        sample_surface(SQUARE, TWO_HALVES, 9, generator=generator(seed)) for seed in (1, 1, 2)
    )
    assert first.equal(again) and not first.equal(other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("index", [torch.int32, torch.int64, torch.uint8])
def test_dtype_and_device_are_those_of_the_vertices(device, dtype, index):
    points = sample_surface(SQUARE.to(device, dtype), TWO_HALVES.to(device, index), 7)
    assert (points.dtype, points.device.type, points.shape) == (dtype, device, (7, 3))


def test_the_draw_is_differentiable_in_the_vertices():
    vertices = SQUARE.double().requires_grad_()

    def draw(vertices):
        return sample_surface(vertices, TWO_HALVES, 20, generator=generator(3))

    assert torch.autograd.gradcheck(draw, vertices)
    # Every point is a mean of its corners, so its gradient weights add up to one.
    (gradient,) = torch.autograd.grad(draw(vertices).sum(), vertices)
    torch.testing.assert_close(gradient.sum(dim=0), torch.full((3,), 20.0, dtype=torch.float64))


def test_no_points_and_inputs_left_alone():
    vertices, faces = SQUARE.clone(), TWO_HALVES.clone()
    assert sample_surface(vertices, faces, 0).shape == (0, 3)
    sample_surface(vertices, faces, 5)
    assert vertices.equal(SQUARE) and faces.equal(TWO_HALVES)


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (SQUARE, TWO_HALVES + 2, "indices from 2 to 5; expected 0 to 3"),
        (SQUARE, TWO_HALVES - 1, "indices from -1 to 2; expected 0 to 3"),
        (SQUARE, TWO_HALVES[:0], "none of the 0 faces"),
        (SQUARE * 0, TWO_HALVES, "none of the 2 faces has any area"),
        (SQUARE[:0], TWO_HALVES, "indices"),
        (SQUARE, TWO_HALVES.float(), "integer dtype"),
        (SQUARE, TWO_HALVES.bool(), "integer dtype"),
        (SQUARE, TWO_HALVES[0], "faces is \\(3,\\)"),
        (SQUARE, TWO_HALVES[:, :2], "faces is \\(2, 2\\)"),
        (SQUARE, [[0, 1, 2]], "faces is list"),
        (SQUARE, TWO_HALVES.to("meta"), "faces is on meta"),
        (SQUARE[:, :2], TWO_HALVES, "vertices has shape \\(4, 2\\)"),
        (SQUARE[None], TWO_HALVES, "vertices has shape \\(1, 4, 3\\)"),
        (SQUARE.long(), TWO_HALVES, "floating-point"),
        (SQUARE.log(), TWO_HALVES, "NaN or infinity"),
    ],
)
def test_bad_meshes_are_refused(at_the_door, vertices, faces, message):
    with pytest.raises(ValueError, match=message):
        sample_surface(vertices, faces, 5)


@pytest.mark.parametrize("n", [-1, 2.0, None])
def test_a_negative_number_of_points_is_refused(at_the_door, n):
    with pytest.raises(ValueError, match=r"n is .*expected an integer >= 0"):
        sample_surface(SQUARE, TWO_HALVES, n)
