"""Area and volume of a triangle mesh."""

from __future__ import annotations

import pytest
import torch
import trimesh

from mdcv.data import Mesh


def tetrahedron() -> Mesh:
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    return Mesh(vertices, faces)


def test_area_and_volume_of_a_tetrahedron():
    assert tetrahedron().area() == pytest.approx(1 + 1.5 + 3 + 3.5)
    assert tetrahedron().volume() == pytest.approx(1.0)


def test_volume_is_negative_inside_out_and_does_not_depend_on_the_place():
    vertices, faces = tetrahedron()
    assert Mesh(vertices, faces.flip(1)).volume() == pytest.approx(-1.0)
    assert Mesh(vertices + 5.0, faces).volume() == pytest.approx(1.0, rel=1e-5)


def test_area_and_volume_agree_with_trimesh():
    sphere = trimesh.creation.icosphere(3)
    mesh = Mesh(torch.tensor(sphere.vertices).float(), torch.tensor(sphere.faces))
    assert mesh.area() == pytest.approx(sphere.area, rel=1e-5)
    assert mesh.volume() == pytest.approx(sphere.volume, rel=1e-5)
