"""`mdcv bench` hands its options on, and says so when the repository is not there."""

from __future__ import annotations

import json

import pytest
from bench.__main__ import main
from bench.measure import TIMED
from bench.report import markdown
from typer.testing import CliRunner

from mdcv.grading import bench as command
from mdcv.grading.command import app
from mdcv.grading.course import CannotRun


def test_options_are_handed_on_with_the_exit_status(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "run_bench", lambda options: asked.extend(options) or 5)
    words = ["--op", "nms", "fid", "--threads", "one", "--quick", "--json", "a.json"]
    assert CliRunner().invoke(app, ["bench", *words]).exit_code == 5
    assert asked == words


def test_help_comes_from_the_measurements(capfd):
    assert command.run_bench(["--help"]) == 0
    said = capfd.readouterr().out
    for option in ("--device", "--op", "--json", "--threads", "--quick"):
        assert option in said


def test_without_the_repository_it_says_where_the_measurements_are(tmp_path):
    with pytest.raises(CannotRun, match="come with the repository"):
        command.run_bench([], root=tmp_path)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--op", "sorting"], "invalid choice: 'sorting'"),
        (["--threads", "three"], "invalid choice: 'three'"),
        (["--device", "abacus"], "device is 'abacus'"),
        (["--json", "/no/such/folder/a.json"], "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_done_is_refused_before_measuring(words, complaint, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_real_run_is_told_shown_and_written_with_every_time(tmp_path, capsys):
    file = tmp_path / "results.json"
    words = ["--op", "average_precision", "--threads", "one", "--quick", "--json", str(file)]
    main(words)
    said = capsys.readouterr().out
    assert said.startswith("average precision, 100,000 detections (1 thread)\n    mdcv")
    results = json.loads(file.read_text(encoding="utf-8"))
    assert markdown(results) in said
    (run,) = results["runs"]
    (record,) = run["cases"]
    assert run["threads"] == 1 and results["machine"]["versions"]["torch"]
    for entrant in record["entrants"]:
        assert entrant["status"] == TIMED and len(entrant["seconds"]) >= 3
