"""Imports go down: a room imports itself and the floors below, never sideways, never up."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import mdcv

ROOT = Path(mdcv.__file__).parent
FLOORS = [
    {"claims", "errors", "seeds", "device"},
    {"kernels", "data", "plot", "train"},
    {"divergence", "embedding", "points", "surfaces", "boxes", "fidelity"},
    {
        *("vae", "autoregressive", "gan", "translation", "pointnet", "pointgen", "voxels"),
        *("energy", "detection", "dense", "warping", "recurrent", "video"),
    },
    {"exercises", "results"},
    {"grading"},
]
# Floors whose rooms may see each other: the ground, and the measures built on one another
# (the Frechet inception distance is the Gaussian Wasserstein distance applied to features).
SIDEWAYS = {("fidelity", "divergence"), ("surfaces", "points")}


def floor_of(room: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


def rooms_imported(source: str) -> set[str]:
    """The rooms of mdcv that a module imports, anywhere in it."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import on line {node.lineno}; write mdcv. in full"
            names = (
                [node.module] if node.module != "mdcv" else [f"mdcv.{a.name}" for a in node.names]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name.startswith("mdcv.")}
    return rooms


def breaks(room: str, source: str) -> list[str]:
    """The rooms that `room` imports and should not."""
    level = floor_of(room)
    return sorted(
        other
        for other in rooms_imported(source) - {room}
        if floor_of(other) > level
        or (floor_of(other) == level > 0 and (room, other) not in SIDEWAYS)
    )


def test_every_room_stands_on_a_floor():
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    unknown = rooms - {"__init__", "__pycache__"} - set().union(*FLOORS)
    assert not unknown, f"no floor names {unknown}"


def test_imports_go_down():
    wrong = {}
    for path in ROOT.rglob("*.py"):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room != "__init__" and (found := breaks(room, path.read_text())):
            wrong[str(path.relative_to(ROOT))] = found
    assert not wrong, f"imports that go up or sideways: {wrong}"


def test_an_import_that_goes_up_or_sideways_is_caught():
    assert breaks("points", "from mdcv.exercises import check") == ["exercises"]
    assert breaks("points", "def f():\n    import mdcv.fidelity.frechet") == ["fidelity"]
    assert breaks("data", "from mdcv import plot") == ["plot"]
    assert breaks("points", "from mdcv.kernels import nearest_neighbors\nimport mdcv.errors") == []


def loaded_by(statement: str, names: list[str]) -> set[str]:
    """Which of the named packages a fresh interpreter has loaded after the statement."""
    code = f"import sys; {statement}; print(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_is_light():
    heavy = ["torch", "numba", "triton", "matplotlib", "nbgrader", "trimesh", "scipy", "skimage"]
    assert loaded_by("import mdcv", heavy) == set()


def test_rooms_load_no_compiler_and_no_plotting_until_called():
    heavy = ["numba", "triton", "matplotlib", "plotly", "nbgrader", "trimesh", "skimage", "sklearn"]
    rooms = (
        "mdcv.points, mdcv.boxes, mdcv.detection, mdcv.surfaces, mdcv.fidelity, mdcv.divergence, "
    )
    rooms += "mdcv.embedding, mdcv.vae, mdcv.autoregressive, mdcv.gan, mdcv.results, mdcv.data"
    assert loaded_by(f"import {rooms}", heavy) == set()
