"""How nbgrader works on this course. `mdcv` reads the same file, so both do the same.

`get_config` is given to this file by nbgrader. Everything the commands write (submitted/,
autograded/, feedback/, gradebook.db) stands beside this file and is ignored by git.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "mdcv"
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.db_url = f"sqlite:///{HERE / 'gradebook.db'}"
c.CourseDirectory.source_directory = "../solutions"
c.CourseDirectory.release_directory = "../assignments"
c.Autograde.create_student = True

# A hand-graded cell carries its rubric in a mark scheme; nbgrader allows that in task cells only.
c.ClearMarkScheme.enforce_metadata = False

# Three of nbgrader's steps are ours: submissions are rebuilt on the released notebook, a cell
# that hangs or kills its kernel costs that cell only, and a mark needs a record or is zero.
c.Autograde.sanitize_preprocessors = [
    "mdcv.grading.pipeline.RebuildSubmission",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "mdcv.grading.pipeline.RunSubmission",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "mdcv.grading.pipeline.SaveMarks",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# The pages that students read hold no hidden cases and ask nothing from the network.
c.GenerateFeedback.exporter_class = "mdcv.grading.feedback.OfflineHTMLExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "mdcv.grading.pipeline.HideCases",
    "mdcv.grading.formulas.DrawFormulas",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# On the pages of the feedback and of the formgrader nothing that a student wrote may run.
c.HTMLExporter.filters = {"markdown2html": "mdcv.grading.harmless.markdown"}
c.HTMLExporter.preprocessors = ["mdcv.grading.harmless.HarmlessOutputs"]
