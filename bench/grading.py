"""Measures `mdcv grade` beside stock nbgrader: the same release, the same submissions, in turns.

    python -m bench.grading --submissions 20

Stock is `nbgrader autograde` with its own configuration: an ordinary kernel for each submission,
and the graded cells run in it. Both run as commands of their own, so that start-up is counted.
Without it: what each submission more than the first one costs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "a4_point_sets"

#: Honest samples, right and wrong ones. The others stop or hang stock nbgrader.
SAMPLES = ("ada", "ben", "chen", "dana", "emil", "fatima")

STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.source_directory = "../solutions"
c.CourseDirectory.release_directory = "../assignments"
c.Autograde.create_student = True
c.ClearMarkScheme.enforce_metadata = False
c.ExecutePreprocessor.timeout = 120
"""


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds: on the wall, and of all processors."""

    wall: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the submissions, runs both graders in turns and prints what one submission costs."""
    parser = argparse.ArgumentParser(prog="python -m bench.grading", description=__doc__)
    parser.add_argument("--submissions", type=int, default=20, help="how many; default 20")
    parser.add_argument("--jobs", type=int, default=1, help="at once, for mdcv; default 1")
    parser.add_argument("--rounds", type=int, default=1, help="the fastest counts; default 1")
    parser.add_argument("--isolation", default="full", help="full (default), basic or none")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every single time")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mdcv-bench-") as folder:
        class_ = Class(Path(folder), asked.submissions)
        runs: dict[str, list[Cost]] = {}
        for _ in range(asked.rounds):
            for size in dict.fromkeys((1, asked.submissions)):
                more = ["--jobs", str(asked.jobs), "--isolation", asked.isolation]
                runs.setdefault(f"mdcv {size}", []).append(class_.ours(size, more))
                runs.setdefault(f"stock {size}", []).append(class_.stock(size))
    print(as_table(runs, asked.submissions))
    if asked.json is not None:
        every = {name: [asdict(cost) for cost in costs] for name, costs in runs.items()}
        asked.json.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")


class Class:
    """Submissions and two courses to grade them in, in a scratch folder."""

    def __init__(self, folder: Path, size: int) -> None:
        from mdcv.grading.samples import fill_in, read_sample

        self.folder = folder
        shutil.copytree(ROOT / "solutions" / ASSIGNMENT, folder / "solutions" / ASSIGNMENT)
        for name, config in (("mdcv", None), ("stock", STOCK_CONFIG)):
            (folder / name).mkdir()
            path = folder / name / "nbgrader_config.py"
            path.write_text(config or (ROOT / "course/nbgrader_config.py").read_text("utf-8"))
        run("nbgrader", "generate_assignment", ASSIGNMENT, f"--course-dir={folder / 'stock'}")
        released = folder / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        blank = nbformat.read(released, as_version=4)
        self.texts = []
        for number in range(size):
            name = SAMPLES[number % len(SAMPLES)]
            sample = read_sample(ROOT / "course/samples" / ASSIGNMENT / f"{name}.py")
            notebook = fill_in(blank, sample)
            self.texts.append(nbformat.writes(notebook))

    def ours(self, size: int, more: list[str]) -> Cost:
        """`mdcv grade` on the first submissions."""
        place = self._hand_in("mdcv", size)
        return run("mdcv", "grade", ASSIGNMENT, f"--course={place}", "--again", *more)

    def stock(self, size: int) -> Cost:
        """`nbgrader autograde` on the first submissions."""
        place = self._hand_in("stock", size)
        return run("nbgrader", "autograde", ASSIGNMENT, f"--course-dir={place}", "--force")

    def _hand_in(self, course: str, size: int) -> Path:
        place = self.folder / course
        for name in ("submitted", "autograded"):
            shutil.rmtree(place / name, ignore_errors=True)
        for number, text in enumerate(self.texts[:size]):
            folder = place / "submitted" / f"student{number:04}" / ASSIGNMENT
            folder.mkdir(parents=True)
            (folder / f"{ASSIGNMENT}.ipynb").write_text(text, encoding="utf-8")
        return place


def run(program: str, *arguments: str) -> Cost:
    """Runs a program of this environment and returns what it took, its children included."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    command, begun, used = [f"{programs}/{program}", *arguments], perf_counter(), {}
    with tempfile.TemporaryFile("w+") as said:
        process = psutil.Popen(command, env=environment, stdout=said, stderr=said)
        while process.poll() is None:
            count(process, used)
            time.sleep(0.05)
        wall = perf_counter() - begun
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"{program} {' '.join(arguments)} failed:\n{said.read()[-3000:]}")
    return Cost(wall, sum(used.values()))


def count(process: psutil.Process, used: dict[int, float]) -> None:
    """Notes what each process of a family has used by now; not every parent waits for its own."""
    with contextlib.suppress(psutil.Error):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                used[one.pid] = times.user + times.system


def as_table(runs: dict[str, list[Cost]], size: int) -> str:
    """Seconds a submission, with and without start-up, and how many times faster."""
    lines = [
        f"{size} submissions of {ASSIGNMENT}",
        f"{'seconds a submission':36}mdcv    stock  times",
    ]
    for kind in ("wall", "cpu"):
        best = {name: min(getattr(cost, kind) for cost in costs) for name, costs in runs.items()}
        whole = [best[f"{who} {size}"] / size for who in ("mdcv", "stock")]
        rows = {f"{kind}, whole command": whole}
        if size > 1:
            rows[f"{kind}, each after the first"] = [
                (best[f"{who} {size}"] - best[f"{who} 1"]) / (size - 1) for who in ("mdcv", "stock")
            ]
        for title, (ours, stock) in rows.items():
            lines.append(f"  {title:32}{ours:6.3f}  {stock:7.3f}  {stock / ours:5.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
