"""The files beside a notebook, taken along as far as they are harmless."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from mdcv.grading.text import sentence

#: Of the files beside a notebook at most this many bytes are taken along, in this many files.
MAX_COPIED_BYTES = 50_000_000
MAX_COPIED_FILES = 2_000


def copy_files(source: Path, target: Path) -> list[str]:
    """Copies the ordinary files beside a notebook into a folder; returns what was left out and why.

    Notebooks, hidden files and files that are there already are passed over without a word.
    Links, what is beyond 50 MB in all, and modules that would hide a package are left out.
    """
    problems: list[str] = []
    room, places = MAX_COPIED_BYTES, MAX_COPIED_FILES
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(names):
            path = Path(folder, name)
            inside = path.relative_to(source)
            shown, destination = sentence(str(inside)), target / inside
            if name.startswith(".") or path.suffix == ".ipynb" or destination.exists():
                continue
            try:
                if path.is_symlink() or not path.is_file():
                    problems.append(f"{shown} is a link or no ordinary file; it was left out")
                elif package := _hidden_package(inside):
                    problems.append(f"{shown} would hide the package {package}; it was left out")
                elif (places := places - 1) < 0:
                    problems.append(f"{shown} and what follows are too many files; left out")
                    return problems
                elif (room := room - path.stat().st_size) < 0:
                    problems.append(f"{shown} and what follows is beyond 50 MB; it was left out")
                    return problems
                else:
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, destination)
            except OSError as error:
                problems.append(f"{shown} cannot be copied ({error.strerror}); it was left out")
    return problems


def _hidden_package(path: Path) -> str | None:
    """The installed package in whose place Python would import this file, or its folder."""
    if path.suffix not in (".py", ".so", ".pyc"):
        return None
    name = path.parts[0].split(".")[0]
    try:
        return name if importlib.util.find_spec(name) is not None else None
    except (ImportError, ValueError):
        return None
