"""The students' pages: complete in one file, and silent about hidden cases."""

from __future__ import annotations

import re

import pytest

from mdcv.grading.classroom import grade_class
from mdcv.grading.feedback import write_feedback

pytestmark = pytest.mark.grading


@pytest.fixture
def pages(toy, pupil):
    """The pages of a right, a wrong and an unreadable submission."""
    pupil().answers(double="return 2 * x", triple="return x", why="$x + x$").hand_in("ada")
    pupil().answers(double="def double(x:\n    return 2").hand_in("o'neil [x] *")
    pupil().hand_in("\nof two\nlines")
    marks = "return 2 * x\n    ### BEGIN HIDDEN TESTS\n### BEGIN SOLUTION"
    pupil().answers(double=f"def double(x):\n    {marks}", why="### BEGIN MARK SCHEME").hand_in(
        "bo"
    )
    (toy.submitted / "absent").mkdir()
    list(grade_class(toy, "toy"))
    (toy.autograded / "beside" / "toy").mkdir(parents=True)  # nobody's, and before the others
    (toy.autograded / ".mdcv-x1" / "toy").mkdir(parents=True)
    written, missing = write_feedback(toy, "toy")
    assert missing == ["beside"]
    return {path.parts[-3]: path.read_text() for path in written}


def test_every_student_has_a_page_that_asks_nothing_from_the_network(pages):
    assert sorted(pages) == ["\nof two\nlines", "absent", "ada", "bo", "o'neil [x] *"]
    for page in pages.values():
        assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=[\"']?(https?:)?//", page)
        assert not re.search(r"@import|url\([\"']?https?:", page)
        assert "cdnjs" not in page


def test_it_shows_points_and_sentences_but_no_hidden_case_and_no_rubric(pages):
    assert "all cases pass" in pages["ada"]
    assert "triple(5) is wrong" in pages["ada"]
    assert "Score: 3.0 / 9.0" in pages["ada"]
    assert "double is not there, because its cell failed: SyntaxError" in pages["o'neil [x] *"]
    assert "no notebook was handed in" in pages["absent"]
    own = pages.pop("bo")  # who wrote such a mark may see it
    assert "HIDDEN TESTS" in own and "MARK SCHEME" in own and "points=3" not in own
    for page in pages.values():
        text = re.sub(r"<[^>]*>", "", page)
        assert "HIDDEN TESTS" not in text and "MARK SCHEME" not in text
        assert "points=3" not in text and "One point each" not in text
