"""The whole way on the real assignment: release, a class of ten, marks, sentences, pages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from mdcv.grading.check import all_passed, check_notebook
from mdcv.grading.course import find_course
from mdcv.grading.demo import ASSIGNMENT, set_up
from mdcv.grading.feedback import write_feedback
from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.skeleton import load_skeleton

pytestmark = pytest.mark.grading

BY_HAND = {"experiment-plot", "written-answer"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's scratch course and two students more: the instructor, and one who did nothing."""
    demo = set_up(find_course(), tmp_path_factory.mktemp("demo") / "course")
    released = demo.course.release / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    for student, notebook in (
        ("the-solution", demo.course.notebook(ASSIGNMENT)),
        ("untouched", released),
    ):
        folder = demo.course.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_bytes(notebook.read_bytes())
    return demo


@pytest.fixture(scope="module")
def graded(demo) -> dict[str, dict]:
    """Every student's entry, as in the JSON."""
    return {result.student: result.as_json() for result in demo.grade(jobs=2)}


def judged(entry: dict) -> dict[str, float]:
    """The share of its points that each judged question got."""
    questions = entry["questions"].items()
    return {name: q["score"] / q["max_score"] for name, q in questions if name not in BY_HAND}


def message(graded: dict, student: str, question: str) -> str:
    return graded[student]["questions"][question]["message"]


def test_everybody_has_a_result(demo, graded):
    assert set(graded) == {*demo.students, "the-solution", "untouched"}
    assert [s for s, entry in graded.items() if entry["status"] == "failed"] == ["ivan"]
    for entry in graded.values():
        assert entry["max_score"] == 50
        assert len(entry["questions"]) == 9
        assert all(0 <= q["score"] <= q["max_score"] for q in entry["questions"].values())
        assert all(q["message"] for q in entry["questions"].values())


@pytest.mark.parametrize("student", ["ada", "ben", "the-solution"])
def test_right_answers_get_everything_that_is_judged(graded, student):
    assert set(judged(graded[student]).values()) == {1.0}, graded[student]
    assert graded[student]["score"] == 36


def test_honest_work_has_no_problems(graded):
    for student in ("ada", "ben", "chen", "dana", "emil", "fatima", "untouched"):
        assert graded[student]["problems"] == []


def test_what_a_person_reads_is_listed_apart(graded):
    assert message(graded, "ada", "written-answer") == "needs grading by hand"
    assert message(graded, "ada", "experiment-plot") == "needs grading by hand"
    assert message(graded, "ben", "written-answer") == "not answered"


def test_an_untouched_release_gets_nothing_and_reads_not_yet(graded):
    assert graded["untouched"]["score"] == 0
    assert set(judged(graded["untouched"]).values()) == {0.0}
    for name in judged(graded["untouched"]):
        assert message(graded, "untouched", name).startswith("Not yet")


def test_half_of_the_work_gets_its_points(graded):
    shares = judged(graded["chen"])
    done = {"pairwise_distances", "hausdorff_distance", "chamfer_distance"}
    assert {name for name, share in shares.items() if share > 0} == done
    assert all(0.7 < shares[name] < 1 for name in done)
    assert "bad input" in message(graded, "chen", "hausdorff_distance")


@pytest.mark.parametrize(
    ("student", "question", "sentence"),
    [
        ("dana", "chamfer_distance", "direction from x to y alone"),
        ("emil", "earth_movers_distance", "greedy matching"),
        ("fatima", "sample_surface", "Every triangle gets as many points"),
    ],
)
def test_named_mistakes_are_named(graded, student, question, sentence):
    assert judged(graded[student])[question] <= 0.5
    assert judged(graded[student])["pairwise_distances"] == 1.0
    assert sentence in message(graded, student, question)


def test_a_dead_kernel_costs_its_own_question_only(graded):
    shares = judged(graded["goran"])
    assert shares["hausdorff_distance"] == 0.0
    assert (shares["pairwise_distances"], shares["chamfer_distance"]) == (1.0, 1.0)
    assert message(graded, "goran", "hausdorff_distance").startswith("the kernel died")


def test_an_endless_loop_costs_its_own_question_only(graded):
    shares = judged(graded["hana"])
    assert shares["farthest_point_sample"] == 0.0
    assert (shares["pairwise_distances"], shares["hausdorff_distance"]) == (1.0, 1.0)
    assert "did not come back in time" in message(graded, "hana", "farthest_point_sample")


def test_a_broken_file_is_zero_with_its_reason(graded):
    assert graded["ivan"]["score"] == 0
    assert "the notebook file is broken" in graded["ivan"]["problems"][0]
    assert "the notebook file is broken" in message(graded, "ivan", "pairwise_distances")


def test_a_copied_test_cell_costs_nothing(graded):
    copied = "the locked cell pairwise_distances was there 2 times; it counts once"
    assert graded["judy"]["problems"] == [copied]
    assert judged(graded["judy"])["density_sensitivity"] == 1.0
    assert 0 < judged(graded["judy"])["pairwise_distances"] < 1
    assert "Far from the origin" in message(graded, "judy", "pairwise_distances")


def test_the_gradebook_says_the_same(demo, graded):
    with open_gradebook(demo.course) as gradebook:
        rows = gradebook.find_assignment(ASSIGNMENT).submissions
        assert {row.student.id: row.score for row in rows} == pytest.approx(
            {student: entry["score"] for student, entry in graded.items()}
        )
        assert gradebook.find_student("ada").last_name == "Albrecht"


def test_everybody_has_a_page_that_asks_nothing_and_gives_nothing_away(demo, graded):
    pages, missing = write_feedback(demo.course, ASSIGNMENT)
    assert missing == [] and len(pages) == len(graded)
    rubric = load_skeleton(demo.course.notebook(ASSIGNMENT), demo.course.config()).notebook
    assert any("HIDDEN TESTS" in cell.source for cell in rubric.cells)
    for page in pages:
        text = page.read_text()
        assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=[\"']?(https?:)?//", text)
        assert "HIDDEN TESTS" not in text and "MARK SCHEME" not in text
        assert "points=" not in re.sub(r"<[^>]*>", "", text)


def test_a_student_who_checks_at_home_sees_the_same(demo, graded):
    handed_in = demo.course.submitted / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    marks, problems = check_notebook(handed_in)
    assert problems == []
    assert all_passed(marks)
    assert {name: mark.score for name, mark in marks.items() if not mark.by_hand} == {
        name: question["score"]
        for name, question in graded["ada"]["questions"].items()
        if name not in BY_HAND
    }


def test_the_demo_leaves_the_working_course_alone(demo, graded):
    root = Path(__file__).resolve().parents[2]
    changed = subprocess.run(
        ["git", "status", "--porcelain", "course", "assignments"],
        cwd=root,
        capture_output=True,
        text=True,
    ).stdout
    assert "demo" not in changed and "submitted" not in changed
    notebook = nbformat.read(demo.course.release / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", 4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
