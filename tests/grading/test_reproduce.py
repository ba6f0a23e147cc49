"""`mdcv reproduce` prints a table and its readings, and writes every number."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mdcv.grading.command import app
from mdcv.grading.course import CannotRun

runner = CliRunner()


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (
            "generative",
            ("VAE", "PixelCNN", "WGAN-GP", "held-out data", "Gulrajani and others 2017"),
        ),
        ("sets", ("PointNet++", "Faster R-CNN", "mask AP@0.5", "RANSAC", "Girshick 2015")),
    ],
)
def test_the_table_shows_every_model_and_every_expectation(table, names, tmp_path):
    file = tmp_path / "table.json"
    done = runner.invoke(app, ["reproduce", table, "--preset=smoke", "--seeds=1", f"--json={file}"])
    assert done.exit_code == 0, done.output
    for name in names:
        assert name in done.output
    written = json.loads(file.read_text())
    assert {row["seed"] for row in written["measurements"]} == {0}
    assert {reading["verdict"] for reading in written["expectations"]} <= {
        "as expected",
        "within the spread",
        "otherwise",
    }


def test_an_unknown_table_is_named_with_those_there_are():
    done = runner.invoke(app, ["reproduce", "everything"])
    assert isinstance(done.exception, CannotRun)
    assert "'everything'; expected one of generative, sets" in str(done.exception)


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    done = runner.invoke(
        app,
        [
            *("reproduce", "generative", "--preset=smoke", "--seeds=1"),
            f"--json={tmp_path / 'no' / 'x.json'}",
        ],
    )
    assert isinstance(done.exception, CannotRun)
    assert "cannot be written" in str(done.exception)


@pytest.mark.parametrize("wrong", [["--seeds=0"], ["--preset=huge"]])
def test_options_out_of_range_are_refused(wrong):
    assert runner.invoke(app, ["reproduce", "generative", *wrong]).exit_code == 2
