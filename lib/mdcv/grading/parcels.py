"""Submissions made into tasks: everything is read once, and the submissions are only read."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat

from mdcv.grading.course import CannotRun
from mdcv.grading.intake import Unreadable, copy_files, find_notebook, read_cells, rebuild
from mdcv.grading.limits import Limits
from mdcv.grading.scheduling import RESUME
from mdcv.grading.skeleton import Skeleton
from mdcv.grading.text import writable
from mdcv.grading.work import FAULT, Task, describe, grader_version, obstacle_of


@dataclass(frozen=True)
class Sheet:
    """A submission that was read: a task, or the reason why it is none."""

    student: str
    folder: Path
    task: Task | None = None
    failure: str = ""
    handed_in: datetime | None = None


class Parcels:
    """Makes tasks: everything is read once, and nothing is written beside the scratch folder."""

    def __init__(self, source: Path, skeleton: Skeleton, seed: int, limits: Limits, isolation: str):
        self.skeleton, self.seed, self.limits = skeleton, seed, limits
        self.isolation, self.version = isolation, grader_version()
        try:
            self.given, _ = pack(source.parent)
        except OSError as error:
            raise CannotRun(f"the files of {source.parent} cannot be read: {error}") from error

    def read(self, folder: Path, student: str, assignment: str) -> Sheet:
        """One submission, rebuilt.

        Raises:
            CannotRun: the machine has run out of something.
        """
        try:
            path, problems = find_notebook(folder, assignment)
            notebook, mended = rebuild(read_cells(path), self.skeleton)
            files, left_out = pack(path.parent)
            handed_in, odd = _handed_in(files)
        except Unreadable as error:
            return Sheet(student, folder, failure=str(error))
        except Exception as error:  # a fault of ours must not stop the class
            if (obstacle := obstacle_of(error)) is not None:
                raise CannotRun(f"{obstacle}. {RESUME}") from error
            return Sheet(student, folder, failure=f"{FAULT}: {describe(error)}")
        task = Task(
            student=student,
            notebook=writable(nbformat.writes(notebook)),
            files={**files, **self.given},
            problems=(*problems, *mended, *left_out, *odd),
            seed=self.seed,
            limits=self.limits,
            isolation=self.isolation,
            version=self.version,
        )
        return Sheet(student, folder, task, handed_in=handed_in)


def pack(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The ordinary files beside a notebook by name, and what was left out and why."""
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        problems = copy_files(folder, Path(scratch))
        found = sorted(path for path in Path(scratch).rglob("*") if path.is_file())
        return {str(path.relative_to(scratch)): path.read_bytes() for path in found}, problems


def _handed_in(files: dict[str, bytes]) -> tuple[datetime | None, list[str]]:
    """When the submission was handed in, as nbgrader's timestamp.txt says; None without one."""
    from nbgrader.utils import parse_utc

    if "timestamp.txt" not in files:
        return None, []
    try:
        return parse_utc(files["timestamp.txt"][:100].decode().strip()), []
    except Exception:  # anything may stand in that file
        return None, ["timestamp.txt holds no date; it was ignored"]
