"""The progress line: in place for a person, line by line for a log, nothing when asked."""

from __future__ import annotations

import io
import sys
import types

import pytest

from mdcv.train import ProgressLine, progress, train


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def slow_clock(monkeypatch):
    """Every look at the clock is a second after the one before."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(seconds)))


def count(stream: io.StringIO, total: int, **options) -> str:
    with ProgressLine("run", total, stream=stream, **options) as line:
        for done in range(1, total + 1):
            line.update(done, {"loss": 1.0 / done})
    return stream.getvalue()


def test_in_a_terminal_one_line_is_overwritten(slow_clock):
    text = count(Terminal(), 4)
    assert text.count("\r") == 5 and text.count("\n") == 1 and text.endswith("\n")
    assert "2/4" in text and "loss 0.25" in text.split("\r")[-1]


def test_a_shorter_line_covers_a_longer_one(slow_clock):
    stream = Terminal()
    with ProgressLine("run", 2, stream=stream) as line:
        line.update(1, {"loss": 0.123456})
        line.update(2, {"loss": 1.0})
    first, second = stream.getvalue().split("\r")[1:3]
    assert len(second) >= len(first) and second.rstrip() != second


def test_elsewhere_a_line_comes_now_and_then(slow_clock):
    lines = count(io.StringIO(), 30).splitlines()
    assert len(lines) == 4 and not any("\r" in line for line in lines)
    assert "30/30" in lines[-1]


def test_a_run_that_fails_says_how_far_it_came():
    stream = io.StringIO()
    with pytest.raises(RuntimeError), ProgressLine("run", 9, stream=stream) as line:
        line.update(3, {"loss": 2.0})
        raise RuntimeError
    assert "3/9" in stream.getvalue()


def test_nothing_is_written_when_asked(capsys):
    assert count(Terminal(), 4, shown=False) == ""
    train(lambda k, source: 0.0, 3, progress=False)
    assert capsys.readouterr().out == ""
    train(lambda k, source: 0.0, 3, name="counting")
    assert "counting" in capsys.readouterr().out


def test_in_a_notebook_one_output_changes(monkeypatch, capsys, slow_clock):
    shown = []

    class ZMQInteractiveShell:
        pass

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    fake = types.ModuleType("IPython")
    fake.get_ipython = ZMQInteractiveShell
    fake_display = types.ModuleType("IPython.display")
    fake_display.display = lambda data, raw, display_id: Handle()
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", fake_display)
    train(lambda k, source: 0.5, 3)
    assert len(shown) == 4 and "3/3" in shown[-1] and "loss 0.5" in shown[-1]
    assert capsys.readouterr().out == ""
