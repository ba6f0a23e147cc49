"""The folder of a template: what it reads, where its kernels work, and who still needs it."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

from mdcv.grading.student_view import build_view

#: How the folder of a template is called.
PREFIX = "mdcv-kernels-"


class TemplateFolder:
    """A folder that is locked as long as its grader lives.

    In it are `view` (the student's `mdcv`), `settings` (of matplotlib) and `scratch`, the only
    one that is written to.
    """

    def __init__(self) -> None:
        remove_forgotten()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        (self.path / "lock").touch()
        self._lock = _locked(self.path)
        self.path.chmod(0o711)  # a kernel may run as another user
        self.view = build_view(self.path / "view")
        self.settings = _settings(self.path / "settings")
        self.scratch = self.path / "scratch"
        self.scratch.mkdir()

    def remove(self) -> None:
        """Removes it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _settings(folder: Path) -> Path:
    """A folder for matplotlib with the list of fonts that it would else make anew, for seconds."""
    folder.mkdir()
    with contextlib.suppress(Exception):
        import matplotlib

        for path in Path(matplotlib.get_cachedir()).glob("fontlist*.json"):
            shutil.copy(path, folder)
    return folder


def _locked(folder: Path) -> IO[bytes] | None:
    """The lock of a template's folder, taken; None when somebody holds it or there is none."""
    lock = None
    try:
        lock = open(folder / "lock", "rb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        if lock is not None:
            lock.close()
        return None


def remove_forgotten() -> None:
    """Removes the folders of templates whose grader was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _locked(folder)
        if lock is not None:
            with lock:
                shutil.rmtree(folder, ignore_errors=True)
