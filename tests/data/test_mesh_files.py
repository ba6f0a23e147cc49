"""Small files in the true formats, right and wrong; trimesh writes and reads beside us."""

from __future__ import annotations

import struct

import pytest
import torch
import trimesh

from mdcv.data import chair, read_mesh
from mdcv.data.ply import read_ply

SQUARE = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
AS_OBJ = "".join(f"v {line}\n" for line in SQUARE.splitlines())
TWO_TRIANGLES = [[0, 1, 2], [0, 2, 3]]


def ply_head(faces: int, *, form: str = "ascii", vertices: int = 4, extra: str = "") -> str:
    return (
        f"ply\nformat {form} 1.0\ncomment made by hand\nelement vertex {vertices}\n"
        f"property float x\nproperty float y\nproperty float z\n{extra}"
        f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    )


def binary_ply(order: str, polygons: list[list[int]]) -> bytes:
    name = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    numbers = [float(word) for word in SQUARE.split()]
    body = struct.pack(f"{order}12f", *numbers)
    for polygon in polygons:
        body += struct.pack(f"{order}B{len(polygon)}i", len(polygon), *polygon)
    return ply_head(len(polygons), form=name).encode() + body


RIGHT = {
    "triangles.off": f"OFF\n4 2 0\n{SQUARE}3 0 1 2\n3 0 2 3\n",
    "quad.off": f"OFF\n4 1 0\n{SQUARE}4 0 1 2 3\n",
    "counts_in_first_line.off": f"OFF 4 1 0\n{SQUARE}4 0 1 2 3\n",
    "glued_as_in_modelnet.off": f"OFF4 2 0\n{SQUARE}3 0 1 2\n3 0 2 3\n",
    "comments_and_gaps.off": f"OFF # shape\n\n# counts\n4 1 0\n\n{SQUARE}4 0 1 2 3  # square\n",
    "colored_faces.off": f"OFF\n4 2 0\n{SQUARE}3 0 1 2 255 0 0\n3 0 2 3 0 255 0\n",
    "colored_vertices.off": "COFF\n4 1 0\n"
    + "".join(f"{line} 9 9 9 255\n" for line in SQUARE.splitlines())
    + "4 0 1 2 3\n",
    "windows.off": f"OFF\n4 1 0\n{SQUARE}4 0 1 2 3\n".replace("\n", "\r\n"),
    "quad.obj": f"# a square\no square\n{AS_OBJ}f 1 2 3 4\n",
    "slashes.obj": f"{AS_OBJ}vt 0 0\nvn 0 0 1\nf 1/1/1 2/1/1 3/1/1\nf 1//1 3//1 4//1\n",
    "from_the_end.obj": f"{AS_OBJ}f -4 -3 -2\nf -4 -2 -1\n",
    "two_materials.obj": f"mtllib none.mtl\n{AS_OBJ}usemtl a\nf 1 2 3\no b\nusemtl b\nf 1 3 4\n",
    "continued_line.obj": f"{AS_OBJ}f 1 2 \\\n3 4\n",
    "CAPITALS.OBJ": f"{AS_OBJ}f 1 2 3 4\n",
    "triangles.ply": ply_head(2) + SQUARE + "3 0 1 2\n3 0 2 3\n",
    "quad.ply": ply_head(1) + SQUARE + "4 0 1 2 3\n",
    "colored.ply": ply_head(1, extra="property uchar red\n")
    + "".join(f"{line} 255\n" for line in SQUARE.splitlines())
    + "4 0 1 2 3\n",
    "little_endian.ply": binary_ply("<", TWO_TRIANGLES),
    "big_endian.ply": binary_ply(">", [[0, 1, 2, 3]]),
}

WRONG = {
    "missing_head.off": (f"4 1 0\n{SQUARE}4 0 1 2 3\n", "does not begin with OFF"),
    "empty.off": ("", "does not begin with OFF"),
    "no_counts.off": ("OFF\n", "counts of vertices and faces are missing"),
    "no_faces.off": (f"OFF\n4 0 0\n{SQUARE}", "no faces"),
    "face_lost.off": (f"OFF\n4 2 0\n{SQUARE}3 0 1 2\n", "4 vertices and 2 faces are announced"),
    "vertex_lost.off": (f"OFF\n5 1 0\n{SQUARE}3 0 1 2\n", "5 vertices and 1 faces are announced"),
    "corner_lost.off": (f"OFF\n4 1 0\n{SQUARE}4 0 1 2\n", "announces 4 corners and has 3"),
    "beyond.off": (f"OFF\n4 1 0\n{SQUARE}3 0 1 4\n", "names vertex 4; expected 0 to 3"),
    "negative.off": (f"OFF\n4 1 0\n{SQUARE}3 0 1 -1\n", "names vertex -1"),
    "two_corners.off": (f"OFF\n4 1 0\n{SQUARE}2 0 1\n", "has 2 corners"),
    "not_a_number.off": (f"OFF\n4 1 0\n{SQUARE}3 0 1 2\n".replace("1 1", "1 nan"), "not finite"),
    "too_large.off": (f"OFF\n4 1 0\n{SQUARE}3 0 1 2\n".replace("1 1", "1 1e39"), "not finite"),
    "a_word.off": (f"OFF\n4 1 0\n{SQUARE}3 0 1 2\n".replace("1 1", "1 one"), "one"),
    "flat.off": ("OFF\n3 1 0\n0 0\n1 0\n0 1\n3 0 1 2\n", "a vertex has 2 coordinates"),
    "no_faces.obj": (AS_OBJ, "no faces"),
    "index_zero.obj": (f"{AS_OBJ}f 0 1 2\n", "OBJ counts from 1"),
    "beyond.obj": (f"{AS_OBJ}f 1 2 5\n", "names vertex 4; expected 0 to 3"),
    "before_the_first.obj": (f"{AS_OBJ}f -5 -4 -3\n", "names vertex -1"),
    "infinite.obj": (f"{AS_OBJ}v inf 0 0\nf 1 2 3\n", "not finite"),
    "no_head.ply": (SQUARE, "does not begin with ply"),
    "no_format.ply": (ply_head(1).replace("format ascii 1.0\n", "") + SQUARE, "format is missing"),
    "odd_type.ply": (ply_head(1).replace("float x", "real x") + SQUARE, "does not know"),
    "no_z.ply": (ply_head(0).replace("float z", "float w") + SQUARE, "expected x, y and z"),
    "no_list.ply": (
        ply_head(1).replace("vertex_indices", "corners") + SQUARE + "3 0 1 2\n",
        "expected a list vertex_indices",
    ),
    "no_faces.ply": (ply_head(0) + SQUARE, "no faces"),
    "face_lost.ply": (ply_head(2) + SQUARE + "3 0 1 2\n", "stops at face 1 of 2"),
    "corner_lost.ply": (ply_head(1) + SQUARE + "4 0 1 2\n", "has only 4 numbers"),
    "half_a_corner.ply": (ply_head(1) + SQUARE + "3 0 1 1.5\n", "1.5"),
    "cut_off.ply": (binary_ply("<", TWO_TRIANGLES)[:-1], "stops at face 1 of 2"),
    "beyond.ply": (binary_ply("<", [[0, 1, 4]]), "names vertex 4"),
}


def write(folder, name: str, content: str | bytes):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", RIGHT)
def test_a_square_is_read_from_every_form(name, tmp_path):
    vertices, faces = read_mesh(write(tmp_path, name, RIGHT[name]))
    assert faces.tolist() == TWO_TRIANGLES and faces.dtype == torch.int64
    expected = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    torch.testing.assert_close(vertices, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_file_is_refused_by_name(name, tmp_path):
    content, message = WRONG[name]
    path = write(tmp_path, name, content)
    with pytest.raises(ValueError, match=message) as refusal:
        read_mesh(path)
    assert str(path) in str(refusal.value)


def test_triangles_and_polygons_keep_their_order(tmp_path):
    polygons = [[0, 1, 2, 3], [3, 1, 0]]
    lines = "".join(f"{len(p)} {' '.join(map(str, p))}\n" for p in polygons)
    expected = [[0, 1, 2], [0, 2, 3], [3, 1, 0]]
    for name, content in {
        "mixed.off": f"OFF\n4 2 0\n{SQUARE}{lines}",
        "mixed.obj": AS_OBJ + "f 1 2 3 4\nf 4 2 1\n",
        "mixed.ply": ply_head(2) + SQUARE + lines,
        "mixed_binary.ply": binary_ply("<", polygons),
    }.items():
        assert read_mesh(write(tmp_path, name, content)).faces.tolist() == expected


def test_a_pentagon_becomes_a_fan(tmp_path):
    path = write(tmp_path, "pentagon.off", f"OFF\n5 1 0\n{SQUARE}-1 0.5 0\n5 0 1 2 3 4\n")
    assert read_mesh(path).faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 4]]
    assert read_mesh(path).area() == pytest.approx(1.5)


def test_nothing_is_merged_dropped_or_moved(tmp_path):
    unused_and_double = "v 9 9 9\nv 0 0 0\n" + AS_OBJ + "f 3 4 5\nf 3 4 5\n"
    vertices, faces = read_mesh(write(tmp_path, "double.obj", unused_and_double))
    assert len(vertices) == 6 and faces.tolist() == [[2, 3, 4], [2, 3, 4]]


@pytest.mark.parametrize("suffix", ["off", "obj", "ply"])
def test_what_trimesh_writes_is_read_back(suffix, tmp_path):
    mesh = chair().mesh(24)
    path = tmp_path / f"chair.{suffix}"
    written = trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)
    written.export(path)
    ours, theirs = read_mesh(str(path)), trimesh.load_mesh(path, process=False)
    assert ours.faces.equal(mesh.faces)
    assert ours.faces.equal(torch.tensor(theirs.faces))
    torch.testing.assert_close(ours.vertices, mesh.vertices, atol=1e-6, rtol=0)


def test_tables_that_are_not_wanted_are_passed_over():
    head = ply_head(1).replace("end_header\n", "")
    head += "element edge 1\nproperty int vertex1\nproperty int vertex2\nend_header\n"
    positions, polygons = read_ply((head + SQUARE + "4 0 1 2 3\n0 1\n").encode())
    assert len(positions) == 4 and polygons == [[0, 1, 2, 3]]


def test_another_ending_is_refused_and_a_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"ends in '.stl'; expected one of .off, .obj, .ply"):
        read_mesh(tmp_path / "shape.stl")
    with pytest.raises(FileNotFoundError):
        read_mesh(tmp_path / "absent.off")
