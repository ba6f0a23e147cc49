"""What being late costs: the same from `mdcv grade` and from nbgrader's own autograde."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdcv.grading.classroom import grade_class
from mdcv.grading.course import CannotRun
from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.penalties import PercentPerDay

DUE = "assignment,due\ntoy,2030-01-31 12:00\n"
TIMES = {
    "ada": "2030-01-31 11:59:59 UTC",
    "ben": "2030-01-31 12:00:01 UTC",
    "chen": "2030-02-02 13:00:00 UTC",
    "dana": "2030-01-30 09:00:00 UTC",
}


def configure(toy, *lines: str) -> None:
    with (toy.root / "nbgrader_config.py").open("a") as file:
        file.write("\n" + "\n".join(lines) + "\n")


@pytest.fixture
def late(toy, pupil):
    """Four students with the same work at different times."""
    (toy.root / "schedule.csv").write_text(DUE)
    for student, time in TIMES.items():
        folder = pupil().answers(double="return 2 * x", triple="return 3 * x").hand_in(student)
        (folder / "timestamp.txt").write_text(time)
    return toy


def penalties(toy) -> dict[str, float]:
    with open_gradebook(toy) as gradebook:
        rows = gradebook.find_assignment("toy").submissions
        return {row.student.id: row.late_submission_penalty for row in rows}


@pytest.fixture
def grade(toy, here, stand_in):
    def all_of(**options) -> dict:
        options = {"isolation": "none", "hands": here(stand_in.judge), **options}
        return {result.student: result for result in grade_class(toy, "toy", **options)}

    return all_of


def test_by_default_being_late_costs_nothing(late, grade):
    grade()
    assert set(penalties(late).values()) == {0.0}


def test_zero_takes_everything_from_the_late_ones(late, grade):
    configure(late, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    results = grade()
    assert penalties(late) == {"ada": 0.0, "ben": 5.0, "chen": 5.0, "dana": 0.0}
    assert results["ben"].problems == ["handed in late: 5 points are subtracted"]
    assert results["ada"].problems == []
    assert results["ben"].score == 5.0  # the points of the questions stand beside it


PER_DAY = (
    'c.AssignLatePenalties.plugin_class = "mdcv.grading.penalties.PercentPerDay"',
    "c.PercentPerDay.percent = 20",
    "c.PercentPerDay.grace_minutes = 1",
)


def test_a_share_for_each_day_begun(late, grade):
    configure(late, *PER_DAY)
    grade()
    assert penalties(late) == pytest.approx({"ada": 0.0, "ben": 0.0, "chen": 3.0, "dana": 0.0})


@pytest.mark.parametrize(
    ("seconds", "lost"), [(0.0, 0), (1.0, 10), (86400.0, 10), (86401.0, 20), (1e9, 60)]
)
def test_days_are_counted_from_the_first_second_up_to_the_most(seconds, lost):
    rule = PercentPerDay(percent=10.0, at_most=60.0)
    penalty = rule.late_submission_penalty("ada", 100.0, seconds)
    assert (penalty or 0) == pytest.approx(lost)


def test_a_new_due_date_counts_without_running_anything_again(late, grade, here):
    configure(late, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    grade()
    (late.root / "schedule.csv").write_text(DUE.replace("2030-01-31", "2030-03-31"))

    def never(task):
        raise AssertionError(task.student)

    results = grade(hands=here(never))
    assert set(penalties(late).values()) == {0.0}
    assert results["ben"].problems == [] and results["ben"].kept


def test_an_extension_that_was_granted_counts(late, grade):
    configure(late, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    grade()
    with open_gradebook(late) as gradebook:
        gradebook.grant_extension("toy", "chen", days=7)
    grade()
    assert penalties(late)["chen"] == 0.0


def test_points_given_by_hand_are_part_of_what_is_lost(late, grade):
    configure(late, 'c.LateSubmissionPlugin.penalty_method = "zero"')
    grade()
    with open_gradebook(late) as gradebook:
        gradebook.find_grade("why", "toy", "toy", "ben").manual_score = 2.0
        gradebook.db.commit()
    grade()
    assert penalties(late)["ben"] == 7.0


def test_a_plugin_that_is_not_there_or_fails_ends_the_run(late, grade, monkeypatch):
    def fails(*anything):
        raise ZeroDivisionError("no days")

    monkeypatch.setattr(PercentPerDay, "late_submission_penalty", fails)
    configure(late, PER_DAY[0])
    with pytest.raises(CannotRun, match="plugin for late penalties fails: ZeroDivisionError"):
        grade()
    configure(late, 'c.AssignLatePenalties.plugin_class = "no.such.Plugin"')
    with pytest.raises(CannotRun, match="plugin for late penalties does not load"):
        grade()


@pytest.mark.grading
@pytest.mark.parametrize(
    "settings", [('c.LateSubmissionPlugin.penalty_method = "zero"',), PER_DAY], ids=["zero", "days"]
)
def test_nbgrader_itself_subtracts_the_same(late, grade, settings):
    configure(late, *settings)
    grade()
    ours = penalties(late)
    with open_gradebook(late) as gradebook:
        for row in gradebook.find_assignment("toy").submissions:
            for notebook in row.notebooks:
                notebook.late_submission_penalty = 0.125
        gradebook.db.commit()
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for student in ("ada", "chen"):
        command = [f"{programs}/nbgrader", "autograde", "toy", f"--student={student}", "--force"]
        command.append(f"--course-dir={late.root}")
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert penalties(late)[student] == pytest.approx(ours[student])


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), "all of it", [1]])
def test_a_plugin_that_answers_with_no_number_ends_the_run(late, grade, monkeypatch, answer):
    monkeypatch.setattr(PercentPerDay, "late_submission_penalty", lambda *anything: answer)
    configure(late, PER_DAY[0])
    with pytest.raises(CannotRun, match="plugin for late penalties fails"):
        grade()
