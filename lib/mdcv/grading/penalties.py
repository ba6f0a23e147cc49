"""What being late costs, by nbgrader's own plugin: the same here as in `nbgrader autograde`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

from mdcv.grading.course import CannotRun, Course

if TYPE_CHECKING:
    from nbgrader.api import SubmittedNotebook

DAY = 24 * 3600


class PercentPerDay(LateSubmissionPlugin):
    """A share of the points earned for every day begun; nbgrader itself knows none and all.

    In course/nbgrader_config.py:

        c.AssignLatePenalties.plugin_class = "mdcv.grading.penalties.PercentPerDay"
        c.PercentPerDay.percent = 10
        c.PercentPerDay.grace_minutes = 15
    """

    percent = Float(10.0, help="percent of the points earned, for each day begun").tag(config=True)
    at_most = Float(100.0, help="percent that a penalty never exceeds").tag(config=True)
    grace_minutes = Float(0.0, help="minutes after the due date that cost nothing").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The points to subtract; None within the minutes of grace.

        >>> PercentPerDay(percent=10.0).late_submission_penalty("ada", 40.0, 25 * 3600)
        8.0
        """
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        percent = min(self.percent * math.ceil(total_seconds_late / DAY), self.at_most)
        return score * percent / 100


class Penalties:
    """The plugin that the course's configuration names, with its settings."""

    def __init__(self, course: Course):
        from nbgrader.preprocessors import AssignLatePenalties

        try:
            step = AssignLatePenalties(config=course.config())
            step.init_plugin()
        except Exception as error:
            raise CannotRun(f"the plugin for late penalties does not load: {error}") from error
        self.plugin = step.plugin_inst

    def apply(self, notebook: SubmittedNotebook) -> float:
        """Writes what a submission loses by being late into its row; returns it.

        Args:
            notebook: its score stands in the database already.

        Raises:
            CannotRun: the plugin fails.
        """
        submission = notebook.assignment
        late, penalty = submission.total_seconds_late, None
        if late > 0:
            try:
                penalty = self.plugin.late_submission_penalty(
                    submission.student.id, notebook.score, late
                )
                penalty = None if penalty is None else _finite(float(penalty))
            except Exception as error:
                raise CannotRun(f"the plugin for late penalties fails: {error!r}") from error
        if penalty is not None:  # within what there is to lose, as nbgrader has it
            penalty = min(max(penalty, 0.0), float(notebook.score))
        notebook.late_submission_penalty = penalty
        return penalty or 0.0


def _finite(points: float) -> float:
    if not math.isfinite(points):
        raise ValueError(f"the penalty is {points} points")
    return points
