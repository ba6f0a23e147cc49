import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.boxes import batched_nms, box_iou, nms
from mdcv.seeds import generator


def make_boxes(n: int, seed: int, clusters: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes around a few places, with scores of which some are equal."""
    place = 60 * torch.rand(clusters, 2, generator=generator(seed))
    which = torch.randint(clusters, (n,), generator=generator(seed + 1))
    corner = place[which] + torch.randn(n, 2, generator=generator(seed + 2))
    size = 4 + 6 * torch.rand(n, 2, generator=generator(seed + 3))
    scores = torch.rand(n, generator=generator(seed + 4)).mul(200).round() / 200
    return torch.cat([corner, corner + size], dim=1), scores


def test_a_box_at_the_threshold_stays_and_one_above_goes(device):
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 5.0, 1.0]], device=device)
    scores = torch.tensor([0.9, 0.8], device=device)
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms(boxes, scores, 0.4999).tolist() == [0]
    # 0.1, 0.3 and 0.6 are above themselves when float32 is compared with float64.
    for tenth in (1, 3, 6, 7, 9):
        boxes[1, 2] = tenth
        assert nms(boxes, scores, tenth / 10).tolist() == [0, 1]


def test_indices_refer_to_the_input_and_fall_with_the_score(device):
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 6.0, 6.0], [0.0, 0.0, 1.0, 1.1]])
    found = nms(boxes.to(device), torch.tensor([0.2, 0.5, 0.9], device=device), 0.5)
    assert found.tolist() == [2, 1]
    assert found.dtype == torch.int64 and found.device.type == device


def test_the_lower_index_wins_a_tie(device):
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]], device=device).repeat(5, 1)
    boxes[2:4] += 100
    assert nms(boxes, torch.ones(5, device=device), 0.5).tolist() == [0, 2]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 120),
    clusters=st.integers(1, 12),
    threshold=st.floats(0, 1),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
)
def test_what_stays_does_not_overlap_and_what_goes_does(seed, n, clusters, threshold, dtype):
    boxes, scores = (t.to(dtype) for t in make_boxes(n, seed, clusters))
    kept = nms(boxes, scores, threshold)
    wide = boxes.double() if dtype == torch.float64 else boxes.float()
    above = box_iou(wide, wide) > torch.tensor(threshold, dtype=wide.dtype)
    assert not above[kept][:, kept].triu(1).any()
    assert nms(boxes[kept], scores[kept], threshold).tolist() == list(range(len(kept)))
    ranked = list(zip((-scores[kept]).tolist(), kept.tolist(), strict=True))
    assert ranked == sorted(ranked)
    for i in set(range(n)) - set(kept.tolist()):
        better = kept[(scores[kept] > scores[i]) | ((scores[kept] == scores[i]) & (kept < i))]
        assert above[i, better].any()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 80), threshold=st.floats(0, 1))
def test_groups_are_suppressed_one_by_one_whatever_their_labels(seed, n, threshold):
    boxes, scores = make_boxes(n, seed, 3)
    boxes -= 30  # both signs
    labels = torch.tensor([-(2**62), -1, 0, 2**31, 2**62 + 1])
    groups = labels[torch.randint(5, (n,), generator=generator(seed))]
    found = batched_nms(boxes, scores, groups, threshold)
    one_by_one = []
    for label in labels:
        members = (groups == label).nonzero().squeeze(1)
        one_by_one.append(members[nms(boxes[members], scores[members], threshold)])
    assert sorted(found.tolist()) == sorted(torch.cat(one_by_one).tolist())
    ranked = list(zip((-scores[found]).tolist(), found.tolist(), strict=True))
    assert ranked == sorted(ranked)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_labels_of_any_integer_dtype_will_do(device, dtype):
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]], device=device).repeat(3, 1)
    groups = torch.tensor([0, 1, 0], device=device).to(dtype)
    scores = torch.tensor([0.3, 0.2, 0.1], device=device)
    assert batched_nms(boxes, scores, groups, 0.5).tolist() == [0, 1]


def test_groups_far_apart_in_label_do_not_cost_precision(device):
    """An offset of label · extent would swallow boxes a hundredth wide."""
    boxes = torch.tensor([[0.0, 0.0, 0.01, 0.01], [0.02, 0.0, 0.03, 0.01]], device=device)
    boxes = torch.cat([boxes, boxes - 1000])
    groups = torch.full((4,), 10**9, device=device)
    found = batched_nms(boxes, torch.tensor([4.0, 3, 2, 1], device=device), groups, 0.5)
    assert found.tolist() == [0, 1, 2, 3]


def test_nothing_stays_of_nothing(device):
    boxes, scores = torch.zeros(0, 4, device=device), torch.zeros(0, device=device)
    groups = torch.zeros(0, dtype=torch.int64, device=device)
    assert nms(boxes, scores, 0.5).shape == batched_nms(boxes, scores, groups, 0.5).shape == (0,)


def test_it_compiles_into_one_graph(at_the_door):
    boxes, scores = make_boxes(40, 0, 4)
    groups = torch.arange(40) % 2
    compiled = torch.compile(nms, fullgraph=True, backend="aot_eager")
    assert compiled(boxes, scores, 0.5).equal(nms(boxes, scores, 0.5))
    with pytest.raises(ValueError, match="scores holds NaN"):
        compiled(boxes, scores + float("nan"), 0.5)
    compiled = torch.compile(batched_nms, fullgraph=True, backend="aot_eager")
    assert compiled(boxes, scores, groups, 0.5).equal(batched_nms(boxes, scores, groups, 0.5))


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_torchvision_keeps_the_same(peer, threshold):
    for seed, clusters in enumerate((5, 60, 400)):
        boxes, scores = make_boxes(600, seed, clusters)
        assert nms(boxes, scores, threshold).equal(peer.nms(boxes, scores, threshold))
        groups = torch.arange(600) % 7
        ours, theirs = (
            f(boxes, scores, groups, threshold) for f in (batched_nms, peer.batched_nms)
        )
        assert sorted(ours.tolist()) == sorted(theirs.tolist())


@pytest.mark.parametrize("operation", [nms, lambda b, s, t: batched_nms(b, s, torch.arange(3), t)])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": torch.zeros(3, 5)}, r"boxes has shape \(3, 5\)"),
        ({"boxes": torch.zeros(3, 4).long()}, "boxes has dtype torch.int64"),
        ({"scores": torch.zeros(4)}, r"scores has shape \(4,\); expected \(3,\)"),
        ({"scores": torch.zeros(3, 1)}, r"scores has shape \(3, 1\)"),
        ({"scores": torch.zeros(3).double()}, "scores has dtype torch.float64"),
        ({"scores": torch.zeros(3, device="meta")}, "scores is on meta"),
        ({"scores": torch.tensor([0.0, float("nan"), 0.0])}, "scores holds NaN"),
        ({"boxes": torch.tensor([[0.0, 0.0, float("nan"), 1.0]] * 3)}, "boxes holds NaN"),
        ({"boxes": torch.tensor([[1.0, 0.0, 0.0, 1.0]] * 3)}, "expected x1 <= x2"),
        ({"threshold": 1.01}, "iou_threshold is 1.01; expected a number from 0 to 1"),
        ({"threshold": -0.1}, "iou_threshold is -0.1"),
        ({"threshold": float("nan")}, "iou_threshold is nan"),
        ({"threshold": None}, "iou_threshold is None"),
        ({"threshold": True}, "iou_threshold is True"),
    ],
)
def test_bad_input_is_refused(at_the_door, operation, change, message):
    good = {"boxes": torch.rand(3, 4).cumsum(1), "scores": torch.rand(3), "threshold": 0.5}
    with pytest.raises(ValueError, match=message):
        operation(*(good | change).values())


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (torch.zeros(3), "idxs is torch.float32; expected a tensor of integers"),
        ([0, 0, 0], "idxs is list"),
        (torch.zeros(2, dtype=torch.int64), r"idxs has shape \(2,\)"),
        (torch.zeros(3, dtype=torch.int64, device="meta"), "on meta"),
    ],
)
def test_labels_that_do_not_fit_are_refused(at_the_door, groups, message):
    with pytest.raises(ValueError, match=message):
        batched_nms(torch.zeros(3, 4), torch.zeros(3), groups, 0.5)
