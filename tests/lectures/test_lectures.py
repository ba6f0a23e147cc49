"""Every lecture keeps the rules, and runs from top to bottom without a network."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import lecture_rules as rules
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LECTURES = Path(__file__).resolve().parents[2] / "lectures"

#: A lecture should run within a minute on two free cores; a busy machine gets twice that.
SECONDS = 120

#: Put before everything else in the kernel: only this machine can be reached.
OFFLINE = """
import socket

_connect = socket.socket.connect
_look_up = socket.getaddrinfo
_HERE = ("localhost", "127.0.0.1", "::1", "", None)


def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _HERE:
        raise OSError(f"the lecture reached for the network: {address[0]}")
    return _connect(self, address)


def look_up(host, *args, **kwargs):
    if host not in _HERE:
        raise OSError(f"the lecture reached for the network: {host}")
    return _look_up(host, *args, **kwargs)


socket.socket.connect = connect
socket.getaddrinfo = look_up
"""


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def run_offline(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in a fresh kernel that reaches no other machine."""
    (folder / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(LECTURES)}},
    )
    return client.execute(env={**os.environ, "PYTHONPATH": path})


def stream(notebook: nbformat.NotebookNode, name: str) -> str:
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == name
    )


def test_there_are_lectures():
    assert list(LECTURES.glob("*.ipynb"))


def test_every_equation_is_numbered_and_judged_once(lecture_file):
    assert rules.equation_coverage(read(lecture_file), rules.chapter(lecture_file)) == []


def test_outputs_are_stripped_and_cells_have_names(lecture_file):
    assert rules.form(read(lecture_file)) == []


def test_a_lecture_is_neither_too_thin_nor_too_thick(lecture_file):
    assert rules.size(read(lecture_file)) == []


def test_header_blocks_predictions_exercises_and_references_are_there(lecture_file):
    assert rules.parts(read(lecture_file)) == []


def test_there_is_one_slider_and_it_has_a_fallback(lecture_file):
    assert rules.slider(read(lecture_file)) == []


def test_links_lead_somewhere(lecture_file):
    assert rules.links(read(lecture_file), LECTURES) == []


def test_no_function_is_defined_in_two_lectures():
    notebooks = {path.stem: read(path) for path in sorted(LECTURES.glob("*.ipynb"))}
    assert rules.shared_definitions(notebooks) == []


def test_a_file_is_written_as_nbformat_writes_it(lecture_file):
    text = lecture_file.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    nbformat.validate(nbformat.reads(text, as_version=4))


@pytest.mark.notebook
def test_a_lecture_runs_and_every_equation_holds(lecture_file, tmp_path, capsys):
    notebook = nbformat.read(lecture_file, as_version=4)
    start = time.perf_counter()
    executed = run_offline(notebook, tmp_path)
    seconds = time.perf_counter() - start
    with capsys.disabled():
        print(f"\n{lecture_file.stem}: {seconds:.1f} s")
    judged = stream(executed, "stdout")
    missing = [tag for tag in rules.tags(read(lecture_file)) if f"({tag}) holds" not in judged]
    assert missing == []
    assert stream(executed, "stderr") == ""
    assert seconds < SECONDS


@pytest.mark.notebook
def test_a_notebook_that_reaches_for_the_network_is_stopped(tmp_path):
    call = "import urllib.request\nurllib.request.urlopen('https://192.0.2.1', timeout=5)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(call)])
    with pytest.raises(CellExecutionError, match="reached for the network"):
        run_offline(notebook, tmp_path)
