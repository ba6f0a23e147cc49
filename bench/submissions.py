"""Honest submissions to an assignment, made from its solution, and what their own cells cost.

Most are right and each has words of its own. Of every four, one has left a question as it was
released, and one has a function that answers twice what it should.
"""

from __future__ import annotations

import copy
import re
import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]

#: What marks the solution, and the instructor's notes, in a source notebook.
MARKS = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION\n?", flags=re.MULTILINE)
NOTES = re.compile(
    r"^[ \t]*### BEGIN MARK SCHEME.*?### END MARK SCHEME\n?", flags=re.MULTILINE | re.DOTALL
)


def honest(released: NotebookNode, source: NotebookNode, count: int) -> list[str]:
    """So many notebooks as students would hand them in, as text.

    Args:
        released: what students got.
        source: the instructor's notebook, with the solutions.
        count: how many.
    """
    answers = {_name(cell): NOTES.sub("", MARKS.sub("", cell.source)) for cell in source.cells}
    questions = [name for name in map(_name, filter(_is_answer, released.cells)) if name]
    functions = [name for name in questions if re.match(r"def \w+", answers[name])]
    return [
        nbformat.writes(
            _one(
                released,
                answers,
                number,
                left=questions[number // 4 % len(questions)] if number % 4 == 1 else "",
                doubled=functions[number // 4 % len(functions)] if number % 4 == 2 else "",
            )
        )
        for number in range(count)
    ]


def _one(
    released: NotebookNode, answers: dict, number: int, *, left: str, doubled: str
) -> NotebookNode:
    notebook = copy.deepcopy(released)
    for cell in filter(_is_answer, notebook.cells):
        name = _name(cell)
        if name == left:
            continue
        cell.source = answers[name]
        if cell.cell_type == "markdown":
            cell.source += f"\n\nThese are the words of student {number}."
        else:
            cell.source += f"\n# written by student {number}\n"
        if name == doubled:
            function = re.match(r"def (\w+)", answers[name])[1]
            cell.source += (
                f"\n_right_{number} = {function}\n\n\ndef {function}(*values, **options):\n"
                f"    return 2 * _right_{number}(*values, **options)\n"
            )
    return notebook


def _name(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _is_answer(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def own_seconds(assignment: str) -> float:
    """Processor seconds of all cells of a solution that judge nothing, in a warm IPython."""
    from mdcv.grading.marks import is_judged
    from mdcv.grading.pictures import draw_once
    from mdcv.grading.shell import make_shell

    def read(place: str) -> NotebookNode:
        return nbformat.read(ROOT / place / assignment / f"{assignment}.ipynb", as_version=4)

    (text,) = honest(read("assignments"), read("solutions"), 1)
    cells = nbformat.reads(text, as_version=4).cells
    shell = make_shell()
    draw_once(shell)
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        for cell in cells:
            if cell.cell_type == "code" and not is_judged(cell):
                shell.run_one(cell.source)
        seconds.append(time.process_time() - begun)
    return min(seconds)


if __name__ == "__main__":
    print(own_seconds(sys.argv[1]), file=sys.__stdout__)
