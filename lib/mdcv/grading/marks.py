"""What a judged cell earned, and the sentence for it. Fails closed.

The cell `grade("chamfer_distance", chamfer_distance, points=3)` leaves two things behind: a
number as its result, which any tool for nbgrader notebooks can read, and a record with the
number, the maximum and the sentence. Points are given when both are there and agree.
Everything else is zero with a reason. What is printed to stderr costs nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from nbformat import NotebookNode
from nbformat.v4 import new_output

from mdcv.grading.skeleton import grade_id_of, is_by_hand, is_question
from mdcv.grading.text import sentence

#: The type under which `mdcv.exercises.grade` publishes its record.
OUTCOME_MIME = "application/vnd.mdcv.outcome+json"

#: The name of the error on a cell that the grader had to stop, or could not run.
STOPPED = "Stopped"

BY_HAND = "needs grading by hand"
NOT_ANSWERED = "not answered"


@dataclass(frozen=True)
class Mark:
    """The points of one question, and the sentence the student reads.

    `score` is None while a person still has to give the points; `by_hand` says that a person
    gives them at all.
    """

    score: float | None
    max_score: float
    message: str
    by_hand: bool = False


def is_judged(cell: NotebookNode) -> bool:
    """Whether the cell only judges: it may be left out without harm to the cells behind it."""
    name = grade_id_of(cell) or ""
    return (is_question(cell) and not is_by_hand(cell)) or name.endswith("-check")


def mark_notebook(notebook: NotebookNode) -> dict[str, Mark]:
    """The marks of a notebook that was run, by grade id.

    A judged cell without a record gets its reason as an output, so that the student's page
    shows it.
    """
    marks = {}
    for index, cell in enumerate(notebook.cells):
        if not is_question(cell):
            continue
        mark = mark_by_hand(cell) if is_by_hand(cell) else mark_cell(cell)
        if not is_by_hand(cell) and not _records(cell):
            mark = replace(mark, message=_with_cause(mark.message, notebook, index))
            cell.outputs.append(new_output("display_data", {"text/plain": mark.message}))
        marks[grade_id_of(cell)] = mark
    return marks


def mark_by_hand(cell: NotebookNode) -> Mark:
    """Zero for an untouched answer, and no points yet for one that a person has to read."""
    from nbgrader.utils import compute_checksum

    nbgrader, points = cell.metadata.nbgrader, float(cell.metadata.nbgrader["points"])
    if not nbgrader.get("task") and nbgrader.get("checksum") == compute_checksum(cell):
        return Mark(0.0, points, NOT_ANSWERED, by_hand=True)
    return Mark(None, points, BY_HAND, by_hand=True)


def mark_cell(cell: NotebookNode) -> Mark:
    """The mark of one judged cell, from what it left behind."""
    points = float(cell.metadata.nbgrader["points"])

    def zero(reason: str) -> Mark:
        return Mark(0.0, points, reason)

    errors = [output for output in cell.outputs if output.output_type == "error"]
    if errors:
        return zero(_last_line(errors[0]))
    records, results = _records(cell), _results(cell)
    if not records:
        return zero("no points: the cell left no record of a judgment")
    if len(records) > 1 or len(results) > 1:
        return zero("no points: the cell left more than one judgment")
    record = records[0]
    message = record.get("message")
    if not isinstance(message, str):
        return zero("no points: the record of the judgment has no message")
    score, maximum = _number(record.get("score")), _number(record.get("max_score"))
    if score is None or maximum is None or not math.isclose(maximum, points):
        return zero(f"no points: the record of the judgment is not about {points:g} points")
    if not results:
        return zero("no points: the cell has no result")
    result = _number(results[0])
    if result is None:
        return zero(f"no points: the cell's result is no number: {sentence(results[0])[:60]}")
    if min(result, score) < 0:
        return zero(f"no points: the cell's result is negative: {min(result, score):g}")
    if not math.isclose(min(result, points), min(score, points), abs_tol=1e-9):
        return zero(f"no points: the result is {result:g}, but the record says {score:g}")
    return Mark(round(min(score, points), 6), points, sentence(message))


def _records(cell: NotebookNode) -> list[dict]:
    """The records a cell published."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [entry[OUTCOME_MIME] for entry in data if isinstance(entry.get(OUTCOME_MIME), dict)]


def _results(cell: NotebookNode) -> list[str]:
    """The cell's result as text: none, or one."""
    found = [output for output in cell.outputs if output.output_type == "execute_result"]
    return [str(output.data.get("text/plain", "")) for output in found]


def _number(value: object) -> float | None:
    """A finite number, from a number or its plain text; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(\.\d*)?(e[+-]?\d+)?\s*", value):
        value = float(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _last_line(error: NotebookNode) -> str:
    """The error in one line, as Python ends its tracebacks."""
    first = str(error.evalue).strip().partition("\n")[0]
    parts = [error.ename, first] if error.ename != STOPPED else [first]
    return sentence(": ".join(part for part in parts if part))[:300]


def _with_cause(message: str, notebook: NotebookNode, index: int) -> str:
    """For a name that is not there: why the cell that should define it did not."""
    missing = re.match(r"NameError: name '(\w+)' is not defined", message)
    if not missing:
        return message
    for cell in notebook.cells[:index]:
        failed = [out for out in cell.get("outputs", []) if out.output_type == "error"]
        if failed and re.search(rf"\b{missing.group(1)}\b", cell.source) and not is_judged(cell):
            return (
                f"{missing.group(1)} is not there, because its cell failed: {_last_line(failed[0])}"
            )
    return f"{missing.group(1)} is not defined anywhere before it is graded"
