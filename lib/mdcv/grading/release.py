"""assignments/ from solutions/: the same bytes each time, and no answer given away."""

from __future__ import annotations

import copy
import dataclasses
import logging
import re
import shutil
import tempfile
from pathlib import Path

import nbformat

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.skeleton import Skeleton, load_skeleton, release_steps

STUB = "raise NotImplementedError"
REGION = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")


def release(course: Course, assignment: str) -> Path:
    """Writes the released assignment anew and enters it into the gradebook; returns its folder.

    Raises:
        CannotRun: there is no such assignment, the release would give something away, or the
            gradebook holds submissions to an assignment with other cells.
    """
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        fresh = _generate(course, assignment, Path(scratch))
        check_release(course.notebook(assignment), fresh / f"{assignment}.ipynb")
        enter_assignment(course, assignment)
        target = course.release / assignment
        if not _same_files(fresh, target):
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(fresh, target)
    return target


def release_is_current(course: Course, assignment: str) -> bool:
    """Whether assignments/ holds exactly what `release` would write now. Nothing is changed.

    Raises:
        CannotRun: there is no such assignment, or the release would give something away.
    """
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        fresh = _generate(course, assignment, Path(scratch))
        check_release(course.notebook(assignment), fresh / f"{assignment}.ipynb")
        return _same_files(fresh, course.release / assignment)


def enter_assignment(course: Course, assignment: str, skeleton: Skeleton | None = None) -> None:
    """Enters an assignment with its cells and due date into the gradebook, or brings it up to date.

    Args:
        skeleton: the assignment, where it was loaded already.

    Raises:
        CannotRun: the gradebook cannot be used, or holds submissions to other cells.
    """
    from nbgrader.preprocessors import SaveCells

    from mdcv.grading.roster import due_date

    skeleton = skeleton or load_skeleton(course.notebook(assignment), course.config())
    about = {"notebook": assignment, "assignment": assignment, "db_url": course.database}
    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=due_date(course, assignment))
        try:
            SaveCells(config=course.config()).preprocess(
                copy.deepcopy(skeleton.notebook), {"nbgrader": about}
            )
        except RuntimeError as error:
            raise CannotRun(f"nbgrader refuses to enter {assignment}: {error}") from error


def check_release(source: Path, released: Path) -> None:
    """Refuses a release that gives an answer, a hidden case or a rubric away.

    Looked for are the marks of nbgrader's regions, also misspelled ones; every line that the
    source shows nowhere outside such a region; answers without a stub; and outputs.

    Raises:
        CannotRun: something was found; the message names the cell.
    """
    visible, secret = _lines(nbformat.read(source, as_version=4))
    for cell in nbformat.read(released, as_version=4).cells:
        found = _given_away(cell, secret - visible)
        if found:
            raise CannotRun(f"{released.name} is not released: cell {cell.id} {found}")


def _given_away(cell: nbformat.NotebookNode, secret: set[str]) -> str | None:
    """What a released cell shows that it must not, in words; None if nothing."""
    nbgrader = cell.metadata.get("nbgrader", {})
    if REGION.search(cell.source) or re.search(r"#{2,}\s*(BEGIN|END)\b", cell.source):
        return "still holds the mark of a region; is it misspelled in the source?"
    for line in cell.source.splitlines():
        if line.strip() in secret:
            return f"shows a line of the answer or of a hidden case: {line.strip()[:60]}"
    if cell.cell_type != "code":
        return None
    if cell.outputs or cell.execution_count is not None:
        return "holds outputs"
    if nbgrader.get("solution") and STUB not in cell.source:
        return "is an answer without a stub; it has no ### BEGIN SOLUTION"
    return None


def _lines(notebook: nbformat.NotebookNode) -> tuple[set[str], set[str]]:
    """The lines that students may see, and those inside regions; short ones give nothing away."""
    visible: set[str] = set()
    secret: set[str] = set()
    for cell in notebook.cells:
        inside = False
        for line in map(str.strip, cell.source.splitlines()):
            mark = REGION.search(line)
            if mark:
                inside = mark.group(1) == "BEGIN"
            elif len(line) >= 12:
                (secret if inside else visible).add(line)
    return visible, secret


def _generate(course: Course, assignment: str, scratch: Path) -> Path:
    """The release in a scratch folder, by nbgrader's own generate_assignment; no gradebook."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.preprocessors import SaveCells

    course.notebook(assignment)
    course = dataclasses.replace(course, release=scratch)
    config = course.config()
    config.GenerateAssignment.no_database = True
    steps = [step for step in release_steps(config) if step is not SaveCells]
    config.GenerateAssignment.preprocessors = steps
    converter = GenerateAssignment(coursedir=course.directory(assignment), config=config)
    heard = _Heard()
    converter.log = heard.logger
    try:
        converter.start()
    except NbGraderException as error:
        reason = heard.reason() or str(error)
        raise CannotRun(f"nbgrader refuses to generate {assignment}: {reason}") from error
    return scratch / assignment


class _Heard(logging.Handler):
    """What nbgrader says while it works, so that its reason can be passed on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self.logger = logging.Logger("nbgrader", logging.ERROR)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def reason(self) -> str:
        """The last line of the last traceback, which is the sentence a person needs."""
        traces = [text for text in self.said if text.startswith("Traceback")]
        return traces[-1].strip().splitlines()[-1] if traces else ""


def _same_files(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""

    def contents(folder: Path) -> dict[Path, bytes]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        kept = [path for path in files if ".ipynb_checkpoints" not in path.parts]
        return {path.relative_to(folder): path.read_bytes() for path in kept}

    return contents(one) == contents(other)
