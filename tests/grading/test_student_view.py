"""A student's kernel sees the tools of the notebooks and none of the answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import mdcv
from mdcv.exercises import get, names
from mdcv.grading.course import find_course
from mdcv.grading.student_view import build_view, calling_modules, imports_of


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> Path:
    return build_view(tmp_path_factory.mktemp("student") / "view")


def modules_of(view: Path) -> set[str]:
    files = [path.relative_to(view).with_suffix("") for path in view.rglob("*.py")]
    return {".".join(path.parts).removesuffix(".__init__") for path in files}


def test_no_reference_and_no_variant_is_in_sight(view):
    seen = modules_of(view)
    for name in names():
        exercise = get(name)
        functions = [
            exercise.reference,
            *(one.function for one in (*exercise.right, *exercise.wrong)),
        ]
        assert not {getattr(function, "__module__", "") for function in functions} & seen


def test_nothing_that_judges_or_grades_is_in_sight(view):
    seen = modules_of(view)
    assert not [name for name in seen if name.split(".")[1:2] in (["grading"], ["kernels"])]
    for answer in ("judging", "registry", "exercise", "traits", "suspects", "a4_point_sets"):
        assert f"mdcv.exercises.{answer}" not in seen


def test_what_is_in_sight_runs_alone(view):
    script = "; ".join(f"import {name}" for name in sorted(modules_of(view)))
    script += "; import sys; print([n for n in sys.modules if n.startswith('mdcv.exercises.')])"
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(view)!r}); {script}",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mdcv.exercises.calling" in done.stdout


def test_every_released_notebook_finds_what_it_imports(view):
    course, seen = find_course(), modules_of(view)
    for path in sorted(course.release.glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
                asked = {name for name in imports_of("\n".join(lines)) if name.startswith("mdcv")}
                assert asked <= seen, f"{path.name}, cell {cell.id}"


def test_a_room_of_answers_shows_its_tools_alone(view):
    script = f"import sys; sys.path.insert(0, {str(view)!r}); import mdcv.gan; print(dir(mdcv.gan))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
    assert "mode_coverage" in done.stdout and "discriminator_loss" not in done.stdout, done.stderr


def test_an_answer_that_is_needed_to_ask_is_refused(tmp_path):
    (tmp_path / "packing.py").write_text("from mdcv.exercises.more import x\n")
    (tmp_path / "more.py").write_text("def f():\n    import mdcv.points\n")
    with pytest.raises(ValueError, match=r"mdcv.exercises.more imports mdcv.points, an answer"):
        calling_modules(tmp_path)


@pytest.mark.grading
@pytest.mark.parametrize("isolation", ["best", "none"])
def test_the_library_is_neither_importable_nor_loaded_nor_readable(tmp_path, isolation):
    from mdcv.grading.execution import run_notebook

    probe = f"""
import gc, importlib, sys
found = []
for name in ("points", "kernels", "surfaces", "grading", "grading.course", "exercises.judging",
             "exercises.registry", "exercises.a4_point_sets"):
    try:
        found.append(importlib.import_module("mdcv." + name))
    except ImportError:
        pass
found += [name for name in sys.modules if name.startswith(("mdcv.grading", "mdcv.points"))]
found += [one for one in gc.get_objects() if type(one).__name__ in ("Exercise", "Mistake", "Case")]
if {isolation != "none"}:
    for path in ({str(Path(mdcv.__file__).parent / "points" / "chamfer.py")!r},
                 {str(find_course().source)!r}, {str(find_course().root)!r}):
        try:
            found.append(open(path).read(10))
        except OSError:
            pass
found"""
    cell = nbformat.v4.new_code_cell(probe, id="probe")
    run_notebook(nbformat.v4.new_notebook(cells=[cell]), folder=tmp_path, isolation=isolation)
    assert cell.outputs[0].data["text/plain"] == "[]"
