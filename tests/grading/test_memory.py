"""Large pages change where memory lies and nothing that is in it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os
from mdcv.grading.memory import use_large_pages
kept = bytearray(os.urandom(1 << 20)) * 16
copy = bytes(kept)
moved = use_large_pages()
child = os.fork()
if not child:
    os._exit(0 if kept == copy else 1)
_, status = os.waitpid(child, 0)
print(moved, kept == copy, status)
"""


def test_what_is_in_memory_stays_and_forks_see_it():
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    moved, same, status = done.stdout.split()
    assert int(moved) >= 0 and same == "True" and status == "0"
