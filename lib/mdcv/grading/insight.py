"""What a class got wrong: which misconceptions, in which question, and how often.

Read from the autograded notebooks, in which every judged cell keeps the record of its judgment.
So it is there after `mdcv grade` and after nbgrader's own autograde, and needs nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode, v4

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.marks import OUTCOME_MIME, is_judged, mark_cell
from mdcv.grading.skeleton import grade_id_of, is_question

#: Points are missing, and the judge has no name for the mistake.
UNNAMED = "no name for it"

#: The stub is untouched; the judge's sentence begins so.
UNANSWERED, NOT_YET = "not answered", "Not yet"

#: The cell left no judgment: it was stopped, or something before it failed.
UNJUDGED = "not judged"


@dataclass
class Misconception:
    """One mistake in one question, the students who made it, and what one of them read."""

    name: str
    students: list[str] = field(default_factory=list)
    sentences: Counter[str] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        """What most of them read; of equals, the first in the alphabet."""
        return min(self.sentences, key=lambda text: (-self.sentences[text], text))


@dataclass
class Insight:
    """One question: how many answered, how many were right, and what the others believed."""

    question: str
    answers: int = 0
    right: int = 0
    misconceptions: dict[str, Misconception] = field(default_factory=dict)

    def ranked(self) -> list[Misconception]:
        """The misconceptions, the most common first."""
        return sorted(self.misconceptions.values(), key=lambda one: (-len(one.students), one.name))


def class_insight(course: Course, assignment: str) -> list[Insight]:
    """What the class got wrong, question by question in the order of the page.

    Raises:
        CannotRun: there is no such assignment, or nothing of it was graded yet.
    """
    course.notebook(assignment)
    # What a killed run left unfinished begins with a point.
    pages = sorted(course.autograded.glob(f"[!.]*/{assignment}/{assignment}.ipynb"))
    if not pages:
        raise CannotRun(
            f"nothing of {assignment} was graded yet; `mdcv grade {assignment}` comes first"
        )
    insights: dict[str, Insight] = {}
    for page in pages:
        try:
            notebook = v4.reads(page.read_text(encoding="utf-8"))
            for cell in notebook.cells:
                if is_question(cell) and is_judged(cell):
                    name = grade_id_of(cell)
                    _count(insights.setdefault(name, Insight(name)), cell, page.parents[1].name)
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
            raise CannotRun(f"{page} cannot be read: {error!r}") from error
    return list(insights.values())


def _count(insight: Insight, cell: NotebookNode, student: str) -> None:
    mark = mark_cell(cell)
    insight.answers += 1
    if mark.score > mark.max_score - 1e-9:
        insight.right += 1
        return
    name = UNANSWERED if mark.message.startswith(NOT_YET) else _misconception(cell)
    entry = insight.misconceptions.setdefault(name, Misconception(name))
    entry.students.append(student)
    entry.sentences[mark.message] += 1


def _misconception(cell: NotebookNode) -> str:
    records = [output.get("data", {}).get(OUTCOME_MIME) for output in cell.get("outputs", [])]
    records = [record for record in records if isinstance(record, dict)]
    if not records:
        return UNJUDGED
    name = records[0].get("misconception")
    return name if isinstance(name, str) and name else UNNAMED


def as_json(assignment: str, insights: list[Insight]) -> dict[str, Any]:
    """The insight as data, for tools of one's own."""
    return {
        "assignment": assignment,
        "questions": {
            insight.question: {
                "answers": insight.answers,
                "right": insight.right,
                "misconceptions": [
                    {
                        "name": one.name,
                        "students": one.students,
                        "share": len(one.students) / insight.answers,
                        "sentence": one.sentence,
                    }
                    for one in insight.ranked()
                ],
            }
            for insight in insights
        },
    }
