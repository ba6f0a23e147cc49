from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mdcv.boxes import average_precision, precision_recall
from mdcv.seeds import generator


def by_hand(hits: list[bool], objects: int, method: str) -> Fraction:
    """The definition in fractions, for hits already in order."""
    curve, found = [], 0
    for k, hit in enumerate(hits, start=1):
        found += hit
        curve.append((Fraction(found, objects), Fraction(found, k)))

    def interpolated(recall):
        return max((p for r, p in curve if r >= recall), default=Fraction(0))

    if method == "11-point":
        return sum(interpolated(Fraction(level, 10)) for level in range(11)) / 11
    if method == "101-point":  # COCO's code compares floats
        curve = [(float(r), p) for r, p in curve]
        return sum(interpolated(level * 0.01) for level in range(101)) / 101
    steps = [Fraction(0), *sorted({r for r, _ in curve})]
    return sum(((b - a) * interpolated(b) for a, b in pairwise(steps)), Fraction(0))


@pytest.mark.parametrize(
    ("hits", "objects", "all_point", "eleven_point"),
    [
        ([True], 1, 1.0, 1.0),
        ([True], 2, 0.5, 6 / 11),  # recall reaches 0, .1, …, .5
        ([False, True, True], 2, 2 / 3, 2 / 3),  # the envelope lifts 1/2 to 2/3
        ([False, False], 5, 0.0, 0.0),
        ([True, True], 10, 0.2, 3 / 11),  # recall 0.2 is a level, and reached
    ],
)
def test_rankings_that_can_be_judged_in_the_head(device, hits, objects, all_point, eleven_point):
    scores = torch.linspace(1, 0, len(hits), device=device)
    hits = torch.tensor(hits, device=device)
    assert average_precision(scores, hits, objects).item() == pytest.approx(all_point)
    found = average_precision(scores, hits, objects, method="11-point").item()
    assert found == pytest.approx(eleven_point)


@given(data=st.data())
def test_any_ranking_agrees_with_the_definition_in_fractions(data):
    hits = data.draw(st.lists(st.booleans(), max_size=12))
    objects = data.draw(st.integers(max(1, sum(hits)), sum(hits) + 10))
    scores = data.draw(st.lists(st.integers(0, 4), min_size=len(hits), max_size=len(hits)))
    method = data.draw(st.sampled_from(["all-point", "11-point", "101-point"]))
    ranked = [hits[i] for i in sorted(range(len(hits)), key=lambda i: (-scores[i], i))]
    found = average_precision(
        torch.tensor(scores, dtype=torch.float64),
        torch.tensor(hits, dtype=torch.bool),
        objects,
        method=method,
    )
    assert found.item() == pytest.approx(float(by_hand(ranked, objects, method)), abs=1e-12)


def test_equal_scores_keep_their_order(device):
    scores = torch.ones(40, device=device)
    hits = torch.arange(40, device=device) >= 20
    assert average_precision(scores, hits, 20).item() == pytest.approx(0.5)
    assert average_precision(scores, ~hits, 20).item() == 1


def test_levels_of_recall_at_101_points_are_rounded_as_in_cocos_code():
    """35 of 100 objects found miss the level 35 · 0.01, which is above 0.35 in float64."""
    scores = torch.linspace(1, 0, 100, dtype=torch.float64)
    for found, levels in ((34, 35), (35, 35), (36, 37), (100, 101)):
        hits = torch.arange(100) < found
        value = average_precision(scores, hits, 100, method="101-point").item()
        assert value == pytest.approx(levels / 101, abs=1e-12)
        assert average_precision(scores, hits, 100).item() == pytest.approx(found / 100)


def test_precision_and_recall_after_every_detection(device):
    scores = torch.tensor([0.2, 0.9, 0.5, 0.7], device=device)
    hits = torch.tensor([True, True, False, False], device=device)
    precision, recall = precision_recall(scores, hits, 4)
    torch.testing.assert_close(precision.cpu(), torch.tensor([1, 1 / 2, 1 / 3, 2 / 4]))
    assert recall.tolist() == [0.25, 0.25, 0.25, 0.5]
    assert precision.device.type == recall.device.type == device


def test_scikit_learn_draws_the_same_curve():
    metrics = pytest.importorskip("sklearn.metrics")
    scores = torch.rand(60, generator=generator(0), dtype=torch.float64)
    hits = torch.rand(60, generator=generator(1)) < scores
    precision, recall = precision_recall(scores, hits, int(hits.sum()))
    theirs = metrics.precision_recall_curve(hits.numpy(), scores.numpy(), drop_intermediate=False)
    # There the order is that of rising thresholds, and the last point belongs to none.
    for ours, their in zip((precision, recall), theirs, strict=False):
        torch.testing.assert_close(ours.flip(0), torch.from_numpy(their[:-1].copy()))


def test_without_detections_the_curve_has_no_points(device):
    nothing = torch.zeros(0, device=device)
    precision, recall = precision_recall(nothing, nothing.bool(), 3)
    assert precision.shape == recall.shape == (0,)


def test_no_detections_give_zero(device):
    nothing = torch.zeros(0, device=device)
    for method in ("all-point", "11-point", "101-point"):
        found = average_precision(nothing, nothing.bool(), 3, method=method)
        assert found.item() == 0 and found.shape == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_dtype_is_that_of_the_scores_and_inputs_stay_as_they_are(dtype):
    scores, hits = torch.tensor([0.1, 0.9], dtype=dtype), torch.tensor([True, False])
    copies = scores.clone(), hits.clone()
    assert average_precision(scores, hits, 1).dtype == dtype
    assert [curve.dtype for curve in precision_recall(scores, hits, 1)] == [dtype, dtype]
    assert scores.equal(copies[0]) and hits.equal(copies[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": torch.zeros(2, 1)}, r"scores has shape \(2, 1\)"),
        ({"scores": torch.zeros(3)}, r"is_true_positive has shape \(2,\)"),
        ({"scores": torch.tensor([0.0, float("nan")])}, "scores holds NaN"),
        ({"is_true_positive": torch.ones(2)}, "is_true_positive is torch.float32"),
        ({"is_true_positive": [True, False]}, "is_true_positive is list"),
        ({"num_ground_truth": 0}, "num_ground_truth is 0; expected an integer >= 1"),
        ({"num_ground_truth": 1}, "holds 2 hits, num_ground_truth is 1"),
        ({"method": "10-point"}, "method is '10-point'; expected one of '11-point'"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {
        "scores": torch.rand(2),
        "is_true_positive": torch.tensor([True, True]),
        "num_ground_truth": 2,
        "method": "all-point",
    } | change
    method = good.pop("method")
    with pytest.raises(ValueError, match=message):
        average_precision(*good.values(), method=method)
    if "method" not in change:
        with pytest.raises(ValueError, match=message):
            precision_recall(*good.values())
