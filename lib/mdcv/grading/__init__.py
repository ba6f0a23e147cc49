"""Grading: a class of notebooks in, marks and sentences out.

The rooms below know what a right answer is. This one knows how to get a stranger's notebook
as far as the question, and how to write down what came of it:

    course      where the course lies on disk, and how nbgrader is told
    skeleton    the assignment as the instructor wrote it, with empty answers
    release     assignments/ from solutions/, the same bytes each time
    intake      a submission rebuilt on the skeleton, in a copy
    execution   the one place where a student's code runs
    marks       what a judged cell earned, and the sentence for it; fails closed
    pipeline    the three steps that nbgrader's own commands take from here
    gradebook   one writer, one transaction for each student
    classroom   all submissions of a folder, some at a time
    feedback    the pages the students read
    report      the gradebook as table, csv, Canvas or Moodle file
    command     the command line `mdcv`

Nothing is imported here, so that `mdcv --help` answers at once.
"""
