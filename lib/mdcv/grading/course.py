"""Where a course lies on disk, and how nbgrader is told."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

CONFIG_NAME = "nbgrader_config.py"
SECRET_NAME = ".secret"

#: The steps of nbgrader, each with a folder of its own.
STEPS = ("source", "release", "submitted", "autograded", "feedback")


class CannotRun(Exception):
    """The run itself cannot be carried out; the message says why and what to do."""


@dataclass(frozen=True)
class Course:
    """The folders of one course, its database and its nbgrader configuration."""

    root: Path
    source: Path
    release: Path
    submitted: Path
    autograded: Path
    feedback: Path
    database: str
    config_file: Path

    def config(self) -> Config:
        """nbgrader's configuration: the course's own file, with the folders as they are here."""
        config = read_config(self.config_file)
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.db_url = self.database
        for step in STEPS:
            config.CourseDirectory[f"{step}_directory"] = str(getattr(self, step))
        return config

    def directory(self, assignment: str) -> CourseDirectory:
        """nbgrader's view of the course, turned to one assignment."""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config(), assignment_id=assignment)

    def assignments(self) -> list[str]:
        """The names of all assignments that have a source notebook, in order."""
        if not self.source.is_dir():
            return []
        return sorted(
            folder.name
            for folder in self.source.iterdir()
            if (folder / f"{folder.name}.ipynb").is_file()
        )

    def notebook(self, assignment: str) -> Path:
        """The source notebook of an assignment.

        Raises:
            CannotRun: there is no such assignment.
        """
        known = self.assignments()
        if assignment not in known:
            there = ", ".join(known) if known else f"none yet in {self.source}"
            raise CannotRun(f"there is no assignment {assignment!r}; there are: {there}")
        return self.source / assignment / f"{assignment}.ipynb"

    def seed(self, assignment: str) -> int:
        """The seed of an assignment's hidden cases: secret, and the same at every grading.

        It is derived from a random word that is written into the course folder on first use and
        never leaves it. So the same files get the same marks and the same words again.

        Raises:
            CannotRun: the word can neither be read nor written.
        """
        word = self._secret()
        digest = hashlib.sha256(f"{word}/{assignment}".encode()).digest()
        return int.from_bytes(digest[:6], "big")

    def _secret(self) -> str:
        path = self.root / SECRET_NAME
        try:
            word = path.read_text().strip() if path.exists() else ""
            if not word:  # moved into its place when it is whole: a death leaves no empty secret
                word = secrets.token_hex(16)
                fresh = path.with_name(f"{SECRET_NAME}-{secrets.token_hex(4)}")
                handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with open(handle, "w") as file:
                    file.write(word + "\n")
                fresh.replace(path)
            return word
        except (OSError, UnicodeDecodeError) as error:
            raise CannotRun(f"the course's secret {path} cannot be used: {error}") from error


def read_config(path: Path) -> Config:
    """The settings in an nbgrader configuration file.

    Raises:
        CannotRun: the file is missing or does not run.
    """
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    try:
        return PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except ConfigFileNotFound as error:
        raise CannotRun(f"the course's configuration {path} is missing") from error
    except Exception as error:
        raise CannotRun(f"the course's configuration {path} does not run: {error}") from error


def open_course(root: Path) -> Course:
    """The course in the folder `root`, as its nbgrader configuration describes it.

    What the configuration leaves open is as in nbgrader, whose import takes longer than all that
    is done before the first worker starts.

    Raises:
        CannotRun: there is no configuration in that folder, it does not run, or it names a folder
            by something else than text.
    """
    root = root.resolve()
    config_file = root / CONFIG_NAME
    settings = read_config(config_file).CourseDirectory

    def text(name: str, otherwise: str) -> str:
        value = settings.get(name, otherwise)
        if not isinstance(value, str):
            raise CannotRun(f"{config_file} sets {name} to {value!r}; expected text")
        return value

    folders = {
        step: Path(os.path.normpath(root / text(f"{step}_directory", step))) for step in STEPS
    }
    database = text("db_url", f"sqlite:///{root / 'gradebook.db'}")
    return Course(root, **folders, database=database, config_file=config_file)


def find_course(folder: Path | None = None) -> Course:
    """The course to work on: the one named, else the one around here, else this package's own.

    Args:
        folder: a course folder. None looks for `course/nbgrader_config.py` from the working
            directory upward, then beside the package's own sources.

    Raises:
        CannotRun: there is no course in any of these places.
    """
    if folder is not None:
        if not (folder / CONFIG_NAME).is_file():
            raise CannotRun(f"{folder} is no course folder: it holds no {CONFIG_NAME}")
        return open_course(folder)
    here = Path.cwd()
    sources = Path(__file__).resolve().parents[3]
    for place in (here, *here.parents, sources):
        if (place / "course" / CONFIG_NAME).is_file():
            return open_course(place / "course")
    raise CannotRun(
        "there is no course here: no course/nbgrader_config.py in this folder or above it. "
        "Go to the course's repository, or name its course folder with --course"
    )


def database_url(name: str) -> str:
    """The database as a URL; a plain path means an SQLite file.

    For PostgreSQL the driver is named, because SQLAlchemy's own choice differs by version.

    >>> database_url("postgresql://grader@localhost/course")
    'postgresql+psycopg://grader@localhost/course'
    >>> database_url("/tmp/book.db")
    'sqlite:////tmp/book.db'
    """
    if "://" not in name:
        return f"sqlite:///{Path(name).expanduser().absolute()}"
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", name)
