"""The exercise `average_precision`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.boxes import average_precision
from mdcv.exercises.a7_detection.precision_right import RIGHT
from mdcv.exercises.a7_detection.precision_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part, Refusal

ELEVEN: Mapping[str, Any] = {"method": "11-point"}

Given = tuple[Tensor, Tensor, int]


def _ranked(draw: Draw, pattern: str, missed: int) -> Given:
    """Detections in random order whose ranking is this pattern of hits (+) and misses (-)."""
    n = len(pattern)
    scores = 1 - (torch.arange(n) + 0.9 * draw.uniform(n)) / n
    hits = torch.tensor([sign == "+" for sign in pattern])
    shuffled = draw.order(n)
    return scores[shuffled], hits[shuffled], pattern.count("+") + missed


def _some(draw: Draw, n: int, missed: int) -> Given:
    """A random ranking with hits and misses at both ends."""
    middle = "".join("+" if draw.integer(0, 1) else "-" for _ in range(n - 4))
    return _ranked(draw, f"-+{middle}+-", missed)


def _case(kind: str, given: Given, options: Mapping[str, Any], **more: Any) -> Case:
    chosen = "".join(f", {name}={value!r}" for name, value in options.items())
    sizes = f"{len(given[0])} detections, {given[2]} objects{chosen}"
    return Case(f"{kind} ({sizes})", given, options, **more)


def _rankings(draw: Draw) -> list[Given]:
    return [
        _some(draw, 9, 3),
        _some(draw, 13, 4),
        _some(draw, 11, 0),
        _ranked(draw, "+-+--++-", 2),
        _ranked(draw, "-++-+", 1),
        _ranked(draw, "++-+", 13),
    ]


def _all_points(draw: Draw) -> list[Case]:
    return [_case("a ranking", given, {}) for given in _rankings(draw)]


def _eleven_points(draw: Draw) -> list[Case]:
    return [_case("a ranking", given, ELEVEN) for given in _rankings(draw)]


def _tenths(draw: Draw) -> list[Case]:
    """Recalls that are exactly tenths, where a level that is a little too high misses its hit."""
    name = "levels_by_rounding"
    return [
        _case("recalls at exact tenths", _ranked(draw, pattern, missed), ELEVEN, suspicion=name)
        for pattern, missed in (
            ("+-+-+-+-+-+-+-", 3),
            ("+--+-+--+-+-++--+-+-+", 0),
            ("++-+-++--++-+-++-+-++--+-+-+-", 3),
        )
    ]


def _hard(draw: Draw) -> list[Case]:
    cases = []
    for options in ({}, ELEVEN):
        scores, hits, objects = _some(draw, 12, 2)
        cases += [
            _case(
                "no detections",
                (scores[:0], hits[:0], 3),
                options,
                suspicion="fails_without_detections",
            ),
            _case("only misses", (scores, hits & False, 4), options),
            _case("only hits", (scores, hits | True, 15), options),
            _case("every object found at once", (scores, hits | True, 12), options),
            _case("one detection of one object", (scores[:1], hits[:1] | True, 1), options),
            _case("scores that are logits", (9 * scores - 6, hits, objects), options),
            _case("float32", (scores.float(), hits, objects), options),
            _case(
                "scores that are not contiguous",
                (strided_layout(scores[:, None])[:, 0], hits, objects),
                options,
                suspicion="needs_contiguous_input",
            ),
        ]
    return cases


def _ties(draw: Draw) -> list[Case]:
    cases = []
    for n, levels in ((12, 3), (15, 4), (7, 1)):
        scores = (draw.uniform(n) * levels).floor() / 4 + 0.25
        hits = torch.tensor([sign == "+" for sign in "+-+--+-++--+-+-"[:n]])
        given = scores, hits, int(hits.sum()) + 2
        cases.append(_case("equal scores", given, {}, suspicion="wrong_ties"))
    return cases


def _refusals(draw: Draw) -> list[Refusal]:
    scores, hits, objects = _some(draw, 9, 3)
    nan = scores.clone()
    nan[4] = torch.nan
    found = int(hits.sum())
    unknown = {"method": "9-point"}
    return [
        Refusal("no object to find", (scores, hits, 0), "accepts_no_objects"),
        Refusal("-1 objects to find", (scores, hits & False, -1), "accepts_no_objects"),
        Refusal("fewer objects than hits", (scores, hits, found - 1), "accepts_too_many_hits"),
        Refusal(
            "9 scores and 8 hits or misses", (scores, hits[:8], objects), "accepts_other_shapes"
        ),
        Refusal(
            "8 scores and 9 hits or misses", (scores[:8], hits, objects), "accepts_other_shapes"
        ),
        Refusal("method='9-point'", (scores, hits, objects), "accepts_unknown_option", unknown),
        Refusal("a score that is NaN", (nan, hits, objects), "hides_nan"),
    ]


def _law(sentence: str, change: Any, holds: Any) -> Law:
    def calls(draw: Draw) -> list[Call]:
        given = _some(draw, 11, 3)
        return [(given, {}), (change(draw, *given), {})]

    return Law(sentence, calls, holds)


LAWS = (
    _law(
        "Your value changes when the detections come in another order: only scores rank them.",
        lambda draw, s, h, n: (*(x[o] for o in [draw.order(11)] for x in (s, h)), n),
        lambda values: torch.allclose(values[0], values[1]),
    ),
    _law(
        "A miss behind all hits changes your value: it cannot change the interpolated precision.",
        lambda draw, s, h, n: (torch.cat([s, s.min()[None] - 1]), torch.cat([h, h[:1] & False]), n),
        lambda values: torch.allclose(values[0], values[1]),
    ),
    _law(
        "With twice as many objects to find your value should be half as large; it is not.",
        lambda draw, s, h, n: (s, h, 2 * n),
        lambda values: torch.allclose(values[0], 2 * values[1]),
    ),
)

AVERAGE_PRECISION = Exercise(
    name="average_precision",
    contract=(
        "average_precision(scores, is_true_positive, num_ground_truth, *, method='all-point') "
        "returns the area under the interpolated precision over recall, or with '11-point' its "
        "mean at recall 0, 0.1, …, 1, exact tenths, in the dtype of the scores. Equal scores keep "
        "their order; no detections give 0. num_ground_truth below 1 or below the hits, unequal "
        "lengths, NaN, an unknown method: ValueError."
    ),
    reference=average_precision,
    parts=(
        Part("all points", 0.35, _all_points, is_value=True),
        Part("11 points", 0.2, _eleven_points, is_value=True),
        Part("exact tenths", 0.1, _tenths),
        Part("equal scores", 0.05, _ties),
        Part("hard places", 0.1, _hard),
        Part("bad input", 0.15, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=6,
)
