"""The gradebook in SQLite and in a PostgreSQL server: the same marks, the same refusals."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from mdcv.grading import gradebook as gradebook_module
from mdcv.grading.classroom import grade_class
from mdcv.grading.course import CannotRun, Course, database_url
from mdcv.grading.gradebook import open_gradebook, shown
from mdcv.grading.report import rows

pytestmark = pytest.mark.grading


class Server:
    """A PostgreSQL server with a data directory of its own, on a socket of its own."""

    def __init__(self, programs: Path, folder: Path, user: str):
        self.programs, self.folder, self.user = programs, folder, user
        self.data, self.has_blank = folder / "data", False
        self._run("initdb", "-D", self.data, "-A", "trust", "--no-sync", "-E", "UTF8")
        self.start()

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        as_user = {"user": self.user} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **as_user)

    def start(self) -> None:
        # No port at all: only who may enter the folder can speak to it.
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", how, "stop")

    def new_database(self) -> str:
        """The URL of a database with an empty gradebook, as an instructor would write it."""
        from nbgrader.api import Gradebook

        if not self.has_blank:  # making a gradebook runs a program, copying one does not
            self._create("blank", "template0")
            Gradebook(database_url(self._url("blank"))).close()
            self.has_blank = True
        name = f"course_{uuid.uuid4().hex}"
        self._create(name, "blank")
        return self._url(name)

    def _create(self, name: str, template: str) -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), user=self.user, dbname="postgres") as session:
            session.autocommit = True
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def _url(self, name: str) -> str:
        return f"postgresql://{self.user}@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres():
    """A server that is started for these tests and removed afterwards."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    programs = Path(on_path or found[-1]).parent
    user = pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="mdcv-pg-"))  # short: a socket's path has 107 bytes
    if user == "root":  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    try:
        server = Server(programs, folder, user)
        yield server
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def on_postgres(toy, postgres) -> Course:
    """The toy course with its gradebook in PostgreSQL."""
    return dataclasses.replace(toy, database=database_url(postgres.new_database()))


@pytest.fixture
def three(pupil):
    for student in ("ada", "ben", "ünal 'x'"):
        pupil().answers(double="return 2 * x" if student != "ben" else "return x").hand_in(student)


def graded(course, hands) -> dict[str, dict]:
    results = grade_class(course, "toy", isolation="none", hands=hands)
    return {result.student: result.as_json() for result in results}


def test_both_hold_the_same(toy, on_postgres, three, here, stand_in):
    in_file = graded(toy, here(stand_in.judge))
    assert graded(on_postgres, here(stand_in.judge)) == in_file
    assert rows(on_postgres, "toy") == rows(toy, "toy")
    with open_gradebook(on_postgres) as gradebook:
        assert gradebook.find_submission("toy", "ünal 'x'").score == 5.0


def test_what_stands_in_postgres_is_not_run_again_and_keeps_a_persons_points(
    on_postgres, three, here, stand_in
):
    first = graded(on_postgres, here(stand_in.judge))
    with open_gradebook(on_postgres) as gradebook:
        gradebook.find_grade("why", "toy", "toy", "ada").manual_score = 1.5
        gradebook.db.commit()

    def never(task):
        raise AssertionError(task.student)

    again = graded(on_postgres, here(never))
    assert again["ada"]["score"] == first["ada"]["score"] + 1.5
    assert again["ben"] == first["ben"]


def test_a_name_too_long_for_a_column_costs_nobody_their_grade(on_postgres, pupil, here, stand_in):
    long = "x" * 200
    for student in (long, "zoe"):
        pupil().answers(double="return 2 * x").hand_in(student)
    found = graded(on_postgres, here(stand_in.judge))
    assert {student[:60]: entry["score"] for student, entry in found.items()} == {
        long[:60]: 5.0,
        "zoe": 5.0,
    }
    assert graded(on_postgres, here(stand_in.judge)) == found


def test_a_server_that_goes_away_ends_the_run_and_what_is_graded_stands(
    on_postgres, postgres, three, here, stand_in
):
    asked = []

    def work(task):
        asked.append(task.student)
        if len(asked) == 2:
            postgres.stop("immediate")
        return stand_in.judge(task)

    with pytest.raises(CannotRun, match=r"gradebook .* cannot be used.*run the same command again"):
        graded(on_postgres, here(work))
    with pytest.raises(CannotRun, match=r"gradebook .* cannot be used"):
        graded(on_postgres, here(work))
    postgres.start()
    assert len(graded(on_postgres, here(work))) == 3
    assert asked.count("ada") == 1


def test_a_locked_file_is_waited_for_then_named_and_keeps_what_it_has(
    toy, three, here, stand_in, monkeypatch, caplog
):
    monkeypatch.setattr(gradebook_module, "BUSY_SECONDS", 0.3)
    other = sqlite3.connect(toy.root / "gradebook.db")
    asked = []

    def work(task):
        asked.append(task.student)
        if len(asked) == 2:
            other.execute("BEGIN EXCLUSIVE")
        return stand_in.judge(task)

    begin = time.monotonic()
    with pytest.raises(CannotRun, match=r"database is locked.*run the same command again"):
        graded(toy, here(work))
    assert time.monotonic() - begin < 20
    assert "Rolling back" not in caplog.text  # nbgrader logs pages about it
    other.rollback()
    other.close()
    assert len(graded(toy, here(work))) == 3
    assert asked.count("ada") == 1


def test_a_lock_that_is_let_go_costs_nothing(toy, three, here, stand_in, monkeypatch):
    import threading

    other = sqlite3.connect(toy.root / "gradebook.db", check_same_thread=False)

    def work(task):
        if task.student == "ben":
            other.execute("BEGIN EXCLUSIVE")
            threading.Timer(0.5, other.rollback).start()
        return stand_in.judge(task)

    assert len(graded(toy, here(work))) == 3
    other.close()


def test_no_password_is_ever_shown(toy):
    url = "postgresql+psycopg://ann:s3cret@127.0.0.1:1/course"
    with (
        pytest.raises(CannotRun, match=r"ann:\*\*\*@127\.0\.0\.1.* cannot be used") as refused,
        open_gradebook(dataclasses.replace(toy, database=url)),
    ):
        pass
    assert "s3cret" not in str(refused.value) and "s3cret" not in shown(url)
