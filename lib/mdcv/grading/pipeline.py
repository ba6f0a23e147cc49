"""The steps that nbgrader's own commands take from here, named in course/nbgrader_config.py.

They call the same functions as `mdcv grade`. So `nbgrader autograde`, `generate_feedback` and
the formgrader give the same marks and the same words on the same course.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets import Float, Unicode

from mdcv.grading.course import Course, open_course
from mdcv.grading.execution import Limits, run_notebook
from mdcv.grading.gradebook import apply_mark
from mdcv.grading.intake import Handed, copy_files, rebuild
from mdcv.grading.marks import is_judged, mark_notebook
from mdcv.grading.notes import note_problems
from mdcv.grading.skeleton import grade_id_of, is_question, load_skeleton


class _CourseStep(NbGraderPreprocessor):
    """A step that knows the course it works in, from the converter that runs it."""

    def course(self) -> Course:
        return open_course(Path(self.parent.parent.coursedir.root))


class RebuildSubmission(_CourseStep):
    """In place of DeduplicateIds, OverwriteKernelspec and OverwriteCells."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The submission, rebuilt on the skeleton of its assignment."""
        course = self.course()
        path = course.notebook(resources["nbgrader"]["assignment"])
        handed = [
            Handed(
                kind=cell.cell_type,
                source=cell.source,
                grade_id=grade_id_of(cell),
                cell_id=cell.get("id"),
                attachments=cell.get("attachments", {}),
            )
            for cell in nb.cells
        ]
        rebuilt, problems = rebuild(handed, load_skeleton(path, course.config()))
        for problem in problems:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        note_problems(rebuilt, problems)
        return rebuilt, resources


class RunSubmission(_CourseStep):
    """In place of Execute."""

    cell_seconds = Float(60.0, help="seconds one cell may run").tag(config=True)
    total_seconds = Float(900.0, help="seconds one submission may run").tag(config=True)
    isolation = Unicode("best", help="the walls: best, full, basic, or none").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with the outputs of its cells, run in a scratch copy of its folder."""
        limits = Limits(cell_seconds=self.cell_seconds, total_seconds=self.total_seconds)
        seed = self.course().seed(resources["nbgrader"]["assignment"])
        with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
            copy_files(Path(resources["metadata"]["path"]), Path(scratch))
            found = run_notebook(
                nb, folder=Path(scratch), seed=seed, limits=limits, isolation=self.isolation
            )
            for problem in found:
                self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        return nb, resources


class SaveMarks(SaveAutoGrades):
    """In place of SaveAutoGrades: a mark needs a record, or it is zero with a reason."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook, its marks written to the gradebook."""
        self.marks = mark_notebook(nb)
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: dict) -> None:
        name = grade_id_of(cell)
        row = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        apply_mark(row, self.marks[name])
        self.gradebook.db.commit()


class HideCases(NbGraderPreprocessor):
    """For the pages that students read: neither hidden cases nor rubrics are on them."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook without them; a traceback through a judged cell keeps its last line.

        What a student wrote stays as it is, with the marks of such regions in it or without.
        """
        steps = [step(parent=self) for step in (ClearHiddenTests, ClearMarkScheme)]
        for index, cell in enumerate(nb.cells):
            if is_question(cell):
                for step in steps:
                    with contextlib.suppress(RuntimeError):  # a region without an end is not ours
                        step.preprocess_cell(cell, resources, index)
        for cell in filter(is_judged, nb.cells):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return nb, resources
