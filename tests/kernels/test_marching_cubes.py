"""Marching cubes: the body agrees with the reference, number for number."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.marching_cubes import march_cubes, marching_cubes_reference
from mdcv.seeds import generator


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=dtype)


def assert_agrees(volume: torch.Tensor, level: float = 0.0) -> None:
    height = torch.tensor(level, dtype=volume.dtype, device=volume.device)
    for found, expected in zip(
        march_cubes(volume, height), marching_cubes_reference(volume, height), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_one_corner_inside_crosses_its_three_edges():
    volume = torch.ones(2, 2, 2)
    volume[0, 1, 1] = -1
    edges, faces = march_cubes(volume, torch.tensor(0.0))
    # From node (0, 0, 1) along y, from (0, 1, 0) along z, from (0, 1, 1) along x.
    assert edges.tolist() == [3 * 1 + 1, 3 * 2 + 2, 3 * 3 + 0]
    assert len(faces) == 1 and sorted(faces[0].tolist()) == [0, 1, 2]


def test_every_single_cell_agrees_with_the_reference():
    for case in range(256):
        bits = torch.tensor([case >> c & 1 for c in range(8)])
        assert_agrees(1.0 - 2.0 * bits.reshape(2, 2, 2))


@pytest.mark.parametrize("length", [2, 3, 63, 64, 65, 66, 127, 128, 129, 200])
def test_rows_of_any_length_agree_with_the_reference(length, device):
    for rows in (2, 3):
        for planes in (2, 4):
            assert_agrees(noise(planes, rows, length, seed=length).to(device))


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(2, 6), st.integers(2, 6), st.integers(2, 70)),
    seed=st.integers(0, 10**6),
    values=st.integers(2, 5),
    level=st.integers(-1, 3),
    order=st.permutations(range(3)),
    step=st.sampled_from([1, 2, -1]),
)
def test_ties_with_the_level_and_strides_agree_with_the_reference(
    shape, seed, values, level, order, step
):
    volume = torch.randint(values, shape, generator=generator(seed)).float().permute(order)
    volume = volume.flip(0) if step < 0 else volume
    if step == 2 and min(volume.shape) > 2:
        volume = volume[:, :, ::2]
    before = volume.clone()
    assert_agrees(volume, level)
    assert torch.equal(volume, before)


def test_threads_change_nothing():
    volume = noise(110, 101, 97)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert_agrees(volume, 1.5)
    finally:
        torch.set_num_threads(threads)


def test_double_precision_tells_values_apart_that_single_would_not(device):
    volume = torch.ones(3, 3, 3, dtype=torch.float64, device=device)
    volume[1, 1, 1] = 1 - 1e-12
    assert_agrees(volume, 1.0)
    assert len(march_cubes(volume, torch.tensor(1.0, dtype=torch.float64, device=device))[0]) == 6


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_no_numbers_are_refused(wrong, device):
    volume = noise(3, 4, 5).to(device)
    volume[1, 2, 3] = wrong
    with pytest.raises(ValueError, match="volume holds NaN or infinity"):
        march_cubes(volume, torch.tensor(0.0, device=device))


def test_values_whose_difference_overflows_are_fine():
    volume = noise(3, 4, 5).sign() * torch.finfo(torch.float32).max
    assert_agrees(volume)


def test_the_operation_passes_opcheck_and_compiles_as_one_graph(device):
    volume, level = noise(4, 5, 6).to(device), torch.tensor(0.2, device=device)
    torch.library.opcheck(march_cubes, (volume, level))
    torch.library.opcheck(march_cubes, (volume.double(), level.double()))
    compiled = torch.compile(
        lambda v: march_cubes(v, level)[1] + 1, fullgraph=True, backend="eager"
    )
    torch.testing.assert_close(compiled(volume), march_cubes(volume, level)[1] + 1)
