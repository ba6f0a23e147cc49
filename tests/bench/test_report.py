"""The tables say what the results say."""

from __future__ import annotations

import pytest
import torch
from bench.case import Goal
from bench.measure import Plan, measure
from bench.report import markdown, milliseconds, table
from toys import Stage, case_of


@pytest.fixture
def results() -> dict:
    """A run of three toys: one met, one missed, one open, with all kinds of trouble."""
    stage = Stage()
    cases = [
        case_of(
            stage.entrant("mdcv", 0.002),
            stage.entrant("peer", 0.010),
            stage.entrant("peer, other", 0.008),
            stage.entrant("slow", 2.0),
            goals=[Goal(3, ("peer", "peer, other"))],
            name="swift toy",
        ),
        case_of(
            stage.entrant("mdcv", 0.002),
            stage.entrant("peer", 0.004),
            stage.entrant("liar", says=3.0),
            goals=[Goal(20, ("gone",)), Goal(3, ("peer",))],
            name="lame toy",
        ),
        case_of(
            stage.entrant("mdcv", 0.002),
            stage.entrant("gone", needs="no_such_library"),
            goals=[Goal(3, ("gone",))],
            name="lone toy",
        ),
    ]
    plan = Plan(least=3, most=3, seconds=0.0)
    records = [measure(c, torch.device("cpu"), plan, clock=stage.clock) for c in cases]
    place = {"processor": "Toy 9000", "cores": 2, "memory_gib": 8, "gpu": None, "load": 0.1}
    return {
        "date": "2000-01-01",
        "commit": "abc1234",
        "quick": False,
        "device": "cpu",
        "machine": {**place, "system": "Toy OS", "python": "3.11", "versions": {"torch": "2.13"}},
        "runs": [{"threads": 1, "cases": records}, {"threads": 2, "cases": records}],
        "curves": [],
        "floor": None,
    }


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_row_holds_times_ratio_goal_verdict_and_the_others(results):
    head, rule, swift, lame, lone = rows(table(results["runs"][0]["cases"], with_goals=True))
    assert head == ["operation", "mdcv", "fastest peer", "ratio", "goal", "", "others"]
    assert set("".join(rule)) == {"-"}
    assert swift == [
        *("a swift toy", "2.00 ms ± 0 %", "peer, other, 8.00 ms ± 0 %", "**4x**"),
        *("3x peer", "met", "peer 5x, slow 1,000x"),
    ]
    assert lame[2:] == [
        *("peer, 4.00 ms ± 0 %", "**2x**", "20x gone or 3x peer", "missed", "liar disagrees")
    ]
    assert lone[2:] == ["–", "–", "3x gone", "not judged", ""]


def test_goals_are_of_one_thread_only(results):
    text = markdown(results)
    one, all_threads = text.index("**1 thread**"), text.index("**2 threads**")
    assert "3x peer" in text[one:all_threads]
    assert "3x peer" not in text[all_threads:]


def test_who_is_missing_and_who_disagrees_is_told_once_with_the_reason(results):
    text = markdown(results)
    missing = "gone (ModuleNotFoundError: No module named 'no_such_library')"
    assert text.count(missing) == 1
    assert text.count("liar in a lame toy (3.0 where ours is 1.0)") == 1


def test_machine_versions_and_commit_are_told(results):
    text = markdown(results)
    for words in ("Toy 9000, 2 cores, 8 GiB", "torch 2.13", "commit abc1234", "2000-01-01"):
        assert words in text
    assert "not firm" not in text
    assert "not firm" in markdown({**results, "quick": True})


def test_the_floor_is_judged(results):
    results["runs"][0]["cases"][0]["name"] = "chamfer-forward-32x2048"
    results["floor"] = {
        "case": "chamfer-forward-32x2048",
        "bytes": 2e6,
        "bytes_per_second": 4e12,
        "instructions": 1e9,
        "instructions_per_second": 2e12,
        "seconds": 0.0005,
    }
    assert "mdcv takes 4 times that; the goal is 3: missed." in markdown(results)
    results["floor"]["seconds"] = 0.001
    assert "mdcv takes 2 times that; the goal is 3: met." in markdown(results)


def test_milliseconds_have_three_digits_that_count():
    shown = [milliseconds(s) for s in (12.3456, 0.1234, 0.0123, 0.00123, 0.000123, 0.0000123)]
    assert shown == ["12,346 ms", "123 ms", "12.3 ms", "1.23 ms", "0.123 ms", "0.0123 ms"]
