"""JupyterLab on the course: lectures, assignments and the formgrader, without a news window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mdcv.grading.course import Course
from mdcv.grading.gradebook import alembic_on_path

#: JupyterLab has no flag for this: the settings have to lie in a file.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": False,
    }
}


def lab_command(course: Course, settings: Path, arguments: list[str]) -> list[str]:
    """The command that starts JupyterLab at the repository; the user's arguments come last."""
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={course.root.parent}",
        f"--LabApp.app_settings_dir={settings}",
        "--LabApp.extension_manager=readonly",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return [*command, *arguments]


def run_lab(course: Course, arguments: list[str]) -> int:
    """Runs JupyterLab until it is closed; returns its exit status."""
    alembic_on_path()
    with tempfile.TemporaryDirectory(prefix="mdcv-lab-") as settings:
        Path(settings, "overrides.json").write_text(json.dumps(SETTINGS))
        command = lab_command(course, Path(settings), arguments)
        try:
            return subprocess.run(command, cwd=course.root.parent, check=False).returncode
        except KeyboardInterrupt:  # the usual way to close it; JupyterLab says goodbye itself
            return 0
