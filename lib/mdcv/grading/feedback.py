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

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        self.tried.add(student_id)
        return super().init_destination(assignment_id, student_id)

    def _format_source(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        """nbgrader's pattern for a folder; the name of one may have several lines."""
        pattern = super()._format_source(assignment_id, student_id, escape=escape)
        return pattern.replace("(?P<student_id>.*)", "(?P<student_id>(?s:.*))")


def graded_folders(course: Course, assignment: str) -> list[Path]:
    """The folders with graded submissions; what a killed run left unfinished is none."""
    return sorted(course.autograded.glob(f"[!.]*/{assignment}"), key=str)


def write_feedback(course: Course, assignment: str) -> tuple[list[Path], list[str]]:
    """Writes the feedback page of every graded submission; returns the pages, and who has none."""
    converter = _Pages(coursedir=course.directory(assignment), config=course.config())
    converter.force = True
    converter.log = logging.Logger("nbgrader", logging.CRITICAL)
    converter.tried = set()
    waiting = folders = graded_folders(course, assignment)
    while waiting:
        converter.folders = waiting
        with contextlib.suppress(NbGraderException):  # some of its errors end it before the others
            converter.start()
        left = [folder for folder in waiting if folder.parent.name not in converter.tried]
        waiting = left if len(left) < len(waiting) else left[1:]
    pages, missing = [], []
    for folder in folders:
        student = folder.parent.name
        page = course.feedback / student / assignment / f"{assignment}.html"
        if page.is_file():
            pages.append(page)
        else:
            missing.append(student)
    return pages, missing
