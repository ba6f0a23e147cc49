"""What a student sees: text in a terminal, a table in a notebook, one line for a stub."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from mdcv.exercises import CheckFailed, check, judge
from mdcv.exercises.showing import as_html, as_text
from mdcv.points import hausdorff_distance

NAME = "hausdorff_distance"


def one_way(x, y):
    return torch.cdist(x, y).amin(2).amax(1)


@pytest.fixture
def notebook(monkeypatch):
    """A kernel that keeps what is displayed."""
    shown = []
    shell = SimpleNamespace(kernel=object())
    display = SimpleNamespace(display=lambda bundle, raw: shown.append(bundle))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_a_pass_is_shown_in_text(capsys):
    check(NAME, hausdorff_distance)
    text = capsys.readouterr().out
    assert "all 5 parts are right" in text


def test_a_stub_gets_a_friendly_line(capsys):
    def stub(x, y):
        raise NotImplementedError()

    check(NAME, stub)
    assert "Not yet: hausdorff_distance" in capsys.readouterr().out


def test_a_failure_shows_yours_beside_expected(capsys):
    with pytest.raises(CheckFailed, match="direction from x to y alone"):
        check(NAME, one_way)
    text = capsys.readouterr().out
    assert "yours" in text and "expected" in text
    assert text.count("direction from x to y alone") == 1


def test_check_failed_is_an_assertion_with_a_short_traceback():
    error = CheckFailed("words")
    assert isinstance(error, AssertionError)
    assert error._render_traceback_() == ["CheckFailed: words"]


def test_a_notebook_gets_a_table(notebook, capsys):
    with pytest.raises(CheckFailed):
        check(NAME, one_way)
    (bundle,) = notebook
    assert capsys.readouterr().out == ""
    assert bundle["text/html"].count("<tr>") >= 2
    assert "yours" in bundle["text/plain"]


def test_html_needs_no_network_and_no_fixed_background():
    page = as_html(judge(NAME, one_way))
    for outside in ("http", "<script", "<link", "src="):
        assert outside not in page
    assert "color:inherit" in page
    assert "background:transparent" in page


def test_html_is_escaped():
    def shouts(x, y):
        raise RuntimeError("<b>bold</b> & <script>")

    page = as_html(judge(NAME, shouts))
    assert "<script>" not in page
    assert "&lt;b&gt;bold" in page


def test_the_table_begins_where_values_differ():
    def last_is_wrong(x, y):
        table = torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)
        table = table.clone()
        table[..., -1] = 0
        return table

    text = as_text(judge("pairwise_distances", last_is_wrong))
    assert "from entry [0, 0, " in text


def test_the_same_outcome_has_the_same_text():
    assert as_text(judge(NAME, one_way)) == as_text(judge(NAME, one_way))


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="expected one of"):
        check("hausdorf", one_way)
