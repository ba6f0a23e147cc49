"""A cell that hangs, kills or floods costs that cell only, and nothing stays behind."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mdcv.grading.execution import Limits, run_notebook
from mdcv.grading.marks import STOPPED, mark_notebook
from mdcv.grading.skeleton import load_skeleton
from mdcv.grading.walls import obstacle

pytestmark = pytest.mark.grading

QUICK = Limits(cell_seconds=2.0, total_seconds=60.0, grace_seconds=1.0)


def run(*sources: str, folder: Path, limits: Limits = QUICK, **options):
    """The outputs of each cell as text, the notebook, and what went wrong."""
    cells = [new_code_cell(source, id=f"c{index}") for index, source in enumerate(sources)]
    notebook = new_notebook(cells=cells)
    problems = run_notebook(notebook, folder=folder, limits=limits, **options)
    return [said(cell) for cell in cells], notebook, problems


def said(cell) -> str:
    """Everything a cell left behind, in one text."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {}).get("text/plain", "")
        parts.append(output.get("text", "") or data or output.get("evalue", ""))
    return "".join(parts).strip()


def test_cells_run_in_order_and_an_error_does_not_stop_the_next(tmp_path):
    texts, _, problems = run("x = 1", "1 / 0", "x + 1", folder=tmp_path)
    assert texts == ["", "division by zero", "2"]
    assert problems == []


def test_an_endless_cell_is_stopped_and_the_kernel_keeps_what_it_knew(tmp_path):
    texts, notebook, problems = run("x = 7", "while True: pass", "x", folder=tmp_path)
    assert texts == ["", "this cell was stopped after 2 s", "7"]
    assert notebook.cells[1].outputs[-1].ename == STOPPED
    assert problems == ["cell c1 was stopped after 2 s"]


def test_a_cell_that_ignores_the_interrupt_is_killed_and_the_earlier_cells_run_again(tmp_path):
    stubborn = "while True:\n  try:\n    while True: pass\n  except BaseException: pass"
    texts, _, problems = run("x = 7", stubborn, "x", folder=tmp_path)
    assert texts == ["", "this cell was stopped after 2 s", "7"]
    assert problems == ["cell c1 was stopped after 2 s"]


def test_a_dead_kernel_costs_the_cell_that_killed_it(tmp_path):
    kill = "import os; os._exit(1)"
    texts, _, problems = run("x = 7; print('once')", kill, "x", kill, "x + 1", folder=tmp_path)
    dead = "the kernel died while this cell ran; os._exit or too much memory does that"
    assert texts == ["once", dead, "7", dead, "8"]
    assert problems == [
        "the kernel died while cell c1 ran",
        "the kernel died while cell c3 ran",
    ]


def test_a_cell_that_kills_only_when_run_again_is_left_out_as_well(tmp_path):
    second_time = "import os; os._exit(1) if os.path.exists('flag') else open('flag', 'w').close()"
    cells = ("x = 7", second_time, "os._exit(1)", "x")
    texts, _, _ = run(*cells, folder=tmp_path, isolation="none")  # else each has files of its own
    assert texts[3] == "7"


def test_asking_for_input_is_refused_at_once(tmp_path):
    texts, _, _ = run("input('mark? ')", "1", folder=tmp_path)
    assert "input" in texts[0] and texts[1] == "1"


def test_a_flood_of_output_is_cut_and_the_judgment_still_counts(toy, pupil, tmp_path):
    skeleton = load_skeleton(toy.notebook("toy"), toy.config())
    notebook = skeleton.notebook
    answers = pupil().answers(double="[print('x' * 10000) for _ in range(200)]; return 2 * x")
    index = [cell.id for cell in notebook.cells].index("double-solution")
    notebook.cells[index].source = answers.cell("double-solution").source
    run_notebook(notebook, folder=tmp_path, limits=Limits(cell_seconds=20))
    cell = next(cell for cell in notebook.cells if cell.id == "double")
    assert len(str(cell.outputs)) < 2 * Limits().output_characters
    assert mark_notebook(notebook)["double"].score == 3.0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_no_process_is_left_behind_not_even_a_daemon(tmp_path, left_over):
    daemon = """
import os, subprocess, sys
note = os.path.abspath("pids")
code = f"import os, time; open({note!r}, 'a').write(str(os.getpid()) + ' '); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code])
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        exec(code)
    os._exit(0)
import time
while not os.path.exists(note) or len(open(note).read().split()) < 3:
    time.sleep(0.05)
open(note).read()
"""
    limits = Limits(cell_seconds=30)
    texts, _, _ = run(daemon, folder=tmp_path, limits=limits, isolation="none")
    pids = [int(word) for word in texts[0].strip("' ").split()]
    assert len(set(pids)) == 3
    assert [pid for pid in pids if alive(pid)] == []
    texts, _, _ = run(daemon, folder=tmp_path, limits=limits)
    assert len(texts[0].strip("' ").split()) == 3
    assert left_over() == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_whole_submission_has_a_limit_too(tmp_path):
    limits = Limits(cell_seconds=60.0, total_seconds=2.0, grace_seconds=1.0)
    texts, _, problems = run("import time; time.sleep(30)", "1", folder=tmp_path, limits=limits)
    assert texts == [
        "this cell was stopped: the time for one submission was used up",
        "not run: the 2 s for one submission were used up",
    ]
    assert problems == ["cell c0 was stopped: the time for one submission was used up"]


def test_the_kernel_has_its_files_and_this_python_and_never_the_seed(tmp_path, monkeypatch):
    monkeypatch.setenv("MDCV_GRADING_SEED", "77")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "factor.txt").write_text("2")
    ask = "import os, sys; print(open('data/factor.txt').read(), sys.prefix, list(os.environ))"
    texts, _, _ = run(ask, folder=tmp_path, seed=77)
    assert texts[0].startswith(f"2 {sys.prefix}") and "GRADING_SEED" not in texts[0]


def test_what_a_cell_writes_does_not_reach_the_folder_it_came_from(tmp_path):
    (tmp_path / "a.txt").write_text("as it was")
    texts, _, _ = run("open('a.txt', 'w').write('new')", "open('a.txt').read()", folder=tmp_path)
    assert texts[1] == "'new'" and (tmp_path / "a.txt").read_text() == "as it was"


def test_secrets_in_the_graders_environment_stay_there(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOUD_TOKEN", "hunter2")
    texts, _, _ = run("import os; sorted(os.environ)", folder=tmp_path)
    assert "PATH" in texts[0] and "CLOUD_TOKEN" not in texts[0]


def test_what_is_written_past_python_does_not_reach_the_instructor(tmp_path, capfd):
    run("import os; os.write(2, b'secret sign\\n'); None", folder=tmp_path)
    assert "secret sign" not in "".join(capfd.readouterr())


def test_a_grading_that_is_stopped_ends_in_a_moment(tmp_path):
    stop = threading.Event()
    cells = [new_code_cell("while True: pass", id="c0"), new_code_cell("1", id="c1")]
    threading.Timer(2.0, stop.set).start()
    begin = time.monotonic()
    run_notebook(new_notebook(cells=cells), folder=tmp_path, stop=stop)
    assert time.monotonic() - begin < 20
    assert said(cells[1]) == "not run: the grading was stopped"


@pytest.mark.skipif(obstacle("full") is not None, reason="there are no full walls here")
def test_a_kernel_that_its_guard_has_ended_says_why(tmp_path):
    several = (
        "import os, time\n"
        "for _ in range(6):\n"
        "    if not os.fork():\n"
        "        kept = b'x' * 500_000_000\n"
        "        time.sleep(60)\n"
        "time.sleep(60)"
    )
    patient = Limits(cell_seconds=50.0, total_seconds=120.0)
    texts, _, _ = run(several, "1 + 1", folder=tmp_path, limits=patient, isolation="full")
    words = "the kernel died while this cell ran; it took more memory than a submission may"
    assert texts == [words, "2"]
