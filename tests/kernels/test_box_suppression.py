import math
import os
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.box_overlap import box_overlap_reference
from mdcv.kernels.box_suppression import box_suppression_reference, suppress_boxes
from mdcv.kernels.threads import over_ranges
from mdcv.seeds import generator

DTYPES = (torch.float32, torch.float64)
THRESHOLDS = (0.0, 1e-4, 0.1, 0.3, 0.49, 0.5, 0.7, 0.95, 1.0)
LAYOUTS = (
    "spread",
    "clustered",
    "one place",
    "all sizes",
    "stripes",
    "far",
    "nested",
    "empty ones",
)


def make_boxes(layout: str, n: int, seed: int, dtype=torch.float32) -> torch.Tensor:
    """Boxes that lie in ways a search by cells could stumble over."""

    def uniform(k):
        return torch.rand(n, 2, generator=generator(seed + k), dtype=torch.float64)

    center, size = 40 * uniform(0) - 20, 4 + 4 * uniform(1)
    match layout:
        case "clustered":
            center = (center / 10).round() * 10 + uniform(2)
        case "one place":
            center, size = center * 0, size * 0 + 1
        case "all sizes":
            size = 10 ** (8 * uniform(1) - 4)
        case "stripes":
            size = torch.stack([10 ** (3 * uniform(1)[:, 0]), 10 ** (-2 * uniform(1)[:, 0])], 1)
            size[::2] = size[::2].flip(1)
        case "far":
            center = center + 1e5
        case "nested":
            center, size = uniform(0), 2 ** (60 * uniform(1)[:, :1] - 30) * (1 + uniform(2))
        case "empty ones":
            size[::3] = 0
            size[1::3, 0] = 0
    return torch.cat([center - size / 2, center + size / 2], dim=1).to(dtype)


def make_scores(n: int, seed: int, levels: int, dtype=torch.float32) -> torch.Tensor:
    """Scores of few levels, so that there are ties."""
    return torch.randint(levels, (n,), generator=generator(seed)).to(dtype) / levels - 0.5


def greedy(boxes, scores, groups, threshold: Fraction) -> list[int]:
    """The definition, in whole numbers: no rounding, no shared code."""

    def area(box):
        return (box[2] - box[0]) * (box[3] - box[1])

    def exceeds(a, b):
        sides = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
        inter = math.prod(max(0, side) for side in sides)
        return inter > threshold * (area(a) + area(b) - inter)

    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        rivals = (k for k in kept if groups[k] == groups[i])
        if not any(exceeds(boxes[k], boxes[i]) for k in rivals):
            kept.append(i)
    return kept


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_small_whole_boxes_agree_with_the_definition_in_fractions(data):
    """IoUs that equal the threshold, duplicates, ties and boxes without area everywhere."""
    side = st.tuples(st.integers(-5, 5), st.integers(0, 10))
    box = st.tuples(side, side).map(lambda xy: (*(s[0] for s in xy), *(sum(s) for s in xy)))
    boxes = data.draw(st.lists(box, min_size=1, max_size=12))
    n = len(boxes)
    scores = data.draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n))
    groups = data.draw(st.lists(st.sampled_from([0, -1, 2**62]), min_size=n, max_size=n))
    threshold = data.draw(st.sampled_from([Fraction(k, 10) for k in range(11)] + [Fraction(1, 3)]))
    dtype = data.draw(st.sampled_from(DTYPES))
    arguments = (
        torch.tensor(boxes, dtype=dtype),
        torch.tensor(scores, dtype=dtype),
        torch.tensor(groups),
        float(threshold),
    )
    expected = greedy(boxes, scores, groups, threshold)
    assert suppress_boxes(*arguments).tolist() == expected
    assert box_suppression_reference(*arguments).tolist() == expected


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_body_agrees_with_the_reference(device, layout, threshold):
    for seed, dtype in enumerate(DTYPES):
        n = 250
        boxes = make_boxes(layout, n, 10 * seed, dtype).to(device)
        scores = make_scores(n, seed, 40, dtype).to(device)
        groups = torch.randint(3, (n,), generator=generator(seed)).to(device)
        for some in (groups, torch.zeros_like(groups)):
            expected = box_suppression_reference(boxes, scores, some, threshold)
            assert suppress_boxes(boxes, scores, some, threshold).equal(expected)
        assert suppress_boxes(boxes, scores, None, threshold).equal(expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_overlap_to_the_last_bit_at_the_threshold_removes_nothing(device, dtype):
    """Every IoU in the set is a threshold in turn: rounding must be that of the reference."""
    boxes, scores = make_boxes("clustered", 40, 0, dtype), make_scores(40, 0, 100, dtype)
    boxes, scores = (3 * boxes).round().to(device), scores.to(device)
    groups = torch.zeros(40, dtype=torch.int64, device=device)
    thresholds = box_overlap_reference(boxes, boxes).unique().clamp(max=1).tolist()
    assert len(thresholds) > 30
    for threshold in thresholds:
        expected = box_suppression_reference(boxes, scores, groups, threshold)
        assert suppress_boxes(boxes, scores, groups, threshold).equal(expected)


def test_one_large_box_among_many_small_ones_removes_them_all_at_threshold_zero():
    """The cells it covers outnumber the boxes, so that it is compared with all of them."""
    corner = torch.stack(torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij"), -1)
    small = torch.cat([corner, corner + 0.01], dim=-1).reshape(-1, 4)
    large = torch.tensor([[-1.0, -1.0, 30.0, 30.0]])
    boxes, scores = torch.cat([small, large]), torch.linspace(1, 0, 401)
    assert suppress_boxes(boxes, scores, None, 0.0).tolist() == list(range(400))
    assert suppress_boxes(boxes, -scores, None, 0.0).tolist() == [400]


def test_a_box_far_out_and_tiny_ones_at_the_origin_do_not_share_cells_by_overflow():
    tiny = torch.tensor([[0.0, 0.0, 1e-30, 1e-30]], dtype=torch.float64)
    far = torch.tensor([[1e30, 1e30, 1.5e30, 1.5e30]], dtype=torch.float64)
    boxes = torch.cat([tiny, far, tiny, far])
    scores = torch.tensor([4.0, 3, 2, 1], dtype=torch.float64)
    for threshold in (0.0, 0.4, 0.5):
        assert suppress_boxes(boxes, scores, None, threshold).tolist() == [0, 1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_scores_rank_from_infinity_down_and_minus_zero_ties_with_zero(device, dtype):
    scores = [-0.0, -1.0, float("inf"), 0.0, 1e-40, float("-inf"), -1e-40, 3.5, -3.5]
    boxes = torch.arange(9.0, dtype=dtype, device=device)[:, None] * 10 + torch.tensor(
        [0.0, 0.0, 1.0, 1.0], dtype=dtype, device=device
    )
    found = suppress_boxes(boxes, torch.tensor(scores, dtype=dtype, device=device), None, 0.5)
    assert found.tolist() == [2, 7, 4, 0, 3, 6, 1, 8, 5]


def test_a_chain_is_settled_from_the_top(device):
    """Each box overlaps the next one too much: every second one stays, however long the chain."""
    left = torch.arange(300.0, device=device)
    boxes = torch.stack([left, left * 0, left + 3, left * 0 + 1], dim=1)
    found = suppress_boxes(boxes, -left, None, 0.4)
    assert found.tolist() == list(range(0, 300, 2))


def test_nothing_stays_of_nothing(device):
    boxes, scores = torch.zeros(0, 4, device=device), torch.zeros(0, device=device)
    found = suppress_boxes(boxes, scores, None, 0.5)
    assert found.shape == (0,) and found.dtype == torch.int64


def test_gaps_in_memory_do_not_matter_and_inputs_stay_as_they_are():
    boxes = make_boxes("clustered", 80, 0).t().contiguous().t()[::2]
    scores = make_scores(80, 0, 20)[::2]
    groups = torch.arange(120)[::3] % 2
    copies = boxes.clone(), scores.clone(), groups.clone()
    found = suppress_boxes(boxes, scores, groups, 0.3)
    assert found.equal(box_suppression_reference(*copies, 0.3))
    assert boxes.equal(copies[0]) and scores.equal(copies[1]) and groups.equal(copies[2])


def test_bad_boxes_and_scores_are_refused(device):
    boxes, scores = make_boxes("spread", 5, 0).to(device), make_scores(5, 0, 9).to(device)
    scores[3] = float("nan")
    with pytest.raises(ValueError, match="scores holds NaN"):
        suppress_boxes(boxes, scores, None, 0.5)
    boxes[2] = torch.tensor([0.0, 0.0, -1.0, 1.0])
    with pytest.raises(ValueError, match=r"boxes\[2\] is"):
        suppress_boxes(boxes, scores.nan_to_num(), None, 0.5)


@pytest.mark.parametrize("with_groups", [False, True])
def test_the_door_is_a_good_citizen_of_torch(with_groups):
    boxes, scores = make_boxes("clustered", 30, 0), make_scores(30, 0, 9)
    groups = torch.arange(30) % 2 if with_groups else None
    torch.library.opcheck(suppress_boxes, (boxes, scores, groups, 0.5))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_suppresses_as_its_parent_does():
    boxes, scores = make_boxes("clustered", 100, 0), make_scores(100, 0, 50)
    expected = suppress_boxes(boxes, scores, None, 0.5)
    over_ranges(lambda low, high: None, 100, operations=1e9)
    child = os.fork()
    if child == 0:
        os._exit(0 if suppress_boxes(boxes, scores, None, 0.5).equal(expected) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
