"""What the instructor sees while it runs, and afterwards."""

from __future__ import annotations

import pytest

from mdcv.grading import show
from mdcv.grading.marks import Mark
from mdcv.grading.show import pace_of, with_bar
from mdcv.grading.writer import Result


def results(count: int, kept: int = 0):
    for number in range(count):
        marks = {"double": Mark(1.0, 1.0, "right")}
        yield Result(f"s{number}", "graded", marks, kept=number < kept)


def test_the_results_come_through_as_they_are(capsys):
    assert [result.student for result in with_bar(results(3), 3, "toy")] == ["s0", "s1", "s2"]
    assert capsys.readouterr().out == ""


def test_without_a_terminal_a_line_tells_rate_and_time_left(capsys, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(show, "monotonic", lambda: float(next(clock)))
    list(with_bar(results(9), 10, "toy"))
    lines = capsys.readouterr().err.splitlines()
    assert lines and all(line.startswith("toy: ") for line in lines)
    assert "/10, " in lines[0] and "a minute" in lines[0] and "left" in lines[0]


@pytest.mark.parametrize(
    ("run", "left", "seconds", "words"),
    [
        (30, 90, 20.0, "90 a minute, 1:00 left"),
        (1, 720, 10.0, "6 a minute, 2:00:00 left"),
        (5, 0, 10.0, "30 a minute, 0:00 left"),
        (0, 10, 10.0, ""),
    ],
)
def test_the_pace_is_what_was_run_and_not_what_stood_already(run, left, seconds, words):
    assert pace_of(run, left, seconds) == words


def test_what_stood_already_is_no_speed(capsys, monkeypatch):
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr(show, "monotonic", lambda: float(next(clock)))
    list(with_bar(results(4, kept=4), 4, "toy"))
    assert "a minute" not in capsys.readouterr().err
