"""The measurements of `bench/`, which stand beside the package in the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import mdcv
from mdcv.grading.course import CannotRun

#: The repository, where the package is installed from it with `pip install -e`.
ROOT = Path(mdcv.__file__).parents[2]


def run_bench(options: Sequence[str], *, root: Path = ROOT) -> int:
    """The exit status of `python -m bench` with these options, in this interpreter.

    Raises:
        CannotRun: the package was installed without the repository around it.
    """
    if not (root / "bench" / "__main__.py").is_file():
        raise CannotRun(
            f"there is no folder bench in {root}; the measurements come with the repository: "
            "clone it and run pip install -e '.[bench]' in it"
        )
    before = os.environ.get("PYTHONPATH")
    paths = os.pathsep.join([str(root), *([before] if before else [])])
    command = [sys.executable, "-P", "-m", "bench", *options]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}).returncode
