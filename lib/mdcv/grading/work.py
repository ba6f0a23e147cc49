"""One submission as a parcel: everything a worker needs, and everything it sends back.

A task is plain data: the rebuilt notebook as text, the files beside it as bytes, the seed of
the hidden cases, the limits. So it can be graded in another process or on another machine,
which needs neither the course nor the gradebook, and it is graded the same everywhere.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import nbformat

import mdcv
from mdcv.grading.course import CannotRun
from mdcv.grading.limits import Limits
from mdcv.grading.marks import Mark, mark_notebook
from mdcv.grading.notes import note_problems
from mdcv.grading.text import sentence, writable

#: How the reason begins when it was not the student's fault.
FAULT = "the grader failed"

#: What no submission is to blame for: the machine has run out of something.
EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


@dataclass(frozen=True)
class Task:
    """A submission that is rebuilt and waits to be run."""

    student: str
    notebook: str
    files: dict[str, bytes] = field(repr=False)
    problems: tuple[str, ...]
    seed: int
    limits: Limits
    isolation: str
    version: str

    def fingerprint(self) -> str:
        """One word for everything that the marks depend on."""
        digest = hashlib.sha256()
        settings = (self.seed, self.limits, self.isolation, self.version, self.problems)
        parts = [self.notebook.encode("utf-8", "replace"), repr(settings).encode()]
        for name in sorted(self.files):
            parts += [name.encode("utf-8", "surrogateescape"), self.files[name]]
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


@dataclass(frozen=True)
class Graded:
    """What comes back: the marks and the page to write, or why there are none.

    `failure` is why this submission gets zero; `obstacle` is what keeps the whole run from
    going on, such as a full disk. Either leaves `marks` empty.
    """

    student: str
    marks: dict[str, Mark] = field(default_factory=dict)
    page: str = field(default="", repr=False)
    problems: tuple[str, ...] = ()
    failure: str | None = None
    obstacle: str | None = None


def grade_task(task: Task, stop: threading.Event | None = None) -> Graded:
    """The marks of one submission. Touches nothing outside a scratch folder; never raises.

    Args:
        stop: once set, the run ends within a moment.
    """
    # Imported here, with torch: the process that hands tasks out never needs it.
    from mdcv.grading.execution import run_notebook, walls_for

    if task.version != grader_version():
        words = f"this worker has another version of mdcv: {grader_version()}, not {task.version}"
        return Graded(task.student, obstacle=words)
    try:
        walls_for(task.isolation)
    except CannotRun as error:
        return Graded(task.student, obstacle=str(error))
    try:
        notebook = nbformat.reads(task.notebook, as_version=4)
        with tempfile.TemporaryDirectory(prefix="mdcv-", ignore_cleanup_errors=True) as scratch:
            unpack(task.files, Path(scratch))
            found = run_notebook(
                notebook,
                folder=Path(scratch),
                seed=task.seed,
                limits=task.limits,
                stop=stop,
                isolation=task.isolation,
            )
        problems = (*task.problems, *found)
        marks = mark_notebook(notebook)
        note_problems(notebook, list(problems))
        page = writable(nbformat.writes(notebook)) + "\n"
        return Graded(task.student, marks, page, problems)
    except Exception as error:  # a fault of ours must not stop the class
        if (obstacle := obstacle_of(error)) is not None:
            return Graded(task.student, obstacle=obstacle)
        return Graded(task.student, failure=f"{FAULT}: {describe(error)}")


def unpack(files: dict[str, bytes], folder: Path) -> None:
    """Writes the files of a task into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def obstacle_of(error: BaseException) -> str | None:
    """What keeps everything from going on, in words; None when it was this submission alone."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in EXHAUSTED:
            return sentence(str(one))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those it was raised from."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def describe(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {sentence(str(error))}"


@functools.cache
def grader_version() -> str:
    """The package's version and a digest of its sources: equal where marks are made alike.

    >>> grader_version().split("+")[0]
    '...'
    """
    digest = hashlib.sha256()
    root = Path(mdcv.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return f"{metadata.version('mdcv')}+{digest.hexdigest()[:12]}"
