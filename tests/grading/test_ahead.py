"""The kernel goes on while its forks answer; what is out of the ordinary is run again in turn."""

from __future__ import annotations

import threading
from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from mdcv.grading import ahead, execution
from mdcv.grading.ahead import MOST_ANSWERING, impatient
from mdcv.grading.execution import run_notebook
from mdcv.grading.in_turn import InTurn
from mdcv.grading.limits import Limits
from mdcv.grading.marks import mark_notebook

pytestmark = pytest.mark.grading

#: Answers that wait: for half a second, and for a byte that the setup's pipe brings.
SLOW = "import time; time.sleep(0.5); return 2 * x"
WAITS = "os.read(pipe[0], 1); return 2 * x"


@pytest.fixture
def in_turn(monkeypatch) -> list[InTurn]:
    """The runs that were made in turn."""
    made = []

    def note(run: InTurn) -> None:
        made.append(run)
        all_cells(run)

    all_cells = InTurn.all_cells
    monkeypatch.setattr(InTurn, "all_cells", note)
    return made


@pytest.fixture
def toy_run(toy_skeleton, tmp_path):
    """Runs the toy with these answers and a cell at its end; returns notebook, marks, problems."""

    def run(
        double: str = "return 2 * x",
        triple: str = "return 3 * x",
        *,
        setup: str = "import os; pipe = os.pipe()",
        last: str = "pass",
        limits: Limits | None = None,
        stop: threading.Event | None = None,
    ):
        notebook = nbformat.from_dict(toy_skeleton.notebook)
        sources = {
            "setup": setup,
            "double-solution": f"def double(x):\n    {double}",
            "triple-solution": f"def triple(x):\n    {triple}",
        }
        for cell in notebook.cells:
            cell.source = sources.get(cell.id, cell.source)
        notebook.cells.append(new_code_cell(last, id="last"))
        folder = tmp_path / "beside"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "data" / "given.txt").write_text("as given")
        problems = run_notebook(notebook, folder=folder, limits=limits, stop=stop)
        return notebook, mark_notebook(notebook), problems

    return run


def test_the_kernel_runs_the_next_cells_while_a_question_is_answered(toy_run, in_turn):
    _, marks, problems = toy_run(double=WAITS, last="os.write(pipe[1], b'.')")
    assert (marks["double"].score, marks["triple"].score) == (3.0, 2.0)
    assert problems == [] and in_turn == []


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"double": "return x", "triple": "1 / 0"},
        {"double": "print(x); return None", "setup": "double = 3; import os"},
        {"setup": "import os; 1 / 0", "last": "triple(2); print(double(3))"},
        {"triple": "return 3 * x\ndel double", "last": "print(triple)"},
    ],
)
def test_both_ways_leave_the_same_notebook(toy_run, monkeypatch, in_turn, answers):
    quick = toy_run(**answers)
    assert in_turn == []
    monkeypatch.setattr(execution, "run_ahead", lambda run: False)
    assert toy_run(**answers) == quick
    assert len(in_turn) == 1


@pytest.mark.parametrize(
    ("answers", "problem", "double"),
    [
        ({"double": SLOW, "last": "os._exit(1)"}, "the kernel died while cell last ran", 3.0),
        ({"double": "os._exit(1)"}, "the kernel died while cell double ran", 0.0),
        ({"double": "raise BlockingIOError"}, None, 0.0),
        ({"double": SLOW, "last": "raise KeyboardInterrupt"}, None, 3.0),
        ({"last": "raise RuntimeError('can\\'t start new thread')"}, None, 3.0),
        ({"last": "while True: pass"}, "cell last was stopped after 2 s", 3.0),
        ({"last": "open('new', 'w')"}, None, 3.0),
        ({"last": "open('data/given.txt', 'w').write('by me...')"}, None, 3.0),
        ({"last": "open('data/given.txt', 'w').write('as given')"}, None, 3.0),
        ({"last": "os.mkdir('data/new'); os.rmdir('data/new')"}, None, 3.0),
        ({"double": "open('new', 'w'); return 2 * x"}, None, 3.0),
        ({"double": "open('data/new', 'w'); return 2 * x"}, None, 3.0),
    ],
)
def test_what_is_out_of_the_ordinary_is_run_again_in_turn(
    toy_run, in_turn, answers, problem, double
):
    limits = Limits(cell_seconds=2.0, grace_seconds=1.0)
    _, marks, problems = toy_run(**answers, limits=limits)
    assert len(in_turn) == 1
    assert (marks["double"].score, marks["triple"].score) == (double, 2.0)
    assert problems == ([] if problem is None else [problem])


@pytest.mark.parametrize("limit", ["CALL_LIMIT", "TOTAL_LIMIT"])
def test_a_late_answer_is_asked_again_in_turn(toy_run, in_turn, monkeypatch, limit):
    monkeypatch.setattr(f"mdcv.exercises.calling.{limit}", 0.4)
    _, marks, _ = toy_run(double="import time; time.sleep(1); return x")
    assert len(in_turn) == 1
    assert marks["double"].message == "double did not come back in time"
    assert marks["triple"].score == 2.0


def test_what_the_first_way_left_on_the_cells_is_gone(toy_run, in_turn):
    once = "import os; print('new' if os.path.exists('flag') else 'first'); open('flag', 'w')"
    notebook, _, _ = toy_run(setup=once, last="os._exit(1)")
    assert [cell.outputs[0].text for cell in notebook.cells if cell.id == "setup"] == ["first\n"]
    assert len(in_turn) == 1


def test_a_grading_that_is_stopped_is_not_begun_again(toy_run, in_turn):
    stop = threading.Event()
    threading.Timer(1.5, stop.set).start()
    _, marks, _ = toy_run(setup="import time; time.sleep(60)", stop=stop)
    assert marks["double"].score == 0.0 and "stopped" in marks["double"].message


def test_no_more_forks_answer_at_once_than_are_allowed(toy_skeleton, tmp_path):
    cells = {cell.id: cell for cell in toy_skeleton.notebook.cells}
    count = "print(len(open('/proc/thread-self/children').read().split()))"
    notebook = nbformat.from_dict(toy_skeleton.notebook)
    notebook.cells = [new_code_cell(f"def double(x):\n    {SLOW}", id="solution")]
    for number in range(MOST_ANSWERING + 2):
        asked = nbformat.from_dict(cells["double"])
        asked.id = f"asked-{number}"
        notebook.cells += [asked, new_code_cell(count, id=f"count-{number}")]
    run_notebook(notebook, folder=tmp_path, isolation="none")  # they may look into /proc
    counts = [int(cell.outputs[0].text) for cell in notebook.cells if cell.id.startswith("count")]
    assert counts == [*range(1, MOST_ANSWERING), *[MOST_ANSWERING] * 3]


def test_the_quick_way_never_gets_more_time_than_the_patient_one():
    assert impatient(Limits()).cell_seconds == ahead.CELL_SECONDS
    short = Limits(cell_seconds=2.0, total_seconds=8.0)
    assert impatient(short) == replace(short, total_seconds=2.0, grace_seconds=0.0)
