"""The one place where a student's code runs.

`run_notebook` is all that the rest of the grader knows of execution. A wall round the kernel,
or kernels forked from a warm template, go into `Kernel.start` and change nothing else.

Today a kernel is an ordinary process of the same user: it is stopped when it hangs, replaced
when it dies and killed with its children at the end, but it is not locked in.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from mdcv.grading.leftovers import RUN_MARK, kill_leftovers
from mdcv.grading.marks import OUTCOME_MIME, STOPPED, is_judged

#: Kernels that may die in one submission before the rest of it is given up.
MAX_RESTARTS = 25


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    cell_seconds: float = 60.0
    total_seconds: float = 900.0
    #: After an interrupt a cell has this long to give in before its kernel is killed.
    grace_seconds: float = 5.0
    #: Characters of output that one cell may leave behind; an outcome record always fits.
    output_characters: int = 200_000


def run_notebook(
    notebook: NotebookNode,
    *,
    folder: Path,
    seed: int | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
) -> list[str]:
    """Runs every code cell of the notebook in place; returns what went wrong, in words.

    A cell that overruns its time is interrupted and the next one follows. When the kernel dies
    or does not give in, a new one runs the earlier cells again, without the judged ones and
    without those that hung or killed, and goes on behind the cell that did it. So a question
    loses its points by its own fault only.

    Args:
        notebook: a rebuilt submission; its outputs are replaced.
        folder: a scratch folder, the kernel's working directory.
        seed: of the hidden cases, handed to the kernel as MDCV_GRADING_SEED. None leaves the
            public one.
        limits: seconds and characters.
        stop: once set, the run ends within a moment.
    """
    run = _Run(notebook, folder, seed, limits or Limits(), stop or threading.Event())
    asyncio.run(run.all_cells())
    return run.problems


class Kernel(NotebookClient):
    """One kernel after another for one submission, always of this very Python."""

    def __init__(self, notebook: NotebookNode, folder: Path, seed: int | None, limits: Limits):
        super().__init__(
            notebook,
            timeout=None,  # the run keeps the time itself
            allow_errors=True,
            raise_on_iopub_timeout=False,
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
        )
        self.limits = limits
        self.used: dict[int, int] = {}  # characters of output, by cell
        self.run_mark = uuid.uuid4().hex
        self.environment = {
            **os.environ,
            RUN_MARK: self.run_mark,
            "NBGRADER_EXECUTION": "autograde",
            "IPYTHONDIR": str(folder / ".ipython"),
            # Several submissions share the machine, and one core each is the fastest that way.
            "OMP_NUM_THREADS": "1",
        }
        self.environment.pop("MDCV_GRADING_SEED", None)
        if seed is not None:
            self.environment["MDCV_GRADING_SEED"] = str(seed)

    def create_kernel_manager(self) -> AsyncKernelManager:
        # With no folders to search, "python3" is this interpreter and not a kernel of that name
        # which somebody installed for themselves.
        self.km = AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])
        )
        return self.km

    async def start(self) -> None:
        """A fresh kernel, ready for its first cell."""
        self.reset_execution_trackers()
        self.create_kernel_manager()
        # What a student writes to the bare file descriptors is not for the instructor's terminal.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        await self.async_start_new_kernel(env=self.environment, **quiet)
        await self.async_start_new_kernel_client()

    async def stop(self) -> None:
        """Ends the kernel at once, and every process it started."""
        manager, client = self.km, self.kc
        self.km = self.kc = None
        if client is not None:
            client.stop_channels()
        if manager is not None:
            with contextlib.suppress(Exception):
                await manager.shutdown_kernel(now=True)
        kill_leftovers(self.run_mark)

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int):
        """Takes an output in, as long as the cell has room for it."""
        if msg["msg_type"] not in ("status", "execute_input"):
            content = msg["content"]
            always = msg["msg_type"] in ("execute_result", "error") or OUTCOME_MIME in content.get(
                "data", {}
            )
            size, used = len(str(content)), self.used.get(cell_index, 0)
            if used + size > self.limits.output_characters and not (always and size < 20_000):
                return None
            self.used[cell_index] = used + size
        return super().process_message(msg, cell, cell_index)


class _Run:
    """The state of one submission's run."""

    def __init__(self, notebook, folder, seed, limits, stop):
        self.notebook, self.limits, self.stop = notebook, limits, stop
        self.kernel = Kernel(notebook, folder, seed, limits)
        self.deadline = float("inf")  # the clock starts with the first cell
        self.problems: list[str] = []
        self.given_up: set[int] = set()  # cells that hung or killed their kernel
        self.restarts = 0

    async def all_cells(self) -> None:
        code = [i for i, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]
        for index in code:
            self.notebook.cells[index].outputs = []
            self.notebook.cells[index].execution_count = None
        try:
            await self._first_start()
            self.deadline = monotonic() + self.limits.total_seconds
            for index in code:
                await self._one_cell(index)
        finally:
            await self.kernel.stop()

    async def _first_start(self) -> None:
        """Before any code of a student has run, a kernel that does not start is an accident."""
        try:
            await self.kernel.start()
        except RuntimeError:
            await self.kernel.stop()
            await self.kernel.start()

    async def _one_cell(self, index: int) -> None:
        cell = self.notebook.cells[index]
        if self.stop.is_set():
            return _fail(cell, "not run: the grading was stopped")
        if monotonic() > self.deadline:
            spent = f"{self.limits.total_seconds:g} s"
            return _fail(cell, f"not run: the {spent} for one submission were used up")
        if self.kernel.km is None and not await self._revive(index):
            return _fail(cell, f"not run: the kernel had died {self.restarts} times before")
        fate = await self._attempt(index)
        if fate == "done":
            return None
        self.given_up.add(index)
        text = "the kernel died while {} ran"
        if fate == "slow":
            late = monotonic() > self.deadline
            text = f"{{}} was stopped after {self.limits.cell_seconds:g} s"
            text = "{} was stopped: the time for one submission was used up" if late else text
        self.problems.append(text.format(f"cell {cell.id}"))
        hint = "; os._exit or too much memory does that" if fate == "died" else ""
        _fail(cell, text.format("this cell") + hint)

    async def _attempt(self, index: int) -> str:
        """Runs one cell: "done", or "slow" when it was interrupted, or "died" with its kernel."""
        cell = self.notebook.cells[index]
        count = self.kernel.code_cells_executed + 1
        task = asyncio.ensure_future(self.kernel.async_execute_cell(cell, index, count))
        try:
            end = min(monotonic() + self.limits.cell_seconds, self.deadline)
            while not task.done() and monotonic() < end and not self.stop.is_set():
                await asyncio.wait({task}, timeout=min(end - monotonic(), 0.5))
            if task.done():
                task.result()
                return "done"
            with contextlib.suppress(RuntimeError):  # it may be gone by now
                await self.kernel.km.interrupt_kernel()
            grace = 0.0 if self.stop.is_set() else self.limits.grace_seconds
            await asyncio.wait({task}, timeout=grace)
            if not task.done():
                await self._bury()
            else:
                task.result()
            return "slow"
        except DeadKernelError:
            await self._bury()
            return "died"

    async def _bury(self) -> None:
        """Ends the cell that still runs, with all that nbclient started for it, and its kernel."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.kernel.stop()

    async def _revive(self, until: int) -> bool:
        """A new kernel in the state of the old one: the cells before `until` are run again."""
        while self.restarts <= MAX_RESTARTS and monotonic() < self.deadline:
            self.restarts += 1
            try:
                await self.kernel.start()
            except RuntimeError:  # it died before it was ready
                await self.kernel.stop()
                continue
            if await self._replay(until):
                return True
        return False

    async def _replay(self, until: int) -> bool:
        for index, cell in enumerate(self.notebook.cells[:until]):
            if cell.cell_type != "code" or is_judged(cell) or index in self.given_up:
                continue
            outputs = cell.outputs
            fate = await self._attempt(index)
            cell.outputs = outputs
            if fate != "done":
                self.given_up.add(index)
            if self.kernel.km is None:
                return False
        return True


def _fail(cell: NotebookNode, text: str) -> None:
    """Leaves the reason on the cell, where its own error would stand."""
    kept = [out for out in cell.outputs if out.output_type not in ("error", "execute_result")]
    reason = new_output("error", ename=STOPPED, evalue=text, traceback=[text])
    cell.outputs = [*kept, reason]
