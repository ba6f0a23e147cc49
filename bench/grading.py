"""Measures `mdcv grade` beside stock nbgrader: the same release, the same submissions, in turns.

    python -m bench.grading --sizes 20 100 --json bench/grading.json

Stock is `nbgrader autograde` with its own configuration: an ordinary kernel for each submission,
and the graded cells run in it. Both run as commands of their own, so that start-up is counted.

Stock takes every submission as long as the one before. So it is measured on a few, and a batch is
what starts it up plus as many times one more submission; ours is measured on the whole batch.
Both run what students wrote. What that takes in a process that is warm already, without judging,
is measured as well: no grader can be faster than that.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

import nbformat
import psutil

from bench.submissions import honest

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENTS = (
    "a1_distances",
    "a2_vae",
    "a3_gan",
    "a4_point_sets",
    "a5_pointnet",
    "a7_detection",
)

STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.source_directory = "../solutions"
c.CourseDirectory.release_directory = "../assignments"
c.Autograde.create_student = True
c.ClearMarkScheme.enforce_metadata = False
c.ExecutePreprocessor.timeout = 120
"""

#: So often a running command is looked at, in seconds; its memory only every so many times, since
#: a process stands still while its pages are counted. What looks on takes time from the command.
LOOK, LOOKS = 0.5, 4


@dataclass(frozen=True)
class Cost:
    """What one command took: seconds on the wall and of all processors, and MB at its peak."""

    wall: float
    cpu: float
    memory: float


@dataclass
class Measured:
    """What was measured for one assignment, by the number of submissions."""

    assignment: str
    ours: dict[int, Cost] = field(default_factory=dict)
    stock: dict[int, Cost] = field(default_factory=dict)
    #: Seconds that the students' own cells take of one processor, in a process that is warm.
    floor: float = 0.0

    def each(self, costs: dict[int, Cost], kind: str = "wall") -> float:
        """What every submission after the first one costs."""
        few, many = min(costs), max(costs)
        first, last = (getattr(costs[size], kind) for size in (few, many))
        return (last - first) / max(1, many - few)

    def batch(self, costs: dict[int, Cost], size: int, kind: str = "wall") -> float:
        """The whole command for so many submissions: as measured, or carried on from fewer."""
        if size in costs:
            return getattr(costs[size], kind)
        few = min(costs)
        return getattr(costs[few], kind) + (size - few) * self.each(costs, kind)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the submissions, runs both graders in turns and prints what one submission costs."""
    parser = argparse.ArgumentParser(prog="python -m bench.grading", description=__doc__)
    parser.add_argument("assignments", nargs="*", default=ASSIGNMENTS, help="all by default")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 100], help="batches of ours")
    parser.add_argument("--stock", type=int, default=6, help="submissions for stock; default 6")
    parser.add_argument("--jobs", type=int, default=1, help="at once, for mdcv; default 1")
    parser.add_argument("--isolation", default="full", help="full (default), basic or none")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every single figure")
    asked = parser.parse_args(arguments)
    found = []
    for assignment in asked.assignments:
        with tempfile.TemporaryDirectory(prefix="mdcv-bench-") as folder:
            class_ = Class(Path(folder), assignment, max(*asked.sizes, asked.stock))
            measured = Measured(assignment, floor=floor(assignment))
            class_.ours(1, [])  # what is compiled once on a machine is compiled now
            for size in sorted({1, *asked.sizes}):
                more = ["--jobs", str(asked.jobs), "--isolation", asked.isolation]
                measured.ours[size] = class_.ours(size, more)
                if len(measured.stock) < 2:
                    few = asked.stock if measured.stock else 1
                    measured.stock[few] = class_.stock(few)
        found.append(measured)
        print(as_table(measured, asked.sizes, asked.jobs), flush=True)
    if asked.json is not None:
        every = {"jobs": asked.jobs, "assignments": [asdict(one) for one in found]}
        asked.json.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")


class Class:
    """Submissions and two courses to grade them in, in a scratch folder."""

    def __init__(self, folder: Path, assignment: str, size: int) -> None:
        self.folder, self.assignment = folder, assignment
        shutil.copytree(ROOT / "solutions" / assignment, folder / "solutions" / assignment)
        for name, config in (("mdcv", None), ("stock", STOCK_CONFIG)):
            (folder / name).mkdir()
            path = folder / name / "nbgrader_config.py"
            path.write_text(config or (ROOT / "course/nbgrader_config.py").read_text("utf-8"))
        run("nbgrader", "generate_assignment", assignment, f"--course-dir={folder / 'stock'}")
        released = folder / "assignments" / assignment / f"{assignment}.ipynb"
        source = folder / "solutions" / assignment / f"{assignment}.ipynb"
        self.texts = honest(
            nbformat.read(released, as_version=4), nbformat.read(source, as_version=4), size
        )

    def ours(self, size: int, more: list[str]) -> Cost:
        """`mdcv grade` on the first submissions."""
        place = self._hand_in("mdcv", size)
        return run("mdcv", "grade", self.assignment, f"--course={place}", "--again", *more)

    def stock(self, size: int) -> Cost:
        """`nbgrader autograde` on the first submissions."""
        place = self._hand_in("stock", size)
        return run("nbgrader", "autograde", self.assignment, f"--course-dir={place}", "--force")

    def _hand_in(self, course: str, size: int) -> Path:
        place = self.folder / course
        for name in ("submitted", "autograded"):
            shutil.rmtree(place / name, ignore_errors=True)
        for number, text in enumerate(self.texts[:size]):
            folder = place / "submitted" / f"student{number:04}" / self.assignment
            folder.mkdir(parents=True)
            (folder / f"{self.assignment}.ipynb").write_text(text, encoding="utf-8")
        return place


def run(program: str, *arguments: str) -> Cost:
    """Runs a program of this environment and returns what it took, its children included.

    It runs in a folder of its own: in this repository nbgrader would find our configuration, and
    with it our grader.
    """
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    command, begun, used, memory = [f"{programs}/{program}", *arguments], perf_counter(), {}, 0.0
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryDirectory() as place:
        process = psutil.Popen(command, env=environment, stdout=said, stderr=said, cwd=place)
        for look in itertools.count():
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(LOOK)
                break
            family = relatives(process)
            note_times(family, used)
            if look % LOOKS == 0:
                memory = max(memory, sum(map(proportional_memory, family)))
        wall = perf_counter() - begun
        said.seek(0)
        said_all = said.read()
        if process.returncode:
            raise SystemExit(f"{program} {' '.join(arguments)} failed:\n{said_all[-3000:]}")
    return Cost(wall, sum(used.values()), memory)


def relatives(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it has started, directly or not."""
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def note_times(family: list[psutil.Process], used: dict[int, float]) -> None:
    """Notes what each process has used by now: not every parent waits for its own."""
    for one in family:
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            used[one.pid] = times.user + times.system


def proportional_memory(process: psutil.Process) -> float:
    """MB of a process, with its part of what it shares; 0 for one that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def floor(assignment: str) -> float:
    """Processor seconds of the students' own cells in a solution, once everything is warm."""
    command = [sys.executable, "-P", "-m", "bench.submissions", assignment]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def as_table(measured: Measured, sizes: Sequence[int], jobs: int) -> str:
    """Seconds for one more submission and for whole batches, and how many times faster."""
    ours, stock = measured.ours, measured.stock
    rows = {f"one more submission, {kind}": (kind, None) for kind in ("wall", "cpu")}
    rows |= {f"{size} submissions, whole command": ("wall", size) for size in sizes}
    lines = [
        f"{measured.assignment}, {jobs} at once; stock was measured on {max(stock)} submissions",
        f"{'seconds':36}mdcv    stock  times",
    ]
    for title, (kind, size) in rows.items():
        mine, theirs = (
            measured.each(costs, kind) if size is None else measured.batch(costs, size, kind)
            for costs in (ours, stock)
        )
        lines.append(f"  {title:32}{mine:6.3f}  {theirs:7.3f}  {theirs / mine:5.1f}")
    peak = max(cost.memory for cost in ours.values())
    lines.append(f"  {'of it the students own cells, cpu':32}{measured.floor:5.3f}")
    lines.append(
        f"  peak memory {peak:.0f} MB, stock {max(c.memory for c in stock.values()):.0f} MB"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
