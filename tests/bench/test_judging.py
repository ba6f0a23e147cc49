"""Medians, quartiles, ratios and goals, on times that are known."""

from __future__ import annotations

import pytest
from bench.judging import MET, MISSED, OPEN, Spread, judge, ratios, spread
from bench.measure import ABSENT, DISAGREES, FAILED, TIMED


def record(ours: float | None, peers: dict[str, float | str], goals: list[tuple]) -> dict:
    """Times in seconds, or a status where there is no time."""

    def entrant(name: str, value: float | str | None) -> dict:
        timed = isinstance(value, float)
        status = TIMED if timed else value or FAILED
        return {"name": name, "status": status, "reason": "", "seconds": [value] if timed else []}

    return {
        "entrants": [entrant("mdcv", ours), *(entrant(*peer) for peer in peers.items())],
        "goals": [{"times": times, "peers": list(names)} for times, *names in goals],
    }


def test_median_and_quartiles_of_known_times():
    assert spread([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert spread([1.0, 2.0, 3.0, 100.0]) == Spread(2.5, 1.75, 27.25)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


def test_ratios_come_fastest_peer_first_and_only_for_the_timed():
    found = ratios(record(2.0, {"a": 10.0, "b": 5.0, "c": ABSENT, "d": DISAGREES}, []))
    assert list(found.items()) == [("b", 2.5), ("a", 5.0)]


def test_without_our_time_there_are_no_ratios():
    assert ratios(record(None, {"a": 10.0}, [])) == {}


@pytest.mark.parametrize(
    ("peers", "goals", "verdict", "reason"),
    [
        ({"a": 6.0}, [(3, "a")], MET, ""),
        ({"a": 5.9}, [(3, "a")], MISSED, "2.95x a"),
        ({"a": ABSENT}, [(3, "a")], OPEN, "a absent"),
        ({"a": DISAGREES}, [(3, "a")], OPEN, "a disagrees"),
        ({}, [(3, "a")], OPEN, "a not asked"),
        # The better of two peers counts, and a missing one might be it.
        ({"a": 20.0, "b": 4.0}, [(3, "a", "b")], MISSED, "2x b"),
        ({"a": 20.0, "b": 7.0}, [(3, "a", "b")], MET, ""),
        ({"a": 20.0, "b": ABSENT}, [(3, "a", "b")], OPEN, "b absent"),
        ({"a": 4.0, "b": ABSENT}, [(3, "a", "b")], MISSED, "2x a"),
        # One alternative suffices.
        ({"a": ABSENT, "b": 200.0}, [(20, "a"), (60, "b")], MET, ""),
        ({"a": 4.0, "b": 200.0}, [(20, "a"), (60, "b")], MET, ""),
        ({"a": ABSENT, "b": 100.0}, [(20, "a"), (60, "b")], MISSED, "50x b"),
        ({"a": ABSENT, "b": ABSENT}, [(20, "a"), (60, "b")], OPEN, "a absent; b absent"),
        ({"a": 100.0}, [], "", ""),
    ],
)
def test_goals_are_judged(peers, goals, verdict, reason):
    assert judge(record(2.0, peers, goals)) == (verdict, reason)


def test_a_goal_is_not_met_by_rounding():
    assert judge(record(1.0, {"a": 2.9999}, [(3, "a")]))[0] == MISSED


def test_without_our_time_a_goal_stays_open():
    assert judge(record(None, {"a": 10.0}, [(3, "a")])) == (OPEN, "mdcv failed")
