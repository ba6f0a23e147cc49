"""What can happen to a machine while it grades: named in one line, and nothing is lost."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mdcv.grading import parcels, writer
from mdcv.grading.classroom import grade_class
from mdcv.grading.course import CannotRun
from mdcv.grading.execution import Limits
from mdcv.grading.work import Graded, Task, grade_task, grader_version, obstacle_of

MDCV = Path(sys.executable).parent / "mdcv"


@pytest.fixture
def grade(toy, here, stand_in):
    """Grades the class by the stand-in; gives the results by student, and who was run."""

    def all_of(**options):
        asked = []

        def work(task):
            asked.append(task.student)
            return stand_in.judge(task)

        options = {"isolation": "none", "hands": here(work), **options}
        results = {result.student: result for result in grade_class(toy, "toy", **options)}
        return results, asked

    return all_of


@pytest.fixture
def three(toy, pupil):
    for student in ("ada", "ben", "chen"):
        pupil().answers(double="return 2 * x").hand_in(student)
    return toy


def full(*anything, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_is_full_when_a_page_is_written_ends_the_run(three, grade, monkeypatch):
    unpack = writer.unpack
    calls = iter((unpack, unpack, full))
    monkeypatch.setattr(writer, "unpack", lambda *files: next(calls)(*files))
    with pytest.raises(CannotRun, match=r"chen/toy cannot be written: the disk is full.*run the"):
        grade()
    monkeypatch.undo()
    results, asked = grade()
    assert asked == ["chen"] and all(result.score == 5.0 for result in results.values())


def test_a_disk_that_is_full_when_a_submission_is_read_ends_the_run(three, grade, monkeypatch):
    monkeypatch.setattr(parcels, "copy_files", full)
    with pytest.raises(CannotRun, match="No space left on device"):
        grade()


def test_a_full_disk_under_the_gradebook_ends_the_run(three, here, stand_in):
    """A real one: the gradebook lies on a file system of a few hundred kilobytes."""
    place = three.root / "small"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "mdcv", str(place)], capture_output=True
    )
    if mount.returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        shutil.copy(three.root / "gradebook.db", place)
        small = dataclasses.replace(three, database=f"sqlite:///{place / 'gradebook.db'}")
        list(grade_class(small, "toy", isolation="none", hands=here(stand_in.judge)))
        for number in range(200):
            filler = place / f"filler{number}"
            try:
                filler.write_bytes(b"x" * 4096)
            except OSError:
                break
        with pytest.raises(CannotRun, match=r"gradebook .* cannot be used: .*disk is full"):
            hands = here(stand_in.judge)
            list(grade_class(small, "toy", isolation="none", hands=hands, again=True))
        for filler in place.glob("filler*"):
            filler.unlink()
        results = list(grade_class(small, "toy", isolation="none", hands=here(stand_in.judge)))
        assert [result.score for result in results] == [5.0] * 3
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize(
    ("number", "obstacle"),
    [(errno.ENOSPC, True), (errno.EMFILE, True), (errno.ENOENT, False), (errno.EACCES, False)],
)
def test_only_what_the_machine_has_run_out_of_stops_the_class(number, obstacle):
    try:
        try:
            raise OSError(number, os.strerror(number))
        except OSError as cause:
            raise RuntimeError("no kernel") from cause
    except RuntimeError as error:
        assert (obstacle_of(error) is not None) == obstacle


def task(**options) -> Task:
    given = {
        "student": "ada",
        "notebook": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "files": {},
        "problems": (),
        "seed": 7,
        "limits": Limits(),
        "isolation": "none",
        "version": grader_version(),
    }
    return Task(**{**given, **options})


def test_a_worker_with_another_version_grades_nothing():
    graded = grade_task(task(version="0.0+other"))
    assert graded.marks == {} and "another version of mdcv" in graded.obstacle


def test_a_worker_that_cannot_put_the_walls_up_grades_nothing(monkeypatch):
    def refuse(isolation):
        raise CannotRun(f"{isolation} isolation does not work here: no user namespaces")

    monkeypatch.setattr("mdcv.grading.execution.walls_for", refuse)
    assert "no user namespaces" in grade_task(task(isolation="full")).obstacle


def test_a_full_disk_of_a_worker_is_no_students_fault(monkeypatch):
    monkeypatch.setattr("mdcv.grading.execution.run_notebook", full)
    assert "No space left" in grade_task(task()).obstacle


def test_an_obstacle_on_a_worker_ends_the_run_and_writes_nothing(three, grade, here):
    def blocked(task):
        return Graded(task.student, obstacle="no walls")

    with pytest.raises(CannotRun, match=r"no walls\. What is graded stands"):
        grade(hands=here(blocked))
    assert len(grade()[1]) == 3


@pytest.mark.parametrize("mode", [0o000, 0o200])
def test_a_file_that_may_not_be_read_costs_its_student_only(three, grade, mode):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = three.submitted / "ben/toy/toy.ipynb"
    path.chmod(mode)
    results, _ = grade()
    assert results["ben"].status == "failed" and "cannot be opened" in results["ben"].problems[0]
    assert results["ada"].score == 5.0


def test_a_file_that_cannot_be_read_costs_its_student_only(three, grade, monkeypatch):
    read = parcels.read_cells

    def denied(path):
        if "ben" in path.parts:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    monkeypatch.setattr(parcels, "read_cells", denied)
    results, _ = grade()
    assert results["ben"].status == "failed"
    assert "Input/output error" in results["ben"].problems[0]
    assert results["ada"].score == results["chen"].score == 5.0


def test_a_place_where_pages_cannot_be_written_is_named(three, grade):
    three.autograded.write_text("a file, not a folder")
    with pytest.raises(CannotRun, match="autograded cannot be written"):
        grade()


def test_submissions_that_cannot_be_written_to_are_graded(three, grade):
    """And nothing is left in them: they are only read."""
    before = sorted(str(path) for path in three.submitted.rglob("*"))
    for path in sorted(three.submitted.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        results, _ = grade()
    finally:
        for path in sorted(three.submitted.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
    assert all(result.score == 5.0 for result in results.values())
    assert sorted(str(path) for path in three.submitted.rglob("*")) == before


@pytest.mark.grading
def test_a_database_that_is_gone_is_one_line_and_status_two(three):
    (three.root / "gradebook.db").write_text("no database " * 100)
    command = [MDCV, "grade", "toy", "--isolation", "none", "--course", str(three.root)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith("mdcv: the gradebook ") and len(run.stderr.splitlines()) == 1


@pytest.fixture
def odd_class(toy, pupil):
    """Students whose files stand in each other's and in our way; all have the right answer."""
    data = toy.source / "toy" / "data"
    data.mkdir()
    (data / "points.csv").write_text("1,2")
    (toy.source / "toy" / "table.csv").write_text("7")
    folder = {}
    names = "ada copy file folder late nested page same several".split()
    for student in names:
        folder[student] = pupil().answers(double="return 2 * x").hand_in(student)
    (folder["file"] / "data").write_text("a file where the assignment has a folder")
    (folder["folder"] / "table.csv").mkdir()
    (folder["folder"] / "table.csv" / "x").write_text("and the other way round")
    (folder["same"] / "table.csv").write_text("8")
    for student in ("page", "copy", "several", "nested"):
        place = {"page": "a.ipynb", "copy": "toy-Copy1.ipynb", "several": "b.ipynb"}
        target = folder[student] / place.get(student, "unpacked/toy.ipynb")
        target.parent.mkdir(exist_ok=True)
        (folder[student] / "toy.ipynb").rename(target)
    (folder["page"] / "toy.ipynb").mkdir()
    (folder["page"] / "toy.ipynb" / "x.txt").write_text("a folder where the page goes")
    (folder["copy"] / "toy.ipynb").write_text("")
    (folder["several"] / "c.ipynb").write_text('{"cells": [{"source": "another"}]}')
    for student in ("late", "nested"):
        (folder[student] / "timestamp.txt").write_text("2030-01-31 12:00:01 UTC")
        (folder[student] / "a.bin").write_bytes(b"\0" * 51_000_000)
    (folder["nested"] / "unpacked" / "timestamp.txt").write_text("2029-01-31 12:00:01 UTC")
    (toy.submitted / "mallory").symlink_to("ada")
    return toy


def test_files_in_each_others_way_cost_nobody_anything(odd_class, grade):
    results, asked = grade()
    assert {student: result.score for student, result in results.items()} == {
        **dict.fromkeys(asked, 5.0),
        "mallory": 0.0,
    }
    assert len(asked) == 9
    pages = {path.parts[-3] for path in odd_class.autograded.glob("*/toy/toy.ipynb")}
    assert pages == set(results)
    table = odd_class.autograded / "same" / "toy" / "table.csv"
    assert table.read_text() == "7"
    in_place = "is in the place of a file of the assignment; it was left out"
    assert results["file"].problems == [f"data {in_place}"]
    assert results["same"].problems == [f"table.csv {in_place}"]
    assert results["copy"].problems[0] == "toy.ipynb: the notebook file is empty"
    assert "link" in results["mallory"].problems[0]


def test_when_it_was_handed_in_stands_beside_the_expected_notebook(odd_class, grade):
    """Neither a folder more nor a large file in front of it makes anybody less late."""
    with (odd_class.root / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    (odd_class.root / "schedule.csv").write_text("assignment,due\ntoy,2030-01-31 12:00\n")
    results, _ = grade()
    late = [name for name, result in results.items() if "late" in str(result.problems)]
    assert late == ["late", "nested"]
