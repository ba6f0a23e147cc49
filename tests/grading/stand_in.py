"""Stands in for the grading of a task where only the way there and back is tried.

What it does is written in the student's answer to `double`: a right one gets its points, and a
comment makes the worker sleep, die, or die until a file is there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

from mdcv.grading.marks import BY_HAND, Mark
from mdcv.grading.work import Graded, Task


def judge(task: Task, stop=None) -> Graded:
    """Marks the toy assignment by reading it."""
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(task.notebook)["cells"]}
    answer = cells["double-solution"]
    note = re.search(r"# runs: (.+)", answer)
    if note:  # whoever looks can count how often, and by whom
        Path(note[1]).mkdir(exist_ok=True)
        Path(note[1], f"{task.student}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if sleep := re.search(r"# sleep (\S+)", answer):
        time.sleep(float(sleep[1]))
    if "# die" in answer:
        os.kill(os.getpid(), signal.SIGKILL)
    if flag := re.search(r"# perish unless (.+)", answer):
        if not Path(flag[1]).exists():
            Path(flag[1]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    right = "2 * x" in answer
    marks = {
        "double": Mark(3.0 if right else 0.0, 3.0, "all cases pass" if right else "wrong"),
        "triple": Mark(2.0, 2.0, "all cases pass"),
        "why": Mark(None, 4.0, BY_HAND, by_hand=True),
    }
    return Graded(task.student, marks, task.notebook + "\n", task.problems)


def no_space(task: Task, stop=None) -> Graded:
    """A worker whose disk is full."""
    return Graded(task.student, obstacle="[Errno 28] No space left on device")
