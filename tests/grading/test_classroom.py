"""Every student gets a result; one bad submission stops nobody."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import nbformat
import pytest

from mdcv.grading.classroom import grade_class, student_folders, student_id
from mdcv.grading.course import CannotRun
from mdcv.grading.execution import Limits
from mdcv.grading.gradebook import open_gradebook

LIMITS = Limits(cell_seconds=5.0, grace_seconds=1.0)
RIGHT = {"double": "return 2 * x", "triple": "return 3 * x"}


@pytest.fixture
def grade(toy, here):
    """Grades the class; gives the results by student, in the form of the JSON."""

    def all_of(**options) -> dict[str, dict]:
        options = {"isolation": "none", "again": True, "hands": here(), **options}
        results = grade_class(toy, "toy", limits=LIMITS, **options)
        return {result.student: result.as_json() for result in results}

    return all_of


def scores(entry: dict) -> dict[str, float]:
    return {name: question["score"] for name, question in entry["questions"].items()}


@pytest.mark.grading
def test_a_class_of_good_and_bad_submissions_is_graded_whole(toy, pupil, grade):
    pupil().answers(**RIGHT, why="Because.").hand_in("ada")
    pupil().answers(double="import os; os._exit(1)", triple="return 3 * x").hand_in("goran")
    pupil().answers(double="return x * x", triple="return 3 * x").hand_in("o'neil [x] {y} ü *")
    pupil().answers(double="def double(x:\n    return", triple="return 3 * x").hand_in("typo")
    warns = "import warnings, sys; warnings.warn('old'); print('!', file=sys.stderr); return 2 * x"
    pupil().answers(double=warns, triple="return 3 * x").hand_in(" spaced ")
    pupil().hand_in("untouched")
    (toy.submitted / "absent").mkdir()
    broken = toy.submitted / "broken" / "toy"
    broken.mkdir(parents=True)
    (broken / "toy.ipynb").write_text('{"cells": [')
    (toy.submitted / "notes.txt").write_text("no student")
    before = fingerprint(toy.submitted)

    graded = grade(hands=None, jobs=2)

    assert sorted(graded) == sorted(
        [" spaced ", "absent", "ada", "broken", "goran", "o'neil [x] {y} ü *", "typo", "untouched"]
    )
    assert scores(graded["ada"]) == {"double": 3.0, "triple": 2.0, "why": 0.0}
    assert graded["ada"]["questions"]["why"]["message"] == "needs grading by hand"
    assert (graded["ada"]["score"], graded["ada"]["max_score"]) == (5.0, 9.0)
    assert scores(graded["goran"]) == {"double": 0.0, "triple": 2.0, "why": 0.0}
    assert graded["goran"]["questions"]["double"]["message"].startswith("the kernel died")
    odd = graded["o'neil [x] {y} ü *"]
    assert scores(odd) == {"double": 0.0, "triple": 2.0, "why": 0.0}
    assert odd["questions"]["double"]["message"] == "double(5) is wrong"
    assert scores(graded["typo"]) == {"double": 0.0, "triple": 2.0, "why": 0.0}
    assert "its cell failed: SyntaxError" in graded["typo"]["questions"]["double"]["message"]
    assert graded[" spaced "]["score"] == 5.0
    assert graded["untouched"]["score"] == 0.0
    assert graded["untouched"]["status"] == "graded"
    for student, reason in (("absent", "no notebook was handed in"), ("broken", "is broken")):
        assert graded[student]["status"] == "failed"
        assert scores(graded[student]) == {"double": 0.0, "triple": 0.0, "why": 0.0}
        assert reason in graded[student]["problems"][0]
        assert reason in graded[student]["questions"]["double"]["message"]
    json.dumps(graded)

    assert fingerprint(toy.submitted) == before
    with open_gradebook(toy) as gradebook:
        stood = {row.student.id: row.score for row in gradebook.find_assignment("toy").submissions}
    assert stood == {student: entry["score"] for student, entry in graded.items()}
    for student in graded:
        page = toy.autograded / student / "toy" / "toy.ipynb"
        nbformat.validate(nbformat.read(page, as_version=4))


def fingerprint(folder) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.grading
def test_the_same_files_get_the_same_marks_and_the_same_words_again(toy, pupil, grade):
    pupil().answers(double="return x + 1", triple="return 3 * x").hand_in("ada")
    first = grade()
    page = (toy.autograded / "ada/toy/toy.ipynb").read_bytes()
    assert grade() == first
    assert (toy.autograded / "ada/toy/toy.ipynb").read_bytes() == page


@pytest.mark.grading
def test_what_was_mended_is_reported_and_stands_on_the_page(toy, pupil, grade):
    student = pupil().answers(**RIGHT)
    student.notebook.cells.append(student.cell("double").copy())
    folder = student.hand_in("ada")
    shutil.move(folder / "toy.ipynb", folder / "toy (2).ipynb")
    entry = grade()["ada"]
    assert entry["status"] == "graded" and entry["score"] == 5.0
    assert entry["problems"] == [
        "the notebook is toy/toy (2).ipynb; expected toy/toy.ipynb",
        "the locked cell double was there 2 times; it counts once",
    ]
    page = nbformat.read(toy.autograded / "ada/toy/toy.ipynb", as_version=4)
    assert "it counts once" in page.cells[0].source


@pytest.mark.grading
def test_students_see_the_data_of_the_assignment_and_their_own_files(toy, pupil, grade):
    (toy.source / "toy" / "factor.txt").write_text("2")
    folder = pupil().answers(double="import mine; return mine.factor() * x").hand_in("ada")
    (folder / "mine.py").write_text("def factor():\n    return int(open('factor.txt').read())\n")
    (folder / "factor.txt").write_text("5")
    assert scores(grade()["ada"])["double"] == 3.0
    assert (toy.autograded / "ada/toy/mine.py").exists()


@pytest.mark.grading
def test_odd_characters_reach_neither_the_disk_nor_the_terminal(toy, pupil, grade):
    student = pupil().answers(triple="print('\\ud800'); return 3 * x")
    odd = r"raise ValueError('double \x1b[2J\x07 end')"
    student.cell("double-solution").source = odd
    folder = student.hand_in("ada")
    (folder / "timestamp.txt").write_bytes(b"\xff yesterday")
    entry = grade()["ada"]
    message = entry["questions"]["double"]["message"]
    assert message.endswith("its cell failed: ValueError: double end")
    assert not set(message) & set("\x1b\x07\ud800")
    assert scores(entry)["triple"] == 2.0
    assert entry["problems"] == ["timestamp.txt holds no date; it was ignored"]
    json.dumps(entry, ensure_ascii=False).encode("utf-8")


@pytest.mark.grading
def test_whoever_replaces_the_judge_gets_what_the_answer_earns(toy, pupil, grade):
    takes_over = "def double(x):\n    return 0\ndef grade(*anything, **options):\n    return 3.0"
    pupil().answers(double=takes_over).hand_in("mallory")
    entry = grade()["mallory"]
    assert scores(entry) == {"double": 0.0, "triple": 0.0, "why": 0.0}
    assert entry["questions"]["double"]["message"] == "double(5) is wrong"


def test_a_fault_of_the_grader_costs_one_student_and_is_named(toy, pupil, grade, monkeypatch):
    pupil().hand_in("ada")
    pupil().hand_in("ben")

    faults = iter([RuntimeError("no more sockets")])

    def breaks_once(notebook, **options):
        for fault in faults:
            raise fault
        return []

    monkeypatch.setattr("mdcv.grading.execution.run_notebook", breaks_once)
    graded = grade()
    assert graded["ada"]["status"] == "failed"
    assert graded["ada"]["score"] == 0.0
    assert graded["ada"]["problems"] == ["the grader failed: RuntimeError: no more sockets"]
    assert graded["ben"]["status"] == "graded"


def test_a_fault_while_marking_costs_one_student_too(toy, pupil, grade, monkeypatch):
    pupil().hand_in("ada")
    monkeypatch.setattr("mdcv.grading.execution.run_notebook", lambda notebook, **options: [])
    monkeypatch.setattr("mdcv.grading.work.mark_notebook", lambda notebook: 1 / 0)
    entry = grade()["ada"]
    assert entry["status"] == "failed"
    assert entry["problems"] == ["the grader failed: ZeroDivisionError: division by zero"]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda toy: None, "there is no folder"),
        (lambda toy: toy.submitted.mkdir(), "holds no submissions"),
        (lambda toy: toy.submitted.write_text(""), "there is no folder"),
    ],
)
def test_a_run_without_submissions_is_refused(toy, grade, make, reason):
    make(toy)
    with pytest.raises(CannotRun, match=reason):
        grade()


def test_hidden_folders_and_files_are_no_students(tmp_path):
    for name in ("ada", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "grades.csv").write_text("")
    assert [folder.name for folder in student_folders(tmp_path)] == ["ada"]


def test_who_handed_in_another_assignment_alone_is_not_graded(tmp_path):
    for name in ("ada/a4", "ben/a5", "chen/a4", "chen/a5", "dana/a4", "dana/anything", "emil"):
        (tmp_path / name).mkdir(parents=True)
    listed = [folder.name for folder in student_folders(tmp_path, others={"a4"})]
    assert listed == ["ben", "chen", "dana", "emil"]
    with pytest.raises(CannotRun, match="holds no submissions"):
        student_folders(tmp_path, others={"a4", "a5", "anything"}) and student_folders(
            tmp_path / "emil"
        )


def test_an_id_that_is_no_text_is_spelled_out_and_is_nobody_else_s(tmp_path):
    odd = student_id(tmp_path / os.fsdecode(b"ren\xe9"))
    assert odd.startswith("ren\\xe9~")
    assert student_id(tmp_path / "ren\\xe9") == "ren\\xe9"
    assert odd != student_id(tmp_path / os.fsdecode(b"ren\xe9\xe9"))
    assert len(student_id(tmp_path / os.fsdecode(b"\xe9" * 100), longest=128)) == 128
