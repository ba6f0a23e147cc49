"""What of `mdcv` a student's kernel sees: the tools of the notebooks, and none of the answers.

A folder is filled with copies of the rooms below and of the modules that call a graded function
and say what came. Rooms that hold a graded function are not among them, nor is anything that
judges. `check` and `grade` are there, and say that the grader does it elsewhere.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import mdcv

#: Rooms and modules that notebooks may use as they are.
ROOMS = ("claims", "errors", "seeds", "device", "data", "plot", "train")

#: Of the rooms that hold answers, the modules that hold none and that an assignment uses.
TOOLS = {"gan": ("coverage", "networks")}

#: The modules of `mdcv.exercises` that call a function; what they import comes along.
CALLING = ("packing", "calling")

#: What takes the place of `mdcv.exercises` itself.
STUDENT_SIDE = Path(__file__).with_name("student_side.py")


def build_view(folder: Path) -> Path:
    """Fills the folder with the student's `mdcv`; returns it, to be put on the path."""
    real, view = Path(mdcv.__file__).parent, folder / "mdcv"
    view.mkdir(parents=True)
    shutil.copyfile(real / "__init__.py", view / "__init__.py")
    for name in ROOMS:
        if (real / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(real / name, view / name, ignore=ignored)
        elif (real / f"{name}.py").is_file():
            shutil.copyfile(real / f"{name}.py", view / f"{name}.py")
    for room, names in TOOLS.items():
        if (real / room).is_dir():
            _copy_tools(real / room, view / room, names)
    exercises = view / "exercises"
    exercises.mkdir()
    shutil.copyfile(STUDENT_SIDE, exercises / "__init__.py")
    for name in sorted(calling_modules(real / "exercises")):
        shutil.copyfile(real / "exercises" / f"{name}.py", exercises / f"{name}.py")
    return folder


def _copy_tools(real: Path, view: Path, names: tuple[str, ...]) -> None:
    """A room with some of its modules only, and what its index takes from those."""
    view.mkdir()
    for name in names:
        shutil.copyfile(real / f"{name}.py", view / f"{name}.py")
    kept = {f"mdcv.{real.name}.{name}" for name in names}
    index = ast.parse((real / "__init__.py").read_text(encoding="utf-8"))
    lines = [
        ast.unparse(node)
        for node in index.body
        if isinstance(node, ast.ImportFrom) and node.module in kept
    ]
    (view / "__init__.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


def calling_modules(folder: Path) -> set[str]:
    """The modules that are needed to call a graded function, with all that they import."""
    found: set[str] = set()
    waiting = [name for name in CALLING if (folder / f"{name}.py").is_file()]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for imported in imports_of((folder / f"{name}.py").read_text(encoding="utf-8")):
            room, _, rest = imported.removeprefix("mdcv.").partition(".")
            if imported.startswith("mdcv.exercises.") and (folder / f"{rest}.py").is_file():
                waiting.append(rest)
            elif imported.startswith("mdcv.") and room not in (*ROOMS, "exercises"):
                raise ValueError(f"mdcv.exercises.{name} imports {imported}, an answer")
    return found


def imports_of(source: str) -> Iterator[str]:
    """The names of the modules that a piece of Python imports, at any depth.

    >>> sorted(imports_of("import os.path\\nfrom mdcv.data import chair"))
    ['mdcv.data', 'os.path']
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
