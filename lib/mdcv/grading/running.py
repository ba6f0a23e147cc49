"""One submission's notebook and the kernel that runs its cells."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from time import monotonic

from nbformat import NotebookNode

from mdcv.grading.kernel import Kernel
from mdcv.grading.limits import Limits
from mdcv.grading.marks import is_judged
from mdcv.grading.outputs import Outputs, Room
from mdcv.grading.remote import Died
from mdcv.grading.student_view import imports_of
from mdcv.grading.text import sentence
from mdcv.grading.walls import TOO_MUCH_DISK, TOO_MUCH_MEMORY, TOO_MUCH_TIME
from mdcv.grading.warm import CannotStart, Template
from mdcv.grading.wire import Channel, Closed, Late, Malformed

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


class Run:
    """The state of one submission's run: `attempt` runs a cell, `order` has other things done.

    Args:
        template: where kernels come from.
        notebook: a rebuilt submission; its outputs are replaced.
        folder: what lies beside the notebook.
        seed: of the hidden cases.
        limits: seconds and characters.
        stop: once set, the run ends within a moment.
    """

    def __init__(
        self,
        template: Template,
        notebook: NotebookNode,
        folder: Path,
        seed: int | None,
        limits: Limits,
        stop: threading.Event,
    ) -> None:
        self.template, self.notebook, self.seed = template, notebook, seed
        self.limits, self.stop = limits, stop
        self.files = _files(folder)
        self.place = template.place()
        self.kernel: Kernel | None = None
        self.deadline = float("inf")  # the clock starts with the first cell
        self.problems: list[str] = []
        self.room = Room()
        self.count = 0
        self.cause = ""  # why the last kernel died, where its guard ended it

    def begin(self) -> list[int]:
        """Clears the outputs and starts a kernel; returns where the code cells are.

        Raises:
            CannotStart: none came up.
        """
        code = [i for i, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]
        for index in code:
            self.notebook.cells[index].outputs = []
            self.notebook.cells[index].execution_count = None
        self.template.preload(_imports(self.notebook), _given_cells(self.notebook))
        try:
            self.start()
        except CannotStart:  # before any code of a student has run, that is an accident
            self.start()
        self.deadline = monotonic() + self.limits.total_seconds
        return code

    def start(self) -> None:
        """Brings up a kernel, with the files that lie beside the notebook.

        Raises:
            CannotStart: it did not come up.
        """
        self.kernel = self.template.kernel(self.place)
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
            while not _is_done(message, frame):  # what threads of the student's print goes by
                frame, _ = channel.receive(seconds=max(end - monotonic(), 0))
            return frame
        except (Closed, Late, Malformed) as error:
            raise Died from error

    def attempt(self, index: int) -> str:
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

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _channel(self) -> Channel:
        if self.kernel is None:
            raise Died
        return self.kernel.channel

    def _listen(self, message, outputs: Outputs, end: float, *, patient: bool = False) -> bool:
        """Takes outputs in until the cell is done; False when time is up or the grading ends."""
        channel = self._channel()
        while monotonic() < end and (patient or not self.stop.is_set()):
            try:
                wait = max(min(end - monotonic(), 0.5), 0.0)
                frame, _ = channel.receive(seconds=wait, most_json=MOST_JSON, most_payload=0)
            except Late:
                continue
            if _is_done(message, frame):
                return True
            outputs.take(frame)
        return False


def _is_done(message: dict, frame: dict) -> bool:
    return frame.get("done") == message["do"]


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
