"""Marching cubes in Triton: compiled on a GPU, or by Triton's interpreter without one."""

import pytest
import torch

from mdcv.kernels.marching_cubes import marching_cubes_reference
from mdcv.seeds import generator

pytestmark = pytest.mark.usefixtures("triton_device")

DTYPES = (torch.float32, torch.float64)


def assert_agrees(volume: torch.Tensor, level: float = 0.0) -> None:
    """The same edges and faces, in the same order."""
    from mdcv.kernels.marching_cubes_gpu import marching_cubes_gpu

    height = torch.tensor(level, dtype=volume.dtype, device=volume.device)
    before = volume.clone()
    edges, faces = marching_cubes_gpu(volume, height)
    expected_edges, expected_faces = marching_cubes_reference(volume, height)
    assert edges.dtype == faces.dtype == torch.int64
    assert edges.equal(expected_edges)
    assert faces.equal(expected_faces)
    assert volume.equal(before)


def test_every_case_agrees_with_the_reference(device):
    """All 256 cells in one volume, each with a layer around it that is outside."""
    bits = torch.arange(256)[:, None] >> torch.arange(8) & 1
    cells = torch.nn.functional.pad(1.0 - 2.0 * bits.reshape(256, 2, 2, 2), (1,) * 6, value=1.0)
    assert_agrees(
        cells.reshape(16, 16, 4, 4, 4).permute(0, 2, 1, 3, 4).reshape(64, 64, 4).to(device)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("nodes", "shape"),
    [
        *[(8, (2, 2, 2)), (8, (3, 4, 5)), (8, (2, 3, 19)), (16, (2, 3, 8)), (16, (5, 3, 2))],
        *[(64, (3, 9, 8)), (64, (3, 4, 33)), (64, (2, 3, 64)), (64, (2, 2, 65))],
        *[(1024, (5, 6, 7)), (1024, (2, 3, 1025))],
    ],
)
def test_blocks_of_rows_and_rows_of_blocks_agree_with_the_reference(
    device, monkeypatch, dtype, nodes, shape
):
    from mdcv.kernels import marching_cubes_gpu as body

    monkeypatch.setattr(body, "NODES", nodes)
    volume = torch.randn(shape, generator=generator(0), dtype=torch.float64)
    assert_agrees(volume.to(device, dtype), 0.3)


@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0, 2.0, 3.0])
def test_ties_with_the_level_and_strides_agree_with_the_reference(device, level):
    volume = torch.randint(3, (9, 4, 11), generator=generator(1)).float().to(device)
    assert_agrees(volume.permute(2, 0, 1).flip(0)[:, ::2], level)


def test_a_number_just_below_the_level_is_inside(device):
    volume = torch.ones(3, 3, 3, dtype=torch.float64, device=device)
    volume[1, 1, 1] = 1 - 1e-12
    assert_agrees(volume, 1.0)


def test_places_beyond_32_bits_are_written_as_they_are(device, monkeypatch):
    """The wide type that a huge volume needs, on a small one."""
    from mdcv.kernels import marching_cubes_gpu as body

    monkeypatch.setattr(body, "MOST_NARROW", 0)
    assert_agrees(torch.randn(3, 4, 5, generator=generator(2)).to(device))
