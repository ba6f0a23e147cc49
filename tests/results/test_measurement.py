"""Means and spreads over seeds."""

from __future__ import annotations

import math

import numpy as np

from mdcv.results import Measurement, summarize


def test_mean_and_spread_agree_with_numpy():
    values = [0.3, 1.7, 2.9, -4.0]
    (line,) = summarize(Measurement("d", "m", "x", i, v) for i, v in enumerate(values))
    assert math.isclose(line.mean, np.mean(values))
    assert math.isclose(line.spread, np.std(values, ddof=1))
    assert line.seeds == 4


def test_one_seed_has_no_spread():
    (line,) = summarize([Measurement("d", "m", "x", 0, 2.0)])
    assert math.isnan(line.spread)


def test_data_model_and_measure_are_kept_apart_in_the_order_of_the_runs():
    runs = [
        Measurement("b", "m", "x", 0, 1.0),
        Measurement("a", "m", "x", 0, 2.0),
        Measurement("b", "m", "y", 0, 3.0),
        Measurement("b", "n", "x", 0, 4.0),
        Measurement("b", "m", "x", 1, 5.0),
    ]
    lines = summarize(runs)
    assert [(line.data, line.model, line.measure) for line in lines] == [
        ("b", "m", "x"),
        ("a", "m", "x"),
        ("b", "m", "y"),
        ("b", "n", "x"),
    ]
    assert lines[0].mean == 3.0
