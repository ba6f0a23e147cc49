"""What starts quickly leaves out what it does not need, and nothing else."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from mdcv.grading.worker import start_quickly
start_quickly()
from nbgrader.utils import compute_checksum
print("jupyter_server" in sys.modules, "sqlalchemy" in sys.modules)
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
"""


def test_nbgrader_is_imported_without_a_server_and_is_whole():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_what_is_there_already_is_left_alone():
    code = "import nbgrader, sys\nfrom mdcv.grading.worker import start_quickly\nstart_quickly()\n"
    code += "from nbgrader.server_extensions.formgrader import handlers\nprint(handlers.__name__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "nbgrader.server_extensions.formgrader.handlers"
