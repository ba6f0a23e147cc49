import itertools
import os
import subprocess
import sys
import textwrap

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from mdcv.points import chamfer_distance

OPTIONS = [
    dict(squared=squared, reduction=reduction, one_sided=one_sided)
    for squared, reduction, one_sided in itertools.product(
        (True, False), ("sum", "mean"), (False, True)
    )
]


def by_hand(x, y, *, squared=True, reduction="sum", one_sided=False):
    """The definition with a k-d tree of SciPy, set by set."""

    def one_way(start, goal):
        distance = torch.from_numpy(cKDTree(goal).query(start)[0])
        distance = distance**2 if squared else distance
        return distance.sum() if reduction == "sum" else distance.mean()

    pairs = zip(x.double().numpy(), y.double().numpy(), strict=True)
    return torch.stack([one_way(a, b) + (0 if one_sided else one_way(b, a)) for a, b in pairs])


def test_every_convention_on_one_pair():
    """x at 0 and 1, y at 0, 1 and 4 on a line: only 4 is off, by 3."""
    x = torch.tensor([[[0.0], [1.0]]])
    y = torch.tensor([[[0.0], [1.0], [4.0]]])
    assert chamfer_distance(x, y).item() == 9
    assert chamfer_distance(x, y, squared=False).item() == 3
    assert chamfer_distance(x, y, reduction="mean").item() == 3
    assert chamfer_distance(x, y, squared=False, reduction="mean").item() == 1
    assert chamfer_distance(x, y, one_sided=True).item() == 0
    assert chamfer_distance(y, x, one_sided=True).item() == 9


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_agrees_with_scipy_in_every_convention(device, cloud, options):
    x, y = (
        cloud(3, 37, 3, seed=0, dtype=torch.float64),
        cloud(3, 53, 3, seed=1, dtype=torch.float64),
    )
    found = chamfer_distance(x.to(device), y.to(device), **options)
    torch.testing.assert_close(found.cpu(), by_hand(x, y, **options))


@settings(max_examples=40, deadline=None)
@given(
    b=st.integers(1, 3),
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    d=st.integers(1, 4),
    seed=st.integers(0, 99),
    rounded=st.booleans(),
    options=st.sampled_from(OPTIONS),
)
def test_holds_for_all_shapes_and_with_duplicates(cloud, b, n, m, d, seed, rounded, options):
    x, y = (
        cloud(b, n, d, seed=seed, dtype=torch.float64),
        cloud(b, m, d, seed=seed + 1, dtype=torch.float64),
    )
    if rounded:
        x, y = x.round(), y.round()
    found = chamfer_distance(x, y, **options)
    torch.testing.assert_close(found, by_hand(x, y, **options))
    if not options["one_sided"]:
        torch.testing.assert_close(found, chamfer_distance(y, x, **options))
    shuffled = x[:, torch.randperm(n)]
    torch.testing.assert_close(found, chamfer_distance(shuffled, y, **options))
    moved = chamfer_distance(3 * x + 1, 3 * y + 1, **options)
    torch.testing.assert_close(moved, found * (9 if options["squared"] else 3))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_are_exact_twice(cloud, options):
    x = cloud(2, 4, 3, seed=0, dtype=torch.float64).requires_grad_()
    y = cloud(2, 6, 3, seed=1, dtype=torch.float64).requires_grad_()

    def distance(x, y):
        return chamfer_distance(x, y, **options)

    assert torch.autograd.gradcheck(distance, (x, y))
    assert torch.autograd.gradgradcheck(distance, (x, y))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_are_zero_where_points_coincide(cloud, options):
    x = cloud(1, 6, 3, seed=0, dtype=torch.float64).requires_grad_()
    y = x.detach().flip(1).requires_grad_()
    distance = chamfer_distance(x, y, **options)
    assert distance.item() == 0
    first = torch.autograd.grad(distance.sum(), (x, y), create_graph=True)
    assert not any(gradient.any() for gradient in first)
    second = torch.autograd.grad(sum(gradient.sum() for gradient in first), (x, y))
    assert all(gradient.isfinite().all() for gradient in second)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_is_accurate_far_from_the_origin(far_clouds, options):
    x, y, near_x, near_y = far_clouds(300, 257)
    near_x.requires_grad_()
    x.requires_grad_()
    expected, found = chamfer_distance(near_x, near_y, **options), chamfer_distance(x, y, **options)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=0)
    expected.sum().backward()
    found.sum().backward()
    torch.testing.assert_close(x.grad, near_x.grad.float(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_are_computed_in_float32(device, dtype, cloud):
    x = cloud(2, 900, 3, seed=0, dtype=dtype).to(device).requires_grad_()
    y = cloud(2, 700, 3, seed=1, dtype=dtype).to(device)
    found = chamfer_distance(x, y)
    assert found.equal(chamfer_distance(x.float(), y.float()).to(dtype))
    found.sum().backward()
    assert x.grad.dtype == dtype and x.grad.isfinite().all()


def test_one_point_and_an_empty_batch():
    one = torch.tensor([[[1.0, 2.0]]])
    assert chamfer_distance(one, one + 3).tolist() == [36.0]
    assert chamfer_distance(one[:0], one[:0]).shape == (0,)


def test_memory_with_gaps_is_read_right_and_left_alone(cloud):
    x = cloud(3, 2, 80, seed=0).permute(1, 2, 0)[:, ::2]
    y = cloud(2, 30, 3, seed=1).flip(1)
    copies = x.clone(memory_format=torch.contiguous_format), y.clone()
    torch.testing.assert_close(chamfer_distance(x, y), chamfer_distance(*copies), rtol=0, atol=0)
    assert x.equal(copies[0]) and y.equal(copies[1])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("side", [0, 1])
def test_nan_and_infinity_give_nan_in_their_own_pair(cloud, bad, options, side):
    sets = [cloud(3, 4, 3, seed=0), cloud(3, 5, 3, seed=1)]
    sets[side][1, 2, 0] = bad
    assert chamfer_distance(*sets, **options).isnan().tolist() == [False, True, False]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory as Linux counts it")
def test_a_hundred_thousand_points_fit_a_gigabyte_forward_and_backward():
    """Peak growth over two small clouds, in a process of its own. The table would take 40 GB."""
    script = """
        import resource, torch
        from mdcv.points import chamfer_distance

        def run(n):
            x, y = (torch.rand(1, n, 3, requires_grad=True) for _ in range(2))
            chamfer_distance(x, y).sum().backward()
            assert x.grad.isfinite().all() and y.grad.isfinite().all()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        before = run(100)
        print(run(100_000) - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1024 * 1024


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_empty_sets_are_refused(n, m):
    with pytest.raises(ValueError, match="empty set"):
        chamfer_distance(torch.zeros(2, n, 3), torch.zeros(2, m, 3))


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    x, y, message = mismatch
    with pytest.raises(ValueError, match=message):
        chamfer_distance(x, y)


@pytest.mark.parametrize(
    "option",
    [{"reduction": "avg"}, {"reduction": None}, {"squared": "no"}, {"one_sided": 1}],
    ids=str,
)
def test_unknown_options_are_refused(at_the_door, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} is .*expected one of"):
        chamfer_distance(torch.zeros(1, 1, 3), torch.zeros(1, 1, 3), **option)
