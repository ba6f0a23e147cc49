"""Killed at any moment and started again, a run ends with everybody graded once."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mdcv.grading.classroom import grade_class
from mdcv.grading.course import CannotRun, open_course
from mdcv.grading.execution import Limits
from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.work import Graded


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
        return {student: result.as_json() for student, result in results.items()}, asked

    return all_of


@pytest.fixture
def three(toy, pupil):
    """Three students, of whom one is wrong."""
    for student in ("ada", "ben"):
        pupil().answers(double="return 2 * x").hand_in(student)
    pupil().answers(double="return x").hand_in("chen")
    return toy


def test_what_stands_is_not_run_again_and_reads_the_same(three, grade):
    first, asked = grade()
    assert asked == ["ada", "ben", "chen"]
    again, asked = grade()
    assert asked == [] and again == first


def test_again_runs_everything_anew(three, grade):
    first, _ = grade()
    again, asked = grade(again=True)
    assert asked == ["ada", "ben", "chen"] and again == first


def test_a_changed_submission_is_run_again_and_the_others_are_not(three, pupil, grade):
    grade()
    pupil().answers(double="return 2 * x").hand_in("chen")
    second, asked = grade()
    assert asked == ["chen"]
    assert second["chen"]["questions"]["double"]["score"] == 3.0


@pytest.mark.parametrize(
    "change",
    [
        lambda toy: (toy.submitted / "ada/toy/points.csv").write_text("1,2"),
        lambda toy: (toy.root / ".secret").write_text("another word"),
        lambda toy: (toy.source / "toy" / "data.csv").write_text("3,4"),
        lambda toy: (toy.autograded / "ada/toy/toy.ipynb").write_text("{}"),
        lambda toy: (toy.autograded / "ada/toy/toy.ipynb").unlink(),
    ],
    ids=["a file of theirs", "the secret", "the data", "the page", "no page"],
)
def test_whatever_the_marks_depend_on_makes_it_run_again(three, grade, change):
    grade()
    change(three)
    assert "ada" in grade()[1]


def test_other_limits_and_other_walls_make_it_run_again(three, grade, monkeypatch):
    grade()
    assert len(grade(limits=Limits(cell_seconds=1.0))[1]) == 3
    monkeypatch.setattr("mdcv.grading.classroom.best_isolation", lambda: "full")
    assert len(grade(limits=Limits(cell_seconds=1.0), isolation="basic")[1]) == 3


def test_a_mark_that_somebody_else_wrote_over_is_made_anew(three, grade):
    grade()
    with open_gradebook(three) as gradebook:
        gradebook.find_grade("double", "toy", "toy", "ada").auto_score = 0.5
        gradebook.db.commit()
    again, asked = grade()
    assert asked == ["ada"] and again["ada"]["questions"]["double"]["score"] == 3.0


def test_points_that_a_person_gave_stand_and_are_told(three, grade):
    grade()
    with open_gradebook(three) as gradebook:
        row = gradebook.find_grade("why", "toy", "toy", "ada")
        row.manual_score, row.needs_manual_grade = 2.5, False
        gradebook.db.commit()
    for options, run in (({}, 0), ({"again": True}, 3)):
        again, asked = grade(**options)
        assert len(asked) == run
        assert again["ada"]["questions"]["why"] == {
            "score": 2.5,
            "max_score": 4.0,
            "message": "graded by hand",
        }
        assert again["ada"]["score"] == 7.5


def test_a_failure_of_ours_is_tried_again_by_the_next_run(three, here, stand_in, grade):
    def fails(task):
        return Graded(task.student, failure="the grader failed: it rained")

    failed, _ = grade(hands=here(fails))
    assert failed["ada"]["status"] == "failed" and failed["ada"]["score"] == 0
    healed, asked = grade()
    assert len(asked) == 3 and healed["ada"]["score"] == 5.0


def test_a_full_disk_ends_the_run_and_loses_nothing(three, here, stand_in, grade):
    worked = []

    def fills_up(task):
        worked.append(task.student)
        return stand_in.judge(task) if len(worked) < 3 else stand_in.no_space(task)

    with pytest.raises(CannotRun, match=r"No space left on device.*run the same command again"):
        grade(hands=here(fills_up))
    assert grade()[1] == ["chen"]


def test_a_second_run_at_the_same_time_is_refused(three, grade, here, stand_in):
    first = grade_class(three, "toy", isolation="none", hands=here(stand_in.judge))
    next(first)
    with pytest.raises(CannotRun, match="another `mdcv grade` is at work"):
        grade()
    first.close()
    assert grade()[1] != []


GRADER = """
import sys
from pathlib import Path
from mdcv.grading.classroom import grade_class
from mdcv.grading.course import open_course
from mdcv.grading.processes import Processes
import stand_in

hands = Processes(2, stand_in.judge)
for result in grade_class(open_course(Path(sys.argv[1])), "toy", isolation="none", hands=hands):
    print(result.student, result.as_json(), flush=True)
"""


def start(toy) -> subprocess.Popen:
    """A grader in a process of its own."""
    command = [sys.executable, "-c", GRADER, str(toy.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def processes_about(toy) -> list[str]:
    """Every process that has the course's folder in its command, or once had."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"MDCV_TEST_COURSE={toy.root}".encode() in place.read_bytes():
                found.append(place.parent.name)
    return found


@pytest.mark.grading
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_killed_again_and_again_everybody_is_graded_once(
    toy, pupil, tmp_path, stand_in, monkeypatch
):
    monkeypatch.setenv("MDCV_TEST_COURSE", str(toy.root))
    runs = tmp_path / "runs"
    for number in range(24):
        answer = "return 2 * x" if number % 3 else "return x"
        text = f"{answer}  # sleep 0.05  # runs: {runs}".replace("  # runs", "\n    # runs")
        pupil().answers(double=f"def double(x):\n    {text}").hand_in(f"s{number:02}")
    for lines in (1, 6, 9):  # killed after so many results of this run
        grader = start(toy)
        for _ in range(lines):
            grader.stdout.readline()
        os.kill(grader.pid, signal.SIGKILL)
        grader.wait()
        grader.stdout.close()
    with start(toy) as grader:
        told = [line.split(maxsplit=1)[0] for line in grader.stdout]
    assert grader.returncode == 0
    assert sorted(told) == [f"s{number:02}" for number in range(24)]
    with open_gradebook(toy) as gradebook:
        rows = gradebook.find_assignment("toy").submissions
        scores = {row.student.id: row.score for row in rows}
    assert scores == {f"s{n:02}": 5.0 if n % 3 else 2.0 for n in range(24)}
    run = [path.name.split("-")[0] for path in runs.iterdir()]
    assert len(run) <= 24 + 3 * 4  # only what was underway at a death was run again
    assert not list(toy.autograded.glob(".mdcv-*"))
    deadline = time.monotonic() + 15
    while processes_about(toy) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert set(processes_about(toy)) <= {str(os.getpid())}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE mdcv_graded SET entry = '{'",
        """UPDATE mdcv_graded SET entry = '{"marks": {"double": {"points": 3}}, "problems": []}'""",
        """UPDATE mdcv_graded SET entry = '{"marks": 3}'""",
        "ALTER TABLE mdcv_graded RENAME COLUMN page TO sheet",
        "DROP TABLE mdcv_graded",
    ],
)
def test_a_journal_that_cannot_be_read_makes_it_run_again(three, grade, damage):
    first, _ = grade()
    with contextlib.closing(sqlite3.connect(three.root / "gradebook.db")) as book:
        book.execute(damage)
        book.commit()
    again, asked = grade()
    assert asked == ["ada", "ben", "chen"] and again == first


def test_a_course_that_was_moved_keeps_what_stands(three, grade, here):
    first, _ = grade()
    moved = three.root.parent.rename(three.root.parent.with_name("moved"))

    def never(task):
        raise AssertionError(task.student)

    course = open_course(moved / three.root.name)
    results = grade_class(course, "toy", isolation="none", hands=here(never))
    assert {result.student: result.as_json() for result in results} == first
