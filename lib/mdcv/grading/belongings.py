"""The files beside a notebook, taken along as far as they are harmless."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
from pathlib import Path

from mdcv.grading.text import sentence

#: Of the files beside a notebook at most this many bytes are taken along, in this many files.
MAX_COPIED_BYTES = 50_000_000
MAX_COPIED_FILES = 2_000

#: A longer path may not fit where the file goes.
MAX_PATH_BYTES = 500

#: So many files are told apart; of the others only the number is told.
MAX_TOLD = 20


def copy_files(source: Path, target: Path) -> list[str]:
    """Copies the ordinary files beside a notebook into a folder; returns what was left out and why.

    Notebooks, hidden files and files that are there already are passed over without a word.
    Links, what is beyond 50 MB in all, and modules that would hide a package are left out.
    """
    problems: list[str] = []
    room, places, left_out = MAX_COPIED_BYTES, MAX_COPIED_FILES, 0
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not _is_passed_over(name))
        for name in sorted(names):
            if _is_passed_over(name):
                continue
            path = Path(folder, name)
            reason, size = _obstacle(path, path.relative_to(source), room, places)
            destination = target / path.relative_to(source)
            try:
                if reason is None and not destination.exists():
                    room, places = room - size, places - 1
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, destination)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                reason = f"cannot be copied ({error.strerror})"
            if reason is not None and (left_out := left_out + 1) <= MAX_TOLD:
                shown = sentence(str(path.relative_to(source)))[:200]
                problems.append(f"{shown} {reason}; it was left out")
    if left_out > MAX_TOLD:
        problems.append(f"{left_out - MAX_TOLD} more files were left out")
    return problems


def _is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name stays behind: hidden, a cache, or a notebook."""
    return name.startswith((".", "__pycache__")) or name.lower().endswith(".ipynb")


def _obstacle(path: Path, inside: Path, room: int, places: int) -> tuple[str | None, int]:
    """Why a file cannot be taken along, and its size."""
    try:
        if path.is_symlink() or not path.is_file():
            return "is a link or no ordinary file", 0
        if package := _hidden_package(inside):
            return f"would hide the package {package}", 0
        if len(os.fsencode(inside)) > MAX_PATH_BYTES:
            return f"has a path of more than {MAX_PATH_BYTES} bytes", 0
        size = path.stat().st_size
    except OSError as error:
        return f"cannot be read ({error.strerror})", 0
    if places <= 0:
        return f"is one more than {MAX_COPIED_FILES} files", 0
    if size > room:
        return "is beyond 50 MB", 0
    return None, size


def _hidden_package(path: Path) -> str | None:
    """The installed package in whose place Python would import this file, or its folder."""
    if path.suffix not in (".py", ".so", ".pyc"):
        return None
    name = path.parts[0].split(".")[0]
    try:
        return name if importlib.util.find_spec(name) is not None else None
    except (ImportError, ValueError):
        return None
