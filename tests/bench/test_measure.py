"""Entrants take turns, agree first, and are named when they cannot take part."""

from __future__ import annotations

import gc
import sys

import pytest
import torch
from bench.case import Curve, Entrant, calling
from bench.measure import (
    ABSENT,
    DISAGREES,
    FAILED,
    SKIPPED,
    SLOW,
    TIMED,
    Plan,
    follow,
    measure,
    take_turns,
)
from toys import Stage, case_of

CPU = torch.device("cpu")
THREE = Plan(least=3, most=3, seconds=0.0)


def entrants(record: dict) -> dict[str, dict]:
    return {entrant["name"]: entrant for entrant in record["entrants"]}


def test_all_warm_up_once_and_then_take_turns_each_round_begun_by_another():
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("a"), stage.entrant("b"))
    measure(case, CPU, THREE, clock=stage.clock)
    rounds = [stage.called[i : i + 3] for i in range(0, len(stage.called), 3)]
    assert rounds == [
        ["ours", "a", "b"],
        ["ours", "a", "b"],
        ["a", "b", "ours"],
        ["b", "ours", "a"],
    ]


def test_every_time_is_kept_and_the_warm_up_is_not_among_them():
    stage = Stage()
    case = case_of(stage.entrant("ours", 9.0, 1.0, 2.0, 3.0), stage.entrant("a", 7.0, 4.0))
    found = entrants(measure(case, CPU, THREE, clock=stage.clock))
    assert found["ours"]["seconds"] == [1.0, 2.0, 3.0]
    assert found["a"]["seconds"] == [4.0, 4.0, 4.0]


def test_several_calls_make_one_time():
    stage = Stage()
    call = stage.entrant("a", 1.0, 2.0, 3.0, 4.0).prepare(x=0)
    plan = Plan(least=2, most=2, seconds=0.0, calls=2)
    assert take_turns({"a": call}, plan, clock=stage.clock) == {"a": [1.5, 3.5]}


def test_a_peer_that_disagrees_is_caught_and_not_timed():
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("wrong", says=2.0), stage.entrant("right"))
    found = entrants(measure(case, CPU, THREE, clock=stage.clock))
    assert found["wrong"] == {
        "name": "wrong",
        "status": DISAGREES,
        "reason": "2.0 where ours is 1.0",
        "seconds": [],
    }
    assert stage.called.count("wrong") == 1
    assert found["right"]["status"] == TIMED and len(found["right"]["seconds"]) == 3


def test_without_a_right_answer_of_ours_nobody_is_timed():
    stage = Stage()
    case = case_of(stage.entrant("ours", says=-1.0), stage.entrant("a"))
    found = entrants(measure(case, CPU, THREE, clock=stage.clock))
    assert (found["ours"]["status"], found["ours"]["reason"]) == (DISAGREES, "below zero")
    assert found["a"]["status"] == SKIPPED and stage.called == ["ours"]


def test_a_peer_that_is_not_installed_is_named_with_the_reason():
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("gone", needs="no_such_library"))
    gone = entrants(measure(case, CPU, THREE, clock=stage.clock))["gone"]
    assert gone["status"] == ABSENT
    assert gone["reason"] == "ModuleNotFoundError: No module named 'no_such_library'"


def test_a_peer_whose_import_breaks_is_named_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("raise RuntimeError('operator is missing\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("broken", needs="broken_library"))
    broken = entrants(measure(case, CPU, THREE, clock=stage.clock))["broken"]
    assert (broken["status"], broken["reason"]) == (ABSENT, "RuntimeError: operator is missing")
    assert "broken_library" not in sys.modules


def test_a_peer_that_raises_has_failed():
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("a", says=ValueError("no such axis")))
    failed = entrants(measure(case, CPU, THREE, clock=stage.clock))["a"]
    assert (failed["status"], failed["reason"]) == (FAILED, "ValueError: no such axis")


def test_a_peer_for_another_device_is_skipped():
    stage = Stage()
    case = case_of(stage.entrant("ours"), stage.entrant("a", devices=["cuda"]))
    skipped = entrants(measure(case, CPU, THREE, clock=stage.clock))["a"]
    assert (skipped["status"], skipped["reason"]) == (SKIPPED, "not asked on cpu")


def test_rounds_go_on_until_the_time_is_over_within_bounds():
    plan = Plan(least=5, most=8, seconds=2.0)
    assert not plan.over(7, 1.9) and plan.over(8, 0.0)
    assert not plan.over(4, 7.9) and plan.over(5, 2.0)
    assert not plan.over(2, 100.0) and plan.over(3, 8.0)  # slow: three rounds are enough


def test_garbage_is_not_collected_while_timing():
    seen = []
    take_turns({"a": lambda: seen.append(gc.isenabled())}, THREE)
    assert seen == [False] * 3 and gc.isenabled()


def test_garbage_collection_comes_back_when_a_call_raises():
    with pytest.raises(ZeroDivisionError):
        take_turns({"a": lambda: 1 / 0}, THREE)
    assert gc.isenabled()


def test_a_curve_leaves_slow_and_missing_peers_behind():
    stage = Stage()

    def case(size: int):
        return case_of(
            stage.entrant("ours", 0.0),
            stage.entrant("slow", 0.0 if size < 20 else 2 * SLOW),
            stage.entrant("gone", needs="no_such_library"),
        )

    curve = Curve("toy", "toy", "a toy", "blocks", (10, 20, 30, 40), case)
    one_round = Plan(least=1, most=1, seconds=0.0)
    record = follow(curve, CPU, one_round, largest=30, clock=stage.clock)
    assert [point["size"] for point in record["points"]] == [10, 20, 30]
    took_part = [[entrant["name"] for entrant in point["entrants"]] for point in record["points"]]
    assert took_part == [["ours", "slow", "gone"], ["ours", "slow"], ["ours"]]


def test_a_function_that_a_module_does_not_have_counts_as_absent():
    stage = Stage()
    gone = Entrant("gone", "math", calling("math", "cube_root"))
    found = entrants(measure(case_of(stage.entrant("ours"), gone), CPU, THREE, clock=stage.clock))
    assert (found["gone"]["status"], found["gone"]["reason"]) == (
        ABSENT,
        "ImportError: math has no cube_root",
    )


def test_a_function_is_called_with_the_inputs_in_order_and_then_the_options():
    assert calling("builtins", "pow", 7)(base=2, exponent=5)() == 4
