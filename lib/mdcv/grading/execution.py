"""Runs a rebuilt submission: the student's cells in a kernel, the judging outside of it.

`run_notebook` is all that the rest of the grader knows of execution. The kernel is a fork of a
warm template (`warm`), or a fresh process where forks are not safe; it never sees a judged cell.
A graded question is asked from here (`verdicts`), and only its answers come back.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Literal

from nbformat import NotebookNode

from mdcv.grading.course import CannotRun
from mdcv.grading.kernel import Kernel
from mdcv.grading.limits import Limits
from mdcv.grading.marks import STOPPED, is_judged
from mdcv.grading.outputs import Outputs, Room, output_of
from mdcv.grading.remote import Died
from mdcv.grading.skeleton import is_question
from mdcv.grading.student_view import imports_of
from mdcv.grading.text import sentence
from mdcv.grading.verdicts import judge_cell
from mdcv.grading.walls import (
    TOO_MUCH_DISK,
    TOO_MUCH_MEMORY,
    TOO_MUCH_TIME,
    Isolation,
    best_isolation,
    obstacle,
)
from mdcv.grading.warm import CannotStart, Template, warm_template
from mdcv.grading.wire import Channel, Closed, Late, Malformed

#: What may be asked for; "best" is whatever works here, but never nothing.
Asked = Literal["best", "full", "basic", "none"]

#: Kernels that may die in one submission before the rest of it is given up.
MAX_RESTARTS = 25

#: A frame of a cell's outputs holds no more; see `outputs` for what is kept of it.
MOST_JSON = 16_000_000

#: Why the guard of a kernel has ended it, by its exit code.
CAUSES = {
    TOO_MUCH_MEMORY: "it took more memory than a submission may",
    TOO_MUCH_DISK: "its files took more room than a submission may fill",
    TOO_MUCH_TIME: "it took more processor time than a submission may",
}

#: A guard gets so many seconds to end with such a code.
PATIENCE = 1.0

#: Seconds for what a kernel does at once, on a busy machine.
ORDER_SECONDS = 30.0


def run_notebook(
    notebook: NotebookNode,
    *,
    folder: Path,
    seed: int | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
    isolation: Asked = "best",
) -> list[str]:
    """Runs every code cell of the notebook in place; returns what went wrong, in words.

    A cell that overruns its time is interrupted and the next one follows. When the kernel dies
    or does not give in, a new one runs the earlier cells again, without those that hung or
    killed, and goes on behind the cell that did it. So a question loses its points by its own
    fault only.

    Args:
        notebook: a rebuilt submission; its outputs are replaced.
        folder: what lies beside the notebook; the kernel works on a copy.
        seed: of the hidden cases; it stays here. None takes the public one.
        limits: seconds and characters.
        stop: once set, the run ends within a moment.
        isolation: the walls round the kernel; see `walls_for`.

    Raises:
        CannotRun: there are no such walls on this machine, or no kernel starts.
    """
    with _started(walls_for(isolation)) as template:
        run = Run(template, notebook, folder, seed, limits or Limits(), stop or threading.Event())
        run.all_cells()
    return run.problems


def walls_for(isolation: Asked) -> Isolation:
    """The walls that are put up: the best that work here, or those that were asked for.

    Args:
        isolation: "best" takes "full" or "basic", whichever works; "none" has to be named.

    Raises:
        CannotRun: those that were asked for do not work on this machine, or none does.
    """
    if isolation not in ("best", "full", "basic", "none"):
        raise CannotRun(f"isolation is {isolation!r}; expected best, full, basic or none")
    found = best_isolation() if isolation == "best" else isolation
    if found == "none" and isolation == "best":
        raise CannotRun(
            "no walls can be put up here, and without them a student's code could do anything: "
            f"{obstacle('basic')}; see `mdcv doctor`, or ask for isolation none by name"
        )
    if isolation != "best" and (reason := obstacle(isolation)) is not None:
        raise CannotRun(f"{isolation} isolation does not work here: {reason}; see `mdcv doctor`")
    return found


@contextlib.contextmanager
def _started(isolation: Isolation) -> Iterator[Template]:
    try:
        with warm_template(isolation) as template:
            yield template
    except CannotStart as error:
        raise CannotRun(f"no kernel starts: {error}") from error


class Run:
    """The state of one submission's run."""

    def __init__(self, template: Template, notebook, folder: Path, seed, limits, stop):
        self.template, self.notebook, self.seed = template, notebook, seed
        self.limits, self.stop = limits, stop
        self.files = _files(folder)
        self.place = template.place()
        self.kernel: Kernel | None = None
        self.deadline = float("inf")  # the clock starts with the first cell
        self.problems: list[str] = []
        self.room = Room()
        self.given_up: set[int] = set()  # cells that hung or killed their kernel
        self.restarts = self.count = 0
        self.cause = ""  # why the last kernel died, where its guard ended it

    def all_cells(self) -> None:
        code = [i for i, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]
        for index in code:
            self.notebook.cells[index].outputs = []
            self.notebook.cells[index].execution_count = None
        self.template.preload(_imports(self.notebook), _given_cells(self.notebook))
        self._first_start()
        self.deadline = monotonic() + self.limits.total_seconds
        for index in code:
            self._one_cell(index)
        self.bury()

    def _first_start(self) -> None:
        """Before any code of a student has run, a kernel that does not start is an accident."""
        try:
            self._start()
        except CannotStart:
            self._start()

    def _start(self) -> None:
        self.kernel = self.template.kernel(self.place, {})
        try:
            for name, content in self.files.items():
                done = self.order({"do": "file", "name": name}, content)
                if isinstance(trouble := done.get("trouble"), str) and trouble:
                    self._note(f"{sentence(name)} could not be taken along: {sentence(trouble)}")
        except Died as error:
            self.bury()
            raise CannotStart("a kernel died before it was ready") from error

    @property
    def forks(self) -> bool:
        """Whether each question has a fork of the kernel to itself."""
        return self.template.forks

    @property
    def has_kernel(self) -> bool:
        """Whether there is a kernel to be asked."""
        return self.kernel is not None

    def order(self, message: dict, payload: bytes = b"", *, handle: int | None = None) -> dict:
        """Gives the kernel an order that is done at once; returns what it says about it.

        Raises:
            Died: it was not.
        """
        channel = self._channel()
        try:
            handles = () if handle is None else (handle,)
            channel.send(message, payload, handles=handles, seconds=ORDER_SECONDS)
            end = monotonic() + ORDER_SECONDS
            frame: dict = {}
            while not self._is_done(message, frame):  # what threads of the student's print goes by
                frame, _ = channel.receive(seconds=max(end - monotonic(), 0))
            return frame
        except (Closed, Late, Malformed) as error:
            raise Died from error

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _channel(self) -> Channel:
        if self.kernel is None:
            raise Died
        return self.kernel.channel

    @staticmethod
    def _is_done(message: dict, frame: dict) -> bool:
        return frame.get("done") == message["do"]

    def _one_cell(self, index: int) -> None:
        cell = self.notebook.cells[index]
        if is_judged(cell) and not is_question(cell):
            return None  # a check is the student's, for the visible cases
        if self.stop.is_set():
            return _fail(cell, "not run: the grading was stopped")
        if monotonic() > self.deadline:
            spent = f"{self.limits.total_seconds:g} s"
            return _fail(cell, f"not run: the {spent} for one submission were used up")
        if self.kernel is None and not self._revive(index):
            return _fail(cell, f"not run: the kernel had died {self.restarts} times before")
        fate = self._judged(index) if is_judged(cell) else self._attempt(index)
        if fate == "done":
            return None
        if fate == "died" and self.stop.is_set():
            return _fail(cell, "not run: the grading was stopped")
        self.given_up.add(index)
        text = "the kernel died while {} ran"
        if fate == "slow":
            late = monotonic() > self.deadline
            text = f"{{}} was stopped after {self.limits.cell_seconds:g} s"
            text = "{} was stopped: the time for one submission was used up" if late else text
        self.problems.append(text.format(f"cell {cell.id}"))
        hint = f"; {self.cause or 'os._exit or too much memory does that'}"
        return _fail(cell, text.format("this cell") + (hint if fate == "died" else ""))

    def _judged(self, index: int) -> str:
        """Judges one question: "done", or "died" when the kernel did before it was answered."""
        cell = self.notebook.cells[index]
        self.count += 1
        cell.execution_count = self.count
        fate, waited = judge_cell(cell, self, self.seed)
        self.deadline += waited
        self.cause = ""
        if fate == "died" and not self._answers():
            self.bury(patience=PATIENCE)
        return fate

    def _answers(self) -> bool:
        """Whether the kernel is still there; without forks it is what was asked, and is not."""
        try:
            if self.forks:
                self.order({"do": "drop"})
            return self.forks
        except Died:
            return False

    def _attempt(self, index: int) -> str:
        """Runs one cell: "done", or "slow" when it was interrupted, or "died" with its kernel."""
        cell = self.notebook.cells[index]
        self.count += 1
        outputs = Outputs(cell, self.count, self.limits.output_characters, self.room)
        message = {"do": "cell", "source": cell.source}
        end = min(monotonic() + self.limits.cell_seconds, self.deadline)
        try:
            self._channel().send(message, seconds=max(end - monotonic(), 0.1))
            if self._listen(message, outputs, end):
                return "done"
            self.kernel.interrupt()
            grace = 0.0 if self.stop.is_set() else self.limits.grace_seconds
            if not self._listen(message, outputs, monotonic() + grace, patient=True):
                self.bury()
            return "slow"
        except (Closed, Malformed, Late, Died):
            self.bury(patience=PATIENCE)
            return "died"

    def _listen(self, message, outputs: Outputs, end: float, *, patient: bool = False) -> bool:
        """Takes outputs in until the cell is done; False when time is up or the grading ends."""
        channel = self._channel()
        while monotonic() < end and (patient or not self.stop.is_set()):
            try:
                wait = max(min(end - monotonic(), 0.5), 0.0)
                frame, _ = channel.receive(seconds=wait, most_json=MOST_JSON, most_payload=0)
            except Late:
                continue
            if self._is_done(message, frame):
                return True
            outputs.take(frame)
        return False

    def bury(self, *, patience: float = 0.0) -> None:
        """Ends the kernel, with everything it started.

        Args:
            patience: seconds to learn why it has died, where it has.
        """
        if self.kernel is not None:
            self.kernel.kill()
            self.kernel = None
        codes = self.template.end_all(patience=patience)
        self.cause = next((CAUSES[code] for code in codes if code in CAUSES), "")

    def _revive(self, until: int) -> bool:
        """A new kernel in the state of the old one: the cells before `until` are run again."""
        while self.restarts <= MAX_RESTARTS and monotonic() < self.deadline:
            self.restarts += 1
            try:
                self._start()
            except CannotStart:  # it died before it was ready
                continue
            if self._replay(until):
                return True
        return False

    def _replay(self, until: int) -> bool:
        for index, cell in enumerate(self.notebook.cells[:until]):
            if cell.cell_type != "code" or is_judged(cell) or index in self.given_up:
                continue
            outputs, count, counted = cell.outputs, cell.execution_count, self.count
            fate = self._attempt(index)
            cell.outputs, cell.execution_count, self.count = outputs, count, counted
            if fate != "done":
                self.given_up.add(index)
            if self.kernel is None:
                return False
        return True


def _files(folder: Path) -> dict[str, bytes]:
    """The files in a folder, by their path in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _given_cells(notebook: NotebookNode) -> tuple[str, ...]:
    """The code that the assignment came with and that asks nobody for points."""
    return tuple(
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and cell.metadata.get("nbgrader", {}).get("locked")
        and not is_judged(cell)
    )


def _imports(notebook: NotebookNode) -> set[str]:
    """What the assignment's own cells import; students' cells are not trusted with it."""
    return set().union(
        *(
            _imported(cell.source)
            for cell in notebook.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("locked")
        )
    )


@functools.lru_cache(maxsize=1000)
def _imported(source: str) -> frozenset[str]:
    lines = source.splitlines()
    return frozenset(imports_of("\n".join(x for x in lines if not x.startswith(("%", "!")))))


def _fail(cell: NotebookNode, text: str) -> None:
    """Leaves the reason on the cell, where its own error would stand."""
    kept = [out for out in cell.outputs if out.output_type not in ("error", "execute_result")]
    reason = output_of("error", ename=STOPPED, evalue=text, traceback=[text])
    cell.outputs = [*kept, reason]
