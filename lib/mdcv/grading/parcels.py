"""Submissions made into tasks: everything is read once, and the submissions are only read."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

import nbformat
from nbformat import NotebookNode

from mdcv.grading.course import CannotRun
from mdcv.grading.handed_in import Several
from mdcv.grading.intake import Unreadable, copy_files, find_notebook, read_cells, rebuild
from mdcv.grading.limits import Limits
from mdcv.grading.scheduling import RESUME
from mdcv.grading.skeleton import Skeleton
from mdcv.grading.text import sentence, writable
from mdcv.grading.unzipped import unzipped
from mdcv.grading.work import FAULT, Task, describe, grader_version, obstacle_of

#: So many notebooks of one student are opened, if need be.
MAX_NOTEBOOKS = 10


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
            with unzipped(folder, assignment) as (place, unpacked):
                path, notebook, problems = self._clear_one(place, assignment)
                files, left_out = pack(path.parent)
                files, replaced = beside(self.given, files)
                handed_in, odd = _handed_in(folder / assignment, path.parent)
        except Unreadable as error:
            return Sheet(student, folder, failure=str(error))
        except Exception as error:  # a fault of ours must not stop the class
            if (obstacle := obstacle_of(error)) is not None:
                raise CannotRun(f"{obstacle}. {RESUME}") from error
            return Sheet(student, folder, failure=f"{FAULT}: {describe(error)}")
        task = Task(
            student=student,
            notebook=writable(nbformat.writes(notebook)),
            files=files,
            problems=(*unpacked, *problems, *left_out, *replaced, *odd),
            seed=self.seed,
            limits=self.limits,
            isolation=self.isolation,
            version=self.version,
        )
        return Sheet(student, folder, task, handed_in=handed_in)

    def _clear_one(self, folder: Path, assignment: str) -> tuple[Path, NotebookNode, list[str]]:
        """The notebook that is meant, rebuilt: the first that can be read, else the only one.

        Raises:
            Unreadable: none can be read, or several could be meant.
        """
        without: tuple[Path, ...] = ()
        reasons: list[Unreadable] = []
        said: list[str] = []
        while len(without) < MAX_NOTEBOOKS:
            try:
                path, problems = find_notebook(folder, assignment, without=without)
            except Several as several:
                good = [one for one in several.paths[:MAX_NOTEBOOKS] if self._is_good(one)]
                if len(good) != 1:
                    raise (reasons or [several])[0] from several
                without += tuple(one for one in several.paths if one not in good)
                continue
            except Unreadable as none:
                raise (reasons or [none])[0] from none
            try:
                notebook, mended = rebuild(read_cells(path), self.skeleton)
                return path, notebook, [*said, *problems, *mended]
            except Unreadable as reason:
                without += (path,)
                reasons.append(reason)
                said.append(f"{sentence(path.name)[:100]}: {reason}")
        raise reasons[0]

    def _is_good(self, path: Path) -> bool:
        """Whether this is a notebook of the assignment."""
        try:
            rebuild(read_cells(path), self.skeleton)
        except Unreadable:
            return False
        return True


def pack(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The ordinary files beside a notebook by name, and what was left out and why."""
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        problems = copy_files(folder, Path(scratch))
        found = sorted(path for path in Path(scratch).rglob("*") if path.is_file())
        return {str(path.relative_to(scratch)): path.read_bytes() for path in found}, problems


def beside(given: dict[str, bytes], own: dict[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files of an assignment and those of a student, and which of theirs had to give way.

    >>> beside({"data/points.csv": b"1"}, {"data": b"", "more.csv": b"2"})[1]
    ['data is in the place of a file of the assignment; it was left out']
    """
    files, problems = dict(given), []
    folders = {str(parent) for name in given for parent in PurePath(name).parents}
    for name, content in own.items():
        above = {name, *map(str, PurePath(name).parents)}
        if name in folders or (above & given.keys() and given.get(name) != content):
            shown = sentence(name)[:200]
            problems.append(f"{shown} is in the place of a file of the assignment; it was left out")
        else:
            files[name] = content
    return files, problems


def _handed_in(*folders: Path) -> tuple[datetime | None, list[str]]:
    """When the submission was handed in, as nbgrader's timestamp.txt says; None without one.

    Args:
        folders: where that file may stand; the first one that has it counts.
    """
    from nbgrader.utils import parse_utc

    for path in (folder / "timestamp.txt" for folder in folders):
        if path.is_file() and not path.is_symlink():
            try:
                with path.open("rb") as file:
                    return parse_utc(file.read(100).decode().strip()), []
            except Exception:  # anything may stand in that file
                return None, ["timestamp.txt holds no date; it was ignored"]
    return None, []
