"""The Fréchet distance of two feature sets."""

from __future__ import annotations

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.divergence import frechet_distance
from mdcv.fidelity import fid, inception
from mdcv.kernels.gaussian_transport import gaussian_transport_reference
from mdcv.seeds import generator


def features(n: int, dim: int = 5, *, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    draw = generator(seed)
    mix = torch.randn(dim, dim, generator=draw, dtype=torch.float64)
    return (torch.randn(n, dim, generator=draw, dtype=torch.float64) @ mix + seed).to(dtype)


def by_definition(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    gaussians = [f(s) for s in (real, fake) for f in (lambda x: x.mean(0), lambda x: x.T.cov())]
    return gaussian_transport_reference(*gaussians)


def test_moving_a_set_costs_the_square_of_the_move(device):
    for n in (4, 30):
        x = features(n).to(device)
        torch.testing.assert_close(
            fid(x, x + torch.tensor([3.0, 0, 0, 4.0, 0], device=device)),
            torch.tensor(25.0, dtype=x.dtype, device=device),
        )


def test_stretching_a_set_costs_the_variance_it_adds():
    x = features(9) - features(9).mean(0)
    torch.testing.assert_close(fid(x, 3 * x), 4 * torch.trace(x.T.cov()))


@pytest.mark.parametrize(("n", "m"), [(11, 13), (13, 6), (3, 4), (4, 3), (2, 2), (3, 20), (20, 3)])
def test_agrees_with_the_definition_above_and_below_the_dimension(n, m):
    real, fake = features(n, seed=1), features(m, seed=2)
    torch.testing.assert_close(fid(real, fake), by_definition(real, fake), rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(fid(real, fake), fid(fake, real))


def test_both_forms_agree_where_both_hold():
    real, fake = features(8, dim=40, seed=1), features(9, dim=40, seed=2)
    from_moments = frechet_distance(real.mean(0), real.T.cov(), fake.mean(0), fake.T.cov())
    torch.testing.assert_close(fid(real, fake), from_moments)


def test_agrees_with_torchmetrics():
    peer = pytest.importorskip("torchmetrics.image.fid", reason="torchmetrics is not installed")
    real, fake = features(300, dim=32, seed=1), features(200, dim=32, seed=2)
    moments = [real.mean(0), real.T.cov(), fake.mean(0), fake.T.cov()]
    torch.testing.assert_close(fid(real, fake), peer._compute_fid(*moments))


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 10**6), n=st.integers(2, 9), m=st.integers(2, 9), copies=st.integers(0, 2)
)
def test_zero_on_itself_in_any_order_and_never_negative(seed, n, m, copies):
    x, y = features(n, seed=seed % 97), features(m, seed=seed % 89)
    x = torch.cat([x, x[:1].expand(copies, -1)])
    shuffled = x[torch.randperm(len(x), generator=generator(seed))]
    torch.testing.assert_close(fid(x, shuffled), x.new_zeros(()), rtol=0, atol=1e-6)
    assert fid(x, y) >= 0


def test_a_dropped_mode_is_seen_in_the_second_term_alone():
    """Half of the modes, at the same mean: only the covariances tell."""
    centers = torch.tensor([[4.0, 0], [-4.0, 0], [0, 4.0], [0, -4.0]]).double()
    noise = 0.1 * torch.randn(400, 2, generator=generator(1), dtype=torch.float64)
    everything = centers.repeat(100, 1) + noise
    half = centers[:2].repeat(200, 1) + noise
    again = centers.repeat(100, 1) + noise.flip(0)
    assert fid(everything, half) > 100 * fid(everything, again)


def test_accurate_far_from_the_origin():
    real, fake = features(12, seed=1), features(12, seed=2)
    torch.testing.assert_close(fid(real + 1e6, fake + 1e6), fid(real, fake), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("n", "m"), [(9, 8), (4, 3), (3, 9), (8, 4)])
def test_gradient_is_exact_above_and_below_the_dimension(n, m):
    arguments = [features(n, seed=1).requires_grad_(), features(m, seed=2).requires_grad_()]
    assert torch.autograd.gradcheck(fid, arguments)


def test_gradient_is_finite_for_equal_sets_and_repeated_samples():
    for n in (4, 9):
        real = features(n, seed=1)
        real[1] = real[0]
        for fake in (real, features(3, seed=2)[[0, 0, 1, 1]], torch.zeros_like(real)):
            leaves = [real.clone().requires_grad_(), fake.clone().requires_grad_()]
            fid(*leaves).backward()
            for leaf in leaves:
                assert leaf.grad.isfinite().all()


def test_following_the_gradient_brings_the_sets_together():
    real, fake = features(4, seed=1), features(4, seed=2).requires_grad_()
    optimizer = torch.optim.SGD([fake], lr=0.4)
    before = fid(real, fake).item()
    for _ in range(40):
        optimizer.zero_grad()
        fid(real, fake).backward()
        optimizer.step()
    assert fid(real, fake) < 0.05 * before


def test_the_quick_sum_of_singular_values_is_that_of_the_decomposition():
    for n, m in ((2, 7), (7, 2), (9, 9)):
        cross = torch.randn(n, m, generator=generator(n), dtype=torch.float64)
        cross = cross - cross.mean(0) - (cross - cross.mean(0)).mean(1, keepdim=True)
        expected = torch.linalg.svdvals(cross).sum()
        torch.testing.assert_close(inception._nuclear_norm(cross), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_the_inputs_and_the_work_is_done_in_float64(dtype, device):
    for n in (4, 9):
        real, fake = (features(n, seed=s, dtype=dtype).to(device) for s in (1, 2))
        before = real.clone(), fake.clone()
        distance = fid(real, fake)
        assert distance.dtype == dtype and distance.shape == () and distance.device.type == device
        expected = fid(real.double(), fake.double()).to(dtype)
        torch.testing.assert_close(distance, expected, rtol=0, atol=0)
        assert torch.equal(real, before[0]) and torch.equal(fake, before[1])


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("n", [4, 9])
def test_compiles_as_one_graph(n):
    real, fake = features(n, seed=1), features(n, seed=2)
    bare = inspect.unwrap(fid)  # the shape hook of the test-suite is not for torch.compile
    compiled = torch.compile(bare, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(real, fake), fid(real, fake))
    leaf, again = real.clone().requires_grad_(), real.clone().requires_grad_()
    compiled(leaf, fake).backward()
    fid(again, fake).backward()
    torch.testing.assert_close(leaf.grad, again.grad)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (features(1), features(9), r"real_features has shape \(1, 5\); expected .* N >= 2"),
        (features(9), features(1), "fake_features has shape"),
        (features(0), features(9), "N >= 2"),
        (features(9)[:, :0], features(9)[:, :0], "D >= 1"),
        (features(9), features(9, dim=4), "axis D should be 5 as in real_features, not 4"),
        (features(9)[0], features(9), r"real_features has shape \(5,\)"),
        (features(9), features(9).long(), "fake_features has dtype torch.int64"),
        (features(9), features(9).float(), "fake_features has dtype torch.float32"),
        (None, features(9), "real_features is NoneType"),
        (features(9).log(), features(9), "real_features holds NaN"),
        (features(3), features(3) / 0, "fake_features holds NaN or infinity"),
    ],
)
def test_bad_input_is_refused(real, fake, words):
    with pytest.raises(ValueError, match=words):
        fid(real, fake)
