"""The pages that students read: nbgrader's feedback, without anything from the network."""

from __future__ import annotations

import logging
from pathlib import Path

from jinja2 import DictLoader
from nbconvert.exporters import HTMLExporter
from traitlets import default

from mdcv.grading.course import Course

#: nbgrader's page asks a server for MathJax, whatever is configured; this takes its place.
NO_MATHJAX = "{% macro mathjax(url='') %}{% endmacro %}"


class OfflineHTMLExporter(HTMLExporter):
    """nbgrader's feedback page, complete in one file. Formulas stay as they were typed."""

    @default("extra_loaders")
    def _extra_loaders_default(self) -> list[DictLoader]:
        return [DictLoader({"mathjax.html.j2": NO_MATHJAX})]


def write_feedback(course: Course, assignment: str) -> tuple[list[Path], list[str]]:
    """Writes the feedback page of every graded submission; returns the pages, and who has none."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.converters.base import NbGraderException

    converter = GenerateFeedback(coursedir=course.directory(assignment), config=course.config())
    converter.force = True
    converter.log = logging.Logger("nbgrader", logging.CRITICAL)
    try:
        converter.start()
    except NbGraderException:
        pass  # it has done the others by then; who is missing is seen below
    pages, missing = [], []
    for folder in sorted(course.autograded.glob(f"*/{assignment}")):
        page = course.feedback / folder.parent.name / assignment / f"{assignment}.html"
        pages.append(page) if page.is_file() else missing.append(folder.parent.name)
    return pages, missing
