"""The table of sets and boxes: every model measured, seeded, and comparable line by line."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.data import correspondences
from mdcv.results import SETS, clouds, detectors, matches, reproduce_sets, summarize
from mdcv.results.expectation import read
from mdcv.seeds import generator

TIMES = (detectors.PER_IMAGE, detectors.TRAINING)


@pytest.fixture(scope="module")
def smoke():
    return reproduce_sets("smoke", seeds=[0, 1], progress=False)


def test_every_expectation_finds_its_lines(smoke):
    lines = summarize(smoke)
    for expected in SETS:
        reading = read(expected, lines)
        assert math.isfinite(reading.left) and math.isfinite(reading.right)


def test_every_model_has_every_number_for_each_seed(smoke):
    assert {line.seeds for line in summarize(smoke)} == {2}
    asked = {
        clouds.CLOUDS: {"PointNet", "PointNet++"},
        detectors.SCENES: {"R-CNN", "Fast R-CNN", "Faster R-CNN", "Mask R-CNN"},
        **{matches.data_name(share): {"network on the set", "RANSAC"} for share in matches.SHARES},
    }
    for data, models in asked.items():
        measures = {}
        for row in smoke:
            if row.data == data:
                measures.setdefault(row.model, set()).add(row.measure)
        assert set(measures) == models
        common = set.intersection(*measures.values())
        assert common >= {clouds.CLEAN, clouds.THINNED} or len(common) >= 3


def test_only_mask_rcnn_has_a_mask_ap(smoke):
    masked = {row.model for row in smoke if row.measure in (detectors.MASK, detectors.MASK_50)}
    assert masked == {"Mask R-CNN"}


def test_percentages_and_times_are_possible_numbers(smoke):
    for row in smoke:
        assert row.value > 0 if row.measure in TIMES else 0 <= row.value <= 100, row


def test_a_seed_gives_its_numbers_again_and_leaves_the_global_generator_alone(smoke):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = reproduce_sets("smoke", seeds=[1], progress=False)
    assert torch.rand(3).equal(expected)

    def counted(rows):
        return [row for row in rows if row.seed == 1 and row.measure not in TIMES]

    assert len(counted(again)) > 40
    assert counted(again) == counted(smoke)


def test_every_seed_has_scenes_of_its_own_and_all_are_judged_on_the_same():
    first, other, same = (detectors.draw_scenes(2, 32, seed, "cpu") for seed in (0, 1, 0))
    assert not first[0][0].equal(other[0][0])
    assert first[0][0].equal(same[0][0])
    assert clouds.HELD_OUT > 1000


def test_a_detector_that_knows_the_truth_scores_full_marks():
    _, truth = detectors.draw_scenes(4, 48, 0, "cpu")
    found = [{**one, "scores": torch.ones(len(one["boxes"]))} for one in truth]
    values = detectors._scores(found, truth)
    assert set(values) == {detectors.BOX_50, detectors.BOX, detectors.MASK_50, detectors.MASK}
    assert all(value == pytest.approx(100) for value in values.values())
    moved = [{**one, "boxes": one["boxes"] + 3} for one in found]
    assert detectors._scores(moved, truth)[detectors.BOX] < 90


def test_only_what_is_asked_is_spoilt():
    points = clouds._draw(6, clouds.SIZES["smoke"], 0, "cpu").points
    before = points.clone()
    states = clouds.spoilt(points, generator(0))
    assert points.equal(before) and states[clouds.CLEAN].equal(points)
    assert states[clouds.THINNED].shape == (6, 16, 3)
    assert states[clouds.ROTATED][..., 1].allclose(points[..., 1])
    moved = (states[clouds.OUTLIERS] != points).any(dim=2).sum(dim=1)
    assert moved.tolist() == [3] * 6


def test_precision_recall_and_their_mean_are_counted_over_all_scenes():
    answer = torch.tensor([[True, True, True, False], [False, False, False, True]])
    truth = torch.tensor([[True, False, False, False], [True, True, False, True]])
    values = matches.scores(answer, truth)
    assert values[matches.RIGHT] == pytest.approx(50)
    assert values[matches.FOUND] == pytest.approx(50)
    assert values[matches.F_SCORE] == pytest.approx(50)
    nothing = matches.scores(torch.zeros(2, 4, dtype=torch.bool), truth)
    assert set(nothing.values()) == {0.0}


def test_the_shares_are_those_of_the_data():
    for share in matches.SHARES:
        drawn = matches._draw(2, share, matches.SIZES["cpu"], 0, "cpu")
        expected = round(share * drawn.is_inlier.shape[1])
        assert drawn.is_inlier.sum(dim=1).tolist() == [expected] * 2
    same = correspondences(2, matches=256, inlier_share=0.1, generator=generator(0))
    assert same.pairs.equal(drawn.pairs)


@pytest.mark.parametrize(("preset", "seeds"), [("large", [0]), ("smoke", [])])
def test_an_unknown_preset_and_no_seed_are_refused(preset, seeds):
    with pytest.raises(ValueError, match="expected"):
        reproduce_sets(preset, seeds=seeds, progress=False)
