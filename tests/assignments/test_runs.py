"""Every assignment runs: untouched it stays friendly and scores nothing, solved it scores all."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.utils import determine_grade
from stages import is_by_hand, judged_cells, marks_of

pytestmark = pytest.mark.notebook

#: A notebook should run within a minute on two free cores; a busy machine gets twice that.
SECONDS = 120


@dataclass(frozen=True)
class Run:
    """A notebook after its run, and how long that took."""

    notebook: NotebookNode
    seconds: float

    def cell(self, id: str) -> NotebookNode:
        return next(cell for cell in self.notebook.cells if cell.id == id)

    def words(self, id: str) -> str:
        """Everything that a cell showed as text, in one line of small letters."""
        shown = []
        for output in self.cell(id).outputs:
            shown.append(output.get("text", ""))
            shown += [str(v) for kind, v in output.get("data", {}).items() if "text" in kind]
        return " ".join(" ".join(shown).lower().split())


def run(notebook: NotebookNode, folder: Path) -> Run:
    """Runs a copy in a fresh kernel, in an empty folder; an error in any cell is raised here."""
    notebook = copy.deepcopy(notebook)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    begun = time.monotonic()
    client.execute()
    return Run(notebook, time.monotonic() - begun)


@pytest.fixture(scope="module")
def untouched(release, graded, tmp_path_factory) -> Run:
    """The release as it is, with the hidden cases put back as the grader does."""
    hidden = {cell.id: cell for cell in judged_cells(graded)}
    notebook = copy.deepcopy(release)
    notebook.cells = [hidden.get(cell.id, cell) for cell in notebook.cells]
    return run(notebook, tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def solved(source, tmp_path_factory) -> Run:
    return run(source, tmp_path_factory.mktemp("solved"))


def test_the_untouched_release_says_not_yet_wherever_an_answer_is_missing(untouched):
    for cell in judged_cells(untouched.notebook):
        assert "not yet" in untouched.words(f"{cell.id}-check"), cell.id
    waiting = [cell for cell in untouched.notebook.cells if "with when_written(" in cell.source]
    assert waiting
    for cell in waiting:
        assert "not yet" in untouched.words(cell.id), cell.id


def test_the_untouched_release_scores_zero_on_every_question(untouched):
    questions = [cell for cell in untouched.notebook.cells if marks_of(cell).get("grade")]
    assert questions
    for cell in questions:
        assert determine_grade(cell) == (0, marks_of(cell)["points"]), cell.id


def test_the_solution_scores_everything_that_a_machine_counts(solved):
    for cell in judged_cells(solved.notebook):
        assert determine_grade(cell) == (marks_of(cell)["points"], marks_of(cell)["points"]), (
            cell.id,
            solved.words(cell.id),
        )


def test_what_the_untouched_release_waits_for_the_solution_shows(untouched, solved):
    waiting = [cell.id for cell in untouched.notebook.cells if "with when_written(" in cell.source]
    for id in waiting:
        assert "not yet" not in solved.words(id), id
        assert solved.cell(id).outputs, id


def test_a_figure_that_a_person_grades_is_there_to_see(solved):
    cells = solved.notebook.cells
    drawn = [i for i, cell in enumerate(cells) if is_by_hand(cell) and cell.cell_type == "code"]
    for index in drawn:
        shown = [kind for output in cells[index + 1].outputs for kind in output.get("data", {})]
        assert "image/png" in shown, cells[index].id


def test_runs_are_short_and_nothing_complains(untouched, solved, record_property):
    for stage, finished in {"untouched": untouched, "solved": solved}.items():
        record_property(f"{stage} seconds", round(finished.seconds, 1))
        assert finished.seconds < SECONDS, stage
        noisy = [
            cell.id
            for cell in finished.notebook.cells
            for output in cell.get("outputs", [])
            if output.output_type == "stream" and output.name == "stderr"
        ]
        assert noisy == [], stage


def test_answers_to_every_other_question_run_to_the_end(source, release, tmp_path):
    answers = {cell.id: cell.source for cell in source.cells}
    half = copy.deepcopy(release)
    for graded in judged_cells(half)[::2]:
        cell = next(c for c in half.cells if c.id == f"{graded.id}-solution")
        cell.source = answers[cell.id]
    finished = run(half, tmp_path)
    for position, graded in enumerate(judged_cells(half)):
        verdict = finished.words(f"{graded.id}-check")
        assert ("not yet" in verdict) == (position % 2 == 1), (graded.id, verdict)
