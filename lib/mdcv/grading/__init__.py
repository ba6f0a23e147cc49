"""Grading: a class of notebooks in, marks and sentences out.

The rooms below know what a right answer is. This one knows how to get a stranger's notebook
as far as the question, and how to write down what came of it:

    course      where the course lies on disk, and how nbgrader is told
    skeleton    the assignment as the instructor wrote it, with empty answers
    release     assignments/ from solutions/, the same bytes each time
    roster      who is in the class, and when what is due
    intake      a submission rebuilt on the skeleton, in a copy
    text        words from strangers, made fit to be written and read
    execution   the one place where a student's code runs
    leftovers   no process outlives it
    marks       what a judged cell earned, and the sentence for it; fails closed
    pipeline    the three steps that nbgrader's own commands take from here
    gradebook   one writer, one transaction for each student
    classroom   all submissions of a folder, some at a time
    feedback    the pages the students read; formulas are drawn into them
    report      the gradebook as table, csv, Canvas or Moodle file
    check       a student's notebook at home, without any of the above
    samples     a class of ten from readable files, for the demo
    doctor, lab what the machine can do, and JupyterLab on it
    bench       the measurements of the repository, if it is there
    show        tables and the bar
    command     the command line `mdcv`

Nothing is imported here, so that `mdcv --help` answers at once.
"""
