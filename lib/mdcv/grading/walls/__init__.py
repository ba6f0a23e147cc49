"""Walls: students' code runs, and reaches nothing that is not its own.

    best_isolation()    "full", "basic" or "none": the best that works on this machine
    launch(...)         starts the grader's process that will fork
    confine(...)        called in each fork, before any code of a student

A grader's process imports what students need, forks, and lets the fork lock itself in:

    child = os.fork()
    if child == 0:
        try:
            confine(
                "full",
                scratch=folder,                     # exists; empty afterwards, and in memory
                limits=WallLimits(cpu_seconds=60),
                readable=[*python_environment(), LIBRARY / "seeds.py"],
                keep_fds=[channel],                 # all others are closed
            )
        except WallError as error:
            report(error)                           # and nothing of the student's is run
            os._exit(1)
        run_the_students_code(channel)              # in a process of its own, below `child`
        os._exit(0)
    os.waitpid(child, 0)                            # its guard: ends as the code inside does

`child` stays outside as a guard. SIGINT to it interrupts the code inside, SIGTERM ends it and
all that it started. It exits with the code of what is inside, with 128 + a signal, or with
TOO_MUCH_MEMORY, TOO_MUCH_DISK or TOO_MUCH_TIME. When the process that forked dies, everything
inside dies too.

"full" is namespaces, Landlock, seccomp and limits; "basic" does without namespaces. Both need
no privilege. Both hide this library, except for the paths of it that are named in `readable`.
"""

from __future__ import annotations

from mdcv.grading.walls.advice import advice
from mdcv.grading.walls.available import best_isolation, obstacle
from mdcv.grading.walls.guard import TOO_MUCH_DISK, TOO_MUCH_MEMORY, TOO_MUCH_TIME
from mdcv.grading.walls.limits import WallLimits
from mdcv.grading.walls.outer import bubblewrap_obstacle, launch
from mdcv.grading.walls.readable import LIBRARY, WALLS, python_environment
from mdcv.grading.walls.wall import Isolation, WallError, confine

__all__ = [
    "LIBRARY",
    "TOO_MUCH_DISK",
    "TOO_MUCH_MEMORY",
    "TOO_MUCH_TIME",
    "WALLS",
    "Isolation",
    "WallError",
    "WallLimits",
    "advice",
    "best_isolation",
    "bubblewrap_obstacle",
    "confine",
    "launch",
    "obstacle",
    "python_environment",
]
