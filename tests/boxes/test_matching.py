import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.boxes import box_iou, make_anchors, match_anchors, sample_matches
from mdcv.seeds import generator

OBJECT = torch.tensor([[0.0, 0.0, 10.0, 1.0]])


def parts(*tenths: float) -> torch.Tensor:
    """Anchors whose IoU with OBJECT is so many tenths."""
    return torch.tensor([[0.0, 0.0, float(t), 1.0] for t in tenths])


def make_boxes(n: int, seed: int) -> torch.Tensor:
    corner = torch.randint(12, (n, 2), generator=generator(seed))
    return torch.cat([corner, corner + torch.randint(9, (n, 2), generator=generator(seed + 1))], 1)


def by_hand(anchors, objects, high: float, low: float, keep_best: bool) -> list[int]:
    """The rule, one anchor at a time."""
    overlap = box_iou(anchors, objects).tolist()
    matches = []
    for row in overlap:
        best = max(range(len(row)), key=lambda j: row[j])
        is_best_of = [
            row[j] > 0 and row[j] == max(other[j] for other in overlap) for j in range(len(row))
        ]
        if row[best] >= high or (keep_best and any(is_best_of)):
            matches.append(best)
        else:
            matches.append(-1 if row[best] < low else -2)
    return matches


def test_three_fates_and_the_edges_between_them(device):
    anchors = parts(2, 3, 6.5, 7, 9, 10).to(device)
    found = match_anchors(anchors, OBJECT.to(device))
    assert found.tolist() == [-1, -2, -2, 0, 0, 0]
    assert found.dtype == torch.int64 and found.device.type == device


def test_an_object_without_a_good_anchor_keeps_its_best_ones():
    anchors = parts(2, 1, 2)
    assert match_anchors(anchors, OBJECT).tolist() == [0, -1, 0]
    assert match_anchors(anchors, OBJECT, keep_best=False).tolist() == [-1, -1, -1]


def test_the_best_anchor_of_one_object_may_go_to_another():
    objects = torch.tensor([[0.0, 0.0, 10.0, 1.0], [9.0, 0.0, 12.0, 1.0]])
    anchors = torch.tensor([[0.0, 0.0, 11.0, 1.0]])
    assert match_anchors(anchors, objects).tolist() == [0]


def test_the_first_of_two_equal_objects_is_taken():
    assert match_anchors(OBJECT, OBJECT.repeat(3, 1)).tolist() == [0]


def test_without_objects_all_is_background_and_without_anchors_there_is_nothing(device):
    anchors = make_anchors((2, 3), 8, [16.0], [1.0], device=device)
    assert match_anchors(anchors, anchors[:0]).tolist() == [-1] * 6
    found = match_anchors(anchors[:0], anchors)
    assert found.shape == (0,) and found.dtype == torch.int64


def test_an_object_that_touches_no_anchor_or_has_no_area_finds_none():
    far = torch.tensor([[50.0, 50.0, 60.0, 60.0], [2.0, 0.5, 2.0, 0.5]])
    anchors = parts(2, 9)
    assert match_anchors(anchors, far).tolist() == [-1, -1]
    assert match_anchors(anchors, torch.cat([far, OBJECT])).tolist() == [-1, 2]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    a=st.integers(1, 30),
    n=st.integers(1, 6),
    thresholds=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    keep_best=st.booleans(),
)
def test_any_scene_agrees_with_the_rule_by_hand(seed, a, n, thresholds, keep_best):
    anchors, objects = make_boxes(a, seed).double(), make_boxes(n, seed + 9).double()
    low, high = (t / 8 for t in sorted(thresholds))
    found = match_anchors(anchors, objects, high=high, low=low, keep_best=keep_best)
    assert found.tolist() == by_hand(anchors, objects, high, low, keep_best)


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    i = torch.arange(24)
    corner = torch.stack([(i * 7) % 23, (i * 11) % 19], dim=1).float()
    size = torch.stack([3 + (i * 5) % 11, 2 + (i * 3) % 13], dim=1).float()
    objects = [[2, 3, 12, 9], [10, 10, 20, 22], [9, 9, 18, 20], [0, 12, 14, 26], [15, 1, 19, 5]]
    return torch.cat([corner, corner + size], dim=1), torch.tensor(objects, dtype=torch.float32)


# What torchvision's Matcher says: for (low, high, keep_best) the anchors that are not background.
TORCHVISION = {
    (0.3, 0.7, True): {4: 2, 7: 0, 8: 1, 9: 4, 14: -2, 15: -2, 17: 3, 21: -2},
    (0.3, 0.7, False): {4: -2, 7: -2, 8: -2, 14: -2, 15: -2, 17: -2, 21: -2},
    (0.5, 0.5, False): {8: 1},
    (0.2, 0.4, True): {1: -2, 4: 2, 5: -2, 7: 0, 8: 1, 9: 4, 10: -2, 14: -2, 15: -2, 17: 3}
    | {21: 2, 23: -2},
}


@pytest.mark.parametrize(("setting", "expected"), TORCHVISION.items())
def test_the_numbers_of_torchvision(device, setting, expected):
    low, high, keep_best = setting
    anchors, objects = (boxes.to(device) for boxes in scene())
    found = match_anchors(anchors, objects, high=high, low=low, keep_best=keep_best)
    assert found.tolist() == [expected.get(i, -1) for i in range(24)]


@pytest.mark.parametrize("keep_best", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_torchvision_matches_alike(seed, keep_best):
    detection = pytest.importorskip("torchvision.models.detection._utils", exc_type=Exception)
    anchors = make_anchors((6, 6), 4, [6.0, 12.0], [0.5, 1.0, 2.0])
    objects = make_boxes(5, seed).float() + torch.tensor([0.0, 0.0, 2.0, 2.0])
    theirs = detection.Matcher(0.6, 0.3, keep_best)(box_iou(objects, anchors))
    found = match_anchors(anchors, objects, high=0.6, low=0.3, keep_best=keep_best)
    assert found.equal(theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"anchors": torch.zeros(3, 5)}, r"anchors has shape \(3, 5\)"),
        ({"objects": OBJECT.double()}, "objects has dtype torch.float64; .* as anchors"),
        ({"objects": OBJECT.flip(1)}, r"objects\[0\] is .*; expected x1 <= x2"),
        ({"anchors": OBJECT * float("nan")}, "anchors holds NaN"),
        ({"high": 1.5}, "high is 1.5; expected a number from 0 to 1"),
        ({"low": -0.1}, "low is -0.1"),
        ({"high": 0.3, "low": 0.5}, "low is 0.5, high is 0.3; expected low <= high"),
    ],
)
def test_what_cannot_be_matched_is_refused(at_the_door, change, message):
    with pytest.raises(ValueError, match=message):
        match_anchors(**({"anchors": OBJECT, "objects": OBJECT} | change))


def test_a_nan_is_refused_on_every_device(device):
    with pytest.raises(ValueError, match="objects holds NaN"):
        match_anchors(OBJECT.to(device), (OBJECT * float("nan")).to(device))


def test_a_sample_holds_its_share_and_background_fills_up(device):
    matches = torch.tensor([-1] * 50 + [-2] * 50 + [3] * 50, device=device)
    positive, negative = sample_matches(
        matches, 20, positive_share=0.25, generator=generator(0, device)
    )
    assert len(positive) == 5 and len(negative) == 15
    assert (matches[positive] == 3).all() and (matches[negative] == -1).all()
    for drawn in (positive, negative):
        assert drawn.tolist() == sorted(set(drawn.tolist())) and drawn.device.type == device


def test_where_there_are_too_few_all_are_taken():
    matches = torch.tensor([-1] * 50 + [0])
    positive, negative = sample_matches(matches, 20, generator=generator(0))
    assert positive.tolist() == [50] and len(negative) == 19
    positive, negative = sample_matches(-1 - matches, 20, generator=generator(0))
    assert len(positive) == 10 and negative.tolist() == [50]
    positive, negative = sample_matches(matches[:0], 20)
    assert positive.tolist() == negative.tolist() == []


def test_all_are_drawn_equally_often_and_a_seed_repeats_itself():
    matches = torch.tensor([-1] * 6 + [-2] + [0] * 6)
    g = generator(0)
    counts = torch.zeros(13)
    for _ in range(600):
        for drawn in sample_matches(matches, 4, generator=g):
            counts[drawn] += 1
    assert counts[6] == 0
    others = counts[matches != -2]
    # 600 · 2 / 6 each; six standard deviations are 69.
    assert ((others - 200).abs() < 70).all() and others.std() > 0
    once, again = (sample_matches(matches, 4, generator=generator(5)) for _ in range(2))
    assert once[0].equal(again[0]) and once[1].equal(again[1])


def test_sampling_leaves_the_matches_and_the_global_state_alone():
    matches = torch.tensor([-1, 0, -2, 1])
    before = torch.random.get_rng_state()
    sample_matches(matches, 2, generator=generator(1))
    assert matches.tolist() == [-1, 0, -2, 1]
    assert torch.random.get_rng_state().equal(before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matches": [0, 1]}, r"matches is list; expected a tensor \(A,\)"),
        ({"matches": torch.zeros(3)}, r"matches is torch.float32 \(3,\)"),
        ({"matches": torch.zeros(3, 1).long()}, r"matches is torch.int64 \(3, 1\)"),
        ({"matches": torch.tensor([-3, 0])}, "matches holds -3; expected integers from -2 up"),
        ({"count": 0}, "count is 0; expected an integer >= 1"),
        ({"count": 8.0}, "count is 8.0"),
        ({"positive_share": 25}, "positive_share is 25; expected a number from 0 to 1"),
    ],
)
def test_what_cannot_be_sampled_is_refused(at_the_door, change, message):
    good = {"matches": torch.tensor([-1, 0]), "count": 2}
    with pytest.raises(ValueError, match=message):
        sample_matches(**(good | change))
