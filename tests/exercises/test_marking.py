"""Points in a graded cell: a plain float, a sentence and a record, whatever was handed in."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
import torch

from mdcv.exercises import grade, judge
from mdcv.exercises.marking import RECORD_TYPE, SEED_VARIABLE
from mdcv.points import hausdorff_distance

NAME = "hausdorff_distance"


def no_door(x, y):
    table = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    display = SimpleNamespace(display=lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return bundles


def test_full_points_are_a_plain_float():
    score = grade(NAME, hausdorff_distance, points=6)
    assert type(score) is float
    assert score == 6.0


def test_a_stub_earns_zero(capsys):
    def stub(x, y):
        raise NotImplementedError

    assert grade(NAME, stub, points=6) == 0.0
    assert "Not yet" in capsys.readouterr().out


def test_partial_credit_stays_between_zero_and_the_maximum():
    assert 0.0 < grade(NAME, no_door, points=6) < 6.0


@pytest.mark.parametrize("points", [float("nan"), -1, None, "many", float("inf")])
def test_odd_points_earn_zero(points):
    assert grade(NAME, hausdorff_distance, points=points) == 0.0


@pytest.mark.parametrize("implementation", [None, 5, lambda: None, lambda x, y: "A+"])
def test_nothing_raises(implementation):
    assert grade(NAME, implementation, points=6) == 0.0


def test_an_unknown_exercise_earns_zero_with_words(capsys):
    assert grade("hausdorf", hausdorff_distance, points=6) == 0.0
    assert "no exercise 'hausdorf'" in capsys.readouterr().out


def test_the_record_is_published(shown):
    score = grade(NAME, no_door, points=6, seed=4)
    (bundle,) = shown
    record = bundle[RECORD_TYPE]
    outcome = judge(NAME, no_door, seed=4)
    assert record == {
        "exercise": NAME,
        "score": score,
        "max_score": 6.0,
        "passed": False,
        "message": outcome.message,
        "misconception": outcome.misconception,
    }
    assert json.loads(json.dumps(record)) == record
    assert bundle["text/plain"] == outcome.message


def test_even_an_unknown_exercise_publishes_a_record(shown):
    grade("hausdorf", None, points=6)
    assert shown[0][RECORD_TYPE]["score"] == 0.0


def seeds_asked(monkeypatch):
    asked = []
    real = judge

    def spy(name, implementation, *, seed):
        asked.append(seed)
        return real(name, implementation, seed=seed)

    monkeypatch.setattr("mdcv.exercises.judging.judge", spy)
    return asked


@pytest.mark.parametrize(
    ("argument", "variable", "expected"),
    [
        (None, None, 1),
        (None, "", 1),
        (None, "17", 17),
        (5, "17", 5),
        (None, str(2**63), 0),
        (-1, None, 2**63 - 1),
    ],
)
def test_where_the_seed_comes_from(argument, variable, expected, monkeypatch):
    asked = seeds_asked(monkeypatch)
    if variable is None:
        monkeypatch.delenv(SEED_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(SEED_VARIABLE, variable)
    grade(NAME, None, points=1, seed=argument)
    assert asked == [expected]


def test_a_seed_in_words_is_a_seed_as_well(monkeypatch):
    asked = seeds_asked(monkeypatch)
    monkeypatch.setenv(SEED_VARIABLE, "spring term")
    grade(NAME, None, points=1)
    grade(NAME, None, points=1)
    assert asked[0] == asked[1]
    assert 0 <= asked[0] < 2**63


def test_what_a_function_prints_while_it_is_graded_arrives_nowhere(capsys):
    def chatty(x, y):
        print("hidden", x, "\ud800")
        print("hidden", y, file=sys.stderr)
        return hausdorff_distance(x, y)

    assert grade(NAME, chatty, points=6) == 6.0
    printed = capsys.readouterr()
    assert "hidden" not in printed.out + printed.err
    print("heard again")
    assert "heard again" in capsys.readouterr().out
