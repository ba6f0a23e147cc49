"""The pages that students read: nbgrader's feedback, without anything from the network."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from jinja2 import DictLoader
from nbconvert.exporters import HTMLExporter
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from traitlets import default

from mdcv.grading.course import Course

#: nbgrader's page asks a server for MathJax, whatever is configured; this takes its place.
NO_MATHJAX = "{% macro mathjax(url='') %}{% endmacro %}"


class OfflineHTMLExporter(HTMLExporter):
    """nbgrader's feedback page, complete in one file; `formulas` draws what MathJax would."""

    @default("extra_loaders")
    def _extra_loaders_default(self) -> list[DictLoader]:
        return [DictLoader({"mathjax.html.j2": NO_MATHJAX})]


class _Pages(GenerateFeedback):
    """nbgrader's converter on a list of folders, whatever characters are in their names."""

    def init_notebooks(self) -> None:
        name = f"{self.coursedir.assignment_id}.ipynb"
        self.assignments = {str(folder): [str(folder / name)] for folder in self.folders}


def write_feedback(course: Course, assignment: str) -> tuple[list[Path], list[str]]:
    """Writes the feedback page of every graded submission; returns the pages, and who has none."""
    converter = _Pages(coursedir=course.directory(assignment), config=course.config())
    converter.force = True
    converter.log = logging.Logger("nbgrader", logging.CRITICAL)
    converter.folders = sorted(course.autograded.glob(f"*/{assignment}"))
    with contextlib.suppress(NbGraderException):  # it has done the others by then
        converter.start()
    pages, missing = [], []
    for folder in converter.folders:
        student = folder.parent.name
        page = course.feedback / student / assignment / f"{assignment}.html"
        if page.is_file():
            pages.append(page)
        else:
            missing.append(student)
    return pages, missing
