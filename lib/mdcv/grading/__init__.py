"""Grading: a class of notebooks in, marks and sentences out.

The rooms below know what a right answer is. This one knows how to get a stranger's notebook
as far as the question, and how to write down what came of it:

    course      where the course lies on disk, and how nbgrader is told
    skeleton    the assignment as the instructor wrote it, with empty answers
    release     assignments/ from solutions/, the same bytes each time
    roster      who is in the class, what platforms call them, and when what is due
    handed_in, belongings       the notebook that was handed in, and the files beside it
    intake      a submission rebuilt on the skeleton, in a copy
    notes, text what was mended, and words from strangers made fit to be read

    work        a submission as a parcel, and the marks that come back
    limits      what it may use
    execution   runs its cells: the one place where a student's code runs
    walls       what that code can reach
    warm        kernels for strangers, from a template that is kept for the next submission
    forking     the template as it is held from outside, and `template_folder` its folder
    kernel      a kernel, held likewise; `outputs` is what its cells leave
    template, shell, student    the other side: what forks, runs cells, and answers questions
    rehearsal, offspring        what a template does once for all its forks, and their end
    student_view, student_side  what of `mdcv` is in sight there
    wire, tensors               frames between the two sides, and tensors as bytes in them
    remote, verdicts            asks a student's function from outside, and judges the answers
    marks       what a judged cell earned, and the sentence for it; fails closed
    leftovers   no process outlives it

    classroom   all submissions of a folder: many hands grade, one writes
    parcels     reads them and makes tasks; `writer` puts down what comes back
    scheduling  what hands are: `processes` of this machine, or a `cluster` of Dask's
    worker      the other end of the line to such a process
    gradebook   one writer, one transaction for each student; `new_gradebook` makes its tables
    journal     what was graded, from what: a killed run is finished by the next
    penalties   what being late costs
    pipeline    the same steps for nbgrader's own commands

    feedback    the pages the students read; formulas are drawn into them
    report      the gradebook, a row a student
    platforms   the gradebook as files for a spreadsheet, Canvas, Moodle
    insight     what the class got wrong, and how often
    check       a student's notebook at home, without any of the above
    samples     a class of ten from readable files, for the demo
    doctor, lab what the machine can do, and JupyterLab on it
    bench       the measurements of the repository, if it is there
    show        tables and the bar
    command     the command line `mdcv`; grade_command, report_command, and their `options`

Nothing is imported here, so that `mdcv --help` answers at once.
"""
