"""The patient way through a submission: one thing after the other, and a new kernel where one dies.

A cell that overruns its time is interrupted and the next one follows. When the kernel dies or does
not give in, a new one runs the earlier cells again, without those that hung or killed, and goes on
behind the cell that did it. So a question loses its points by its own fault only.
"""

from __future__ import annotations

from time import monotonic

from nbformat import NotebookNode

from mdcv.grading.marks import STOPPED, is_judged
from mdcv.grading.outputs import output_of
from mdcv.grading.remote import Died
from mdcv.grading.running import PATIENCE, Run
from mdcv.grading.skeleton import is_question
from mdcv.grading.verdicts import judge_cell
from mdcv.grading.warm import CannotStart

#: Kernels that may die in one submission before the rest of it is given up.
MAX_RESTARTS = 25


class InTurn(Run):
    """A run that goes to the end, whatever its cells do."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.given_up: set[int] = set()  # cells that hung or killed their kernel
        self.restarts = 0

    def all_cells(self) -> None:
        """Runs and judges them; what went wrong is in `problems`.

        Raises:
            CannotStart: there is no kernel to begin with.
        """
        for index in self.begin():
            self._one_cell(index)
        self.bury()

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
        fate = self._judged(index) if is_judged(cell) else self.attempt(index)
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

    def _revive(self, until: int) -> bool:
        """A new kernel in the state of the old one: the cells before `until` are run again."""
        while self.restarts <= MAX_RESTARTS and monotonic() < self.deadline:
            self.restarts += 1
            try:
                self.start()
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
            fate = self.attempt(index)
            cell.outputs, cell.execution_count, self.count = outputs, count, counted
            if fate != "done":
                self.given_up.add(index)
            if self.kernel is None:
                return False
        return True


def _fail(cell: NotebookNode, text: str) -> None:
    """Leaves the reason on the cell, where its own error would stand."""
    kept = [out for out in cell.outputs if out.output_type not in ("error", "execute_result")]
    reason = output_of("error", ename=STOPPED, evalue=text, traceback=[text])
    cell.outputs = [*kept, reason]
