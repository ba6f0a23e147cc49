"""The command line: light to start, clear when it cannot, honest in its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mdcv.grading.command import app, main
from mdcv.grading.course import CannotRun
from mdcv.grading.marks import BY_HAND, Mark
from mdcv.grading.work import Graded
from mdcv.grading.writer import Result

NO_WALLS = ("--isolation", "none")
MDCV = Path(sys.executable).parent / "mdcv"


def run(*arguments: object, expect: int = 0) -> str:
    """Runs a command in this process; returns what it printed."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, CannotRun):
        raise done.exception
    assert done.exit_code == expect, done.output
    return done.stdout


def test_help_names_every_command_and_loads_nothing_heavy():
    heavy = "{'torch', 'nbgrader', 'nbformat', 'rich.table', 'numpy'} & sys.modules.keys()"
    code = f"import sys; import mdcv.grading.command; print({heavy})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "set()"
    text = run("--help")
    for name in ("doctor", "lab", "release", "check", "grade", "report", "demo"):
        assert f" {name} " in text


def test_the_process_that_hands_tasks_out_does_without_torch():
    code = "import sys; import mdcv.grading.classroom; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "False", loaded.stderr


def test_it_is_installed_and_says_in_one_line_why_it_cannot():
    done = subprocess.run([MDCV, "grade", "a99"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("mdcv: there is no assignment 'a99'; there are: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_entry_point_turns_what_cannot_run_into_status_two(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mdcv", "grade", "no_such_assignment"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("mdcv: there is no assignment 'no_such_assignment'")


def test_release_writes_all_assignments_or_the_one_named(toy):
    assert "toy: " in run("release", "--course", toy.root)
    assert (toy.release / "toy/toy.ipynb").exists()
    assert "toy: " in run("release", "toy", "--course", toy.root)


def some_results():
    by_hand = Mark(0.0, 4.0, BY_HAND, by_hand=True)
    full = {"double": Mark(3.0, 3.0, "right"), "triple": Mark(2.0, 2.0, "right"), "why": by_hand}
    yield Result("ben", "graded", {**full, "triple": Mark(0.5, 2.0, "off by one")}, ["mended"])
    yield Result("ada", "graded", full)
    broken = {name: Mark(0.0, m.max_score, "broken", m.by_hand) for name, m in full.items()}
    yield Result("cleo", "failed", broken, ["broken"])


@pytest.fixture
def pretended(toy, monkeypatch):
    """A class whose results are given, so that only the command line is tried."""
    for student in ("ada", "ben", "cleo"):
        (toy.submitted / student).mkdir(parents=True)
    asked = {}

    def grade_class(course, assignment, **options):
        asked.update(course=course, assignment=assignment, **options)
        return some_results()

    monkeypatch.setattr("mdcv.grading.classroom.grade_class", grade_class)
    return asked


def test_grade_shows_what_was_judged_apart_from_what_a_person_reads(toy, pretended):
    text = run("grade", "toy", "--course", toy.root)
    rows = [line.split() for line in text.splitlines()]
    assert ["ada", "3", "2", "open", "5/5", "4", "open", "5/9"] in rows
    assert ["ben", "3", "0.5", "open", "3.5/5", "4", "open", "3.5/9"] in rows
    assert ["cleo", "(failed)", "0", "0", "0", "0/5", "0/4", "0/9"] in rows
    assert "Questions: 1 double, 2 triple, 3 why" in text
    assert "- ben: mended" in text


@pytest.mark.parametrize("order", [1, -1])
def test_options_may_stand_in_any_order(toy, pretended, tmp_path, order):
    groups = [
        ["toy"],
        ["--submissions", toy.submitted],
        ["--jobs", "2"],
        ["--cluster", "tcp://h:1"],
        ["--isolation", "basic"],
        ["--again"],
        ["--timeout", "7"],
        ["--db", tmp_path / "other.db"],
        ["--json", tmp_path / "out.json"],
        ["--course", toy.root],
    ]
    run("grade", *[word for group in groups[::order] for word in group])
    assert pretended["jobs"] == 2
    assert (pretended["cluster"], pretended["isolation"]) == ("tcp://h:1", "basic")
    assert pretended["again"] is True
    assert pretended["limits"].cell_seconds == 7
    assert pretended["submissions"] == toy.submitted
    assert pretended["course"].database == f"sqlite:///{tmp_path / 'other.db'}"
    assert list(json.loads((tmp_path / "out.json").read_text())["students"]) == [
        "ada",
        "ben",
        "cleo",
    ]


def test_the_json_has_exactly_the_agreed_shape(toy, pretended):
    written = json.loads(run("grade", "toy", "--json", "-", "--course", toy.root))
    assert written["assignment"] == "toy" and set(written) == {"assignment", "students"}
    assert written["students"]["ben"] == {
        "status": "graded",
        "score": 3.5,
        "max_score": 9.0,
        "problems": ["mended"],
        "questions": {
            "double": {"score": 3.0, "max_score": 3.0, "message": "right"},
            "triple": {"score": 0.5, "max_score": 2.0, "message": "off by one"},
            "why": {"score": 0.0, "max_score": 4.0, "message": BY_HAND},
        },
    }
    assert written["students"]["cleo"]["status"] == "failed"


def test_a_result_file_that_cannot_be_written_is_known_before_the_grading(toy, pretended):
    with pytest.raises(CannotRun, match="cannot be written: No such file or directory"):
        run("grade", "toy", "--json", "/no/such/folder/out.json", "--course", toy.root)
    assert pretended == {}


def test_a_gradebook_that_cannot_be_written_cannot_run(toy):
    (toy.submitted / "ada").mkdir(parents=True)
    with pytest.raises(CannotRun, match=r"the gradebook .* cannot be used"):
        run("grade", "toy", "--db", "/no/such/folder/g.db", *NO_WALLS, "--course", toy.root)


def test_a_run_in_which_no_kernel_starts_could_not_be_carried_out(toy, pupil, here, monkeypatch):
    def fails(task):
        return Graded(task.student, failure="the grader failed: RuntimeError: no kernel")

    monkeypatch.setattr("mdcv.grading.classroom._hire", lambda *anything: here(fails))
    pupil().hand_in("ada")
    with pytest.raises(CannotRun, match="nothing could be graded: the grader failed: RuntimeErr"):
        run("grade", "toy", *NO_WALLS, "--course", toy.root)


def test_an_empty_and_a_missing_folder_cannot_run(toy, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(CannotRun, match=folder.name):
            run("grade", "toy", "--submissions", folder, "--course", toy.root)


def test_a_number_of_jobs_must_be_one(toy):
    run("grade", "toy", "--jobs", "0", "--course", toy.root, expect=2)


@pytest.mark.grading
def test_grade_report_and_feedback_in_one_go(toy, pupil):
    pupil().answers(double="return 2 * x", triple="return 3 * x").hand_in("ada")
    text = run("grade", "toy", *NO_WALLS, "--feedback", "--course", toy.root)
    assert f"1 feedback pages in {toy.feedback}" in text
    assert (toy.feedback / "ada/toy/toy.html").exists()
    assert "ada" in run("report", "toy", "--course", toy.root)
    assert run("report", "toy", "--format", "csv", "--course", toy.root).startswith("student,")
    assert run("report", "--format", "moodle", "--course", toy.root, "toy").startswith("First name")
    assert "1/1" in run("report", "toy", "--misconceptions", "--course", toy.root)
    told = run("report", "toy", "--misconceptions", "--json", "-", "--course", toy.root)
    assert json.loads(told)["questions"]["double"]["right"] == 1
    with pytest.raises(CannotRun, match="--json goes with --misconceptions"):
        run("report", "toy", "--json", "-", "--course", toy.root)


def test_less_than_full_walls_have_to_be_asked_for_by_name(toy, pupil, monkeypatch):
    pupil().hand_in("ada")
    monkeypatch.setattr("mdcv.grading.classroom.best_isolation", lambda: "basic")
    with pytest.raises(CannotRun, match=r"'basic' is the most .*--isolation basic grades with"):
        run("grade", "toy", "--course", toy.root)


@pytest.mark.grading
def test_check_exits_one_unless_everything_judged_is_right(toy, pupil):
    folder = pupil().answers(double="return 2 * x").hand_in("ada")
    text = run("check", folder / "toy.ipynb", expect=1)
    assert "double" in text and "not judged here" in text


def test_doctor_exits_one_when_something_needed_is_broken(toy, monkeypatch):
    for look in ("_kernels", "_gradebook"):  # they take seconds
        monkeypatch.setattr(f"mdcv.grading.doctor.{look}", lambda: iter(()))
    assert "Ready." in run("doctor", "--course", toy.root)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    assert "Something needed is broken." in run("doctor", "--course", toy.root, expect=1)


def test_lab_hands_further_options_on(toy, monkeypatch):
    asked = []
    monkeypatch.setattr("mdcv.grading.lab.run_lab", lambda course, words: asked.append(words) or 0)
    run("lab", "--port=9", "--no-browser", "--course", toy.root)
    assert asked == [["--port=9", "--no-browser"]]
