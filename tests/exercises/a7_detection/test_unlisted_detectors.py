"""Answers that nobody listed: odd ones that are right, wrong ones that look right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from mdcv.boxes import average_precision, box_iou, match_anchors
from mdcv.detection import roi_align
from mdcv.exercises import judge
from mdcv.exercises.a7_detection import EXERCISES
from mdcv.exercises.a7_detection.guards import Door, has_no_nan, is_table, is_upright
from mdcv.exercises.a7_detection.region_mistakes import door as region_door

two_tables = Door(
    shapes=lambda a, b: is_table(a) and is_table(b),
    upright=lambda a, b: is_upright(a) and is_upright(b),
)
pairs = Door(
    shapes=lambda a, b: is_table(a) and a.shape == b.shape,
    upright=lambda a, b: is_upright(a) and is_upright(b),
)
rows = Door(shapes=lambda a, b: is_table(a) and a.shape == b.shape)
scored = Door(
    shapes=lambda boxes, scores, t: is_table(boxes) and scores.shape == boxes.shape[:1],
    rest=lambda boxes, scores, t: 0 <= t <= 1 and has_no_nan(boxes, scores) and is_upright(boxes),
)
ranked = Door(
    shapes=lambda s, h, n, method="": s.shape == h.shape,
    rest=lambda s, h, n, method="all-point": (
        n >= max(1, int(h.sum())) and has_no_nan(s) and method in ("all-point", "11-point")
    ),
)
matched = Door(
    rest=lambda a, o, high=0.7, low=0.3, keep_best=True: (
        0 <= low <= high <= 1
        and is_table(a)
        and is_table(o)
        and is_upright(a)
        and is_upright(o)
        and has_no_nan(a, o)
    )
)
labeled = Door(
    shapes=lambda x, d, y, t, beta=0: x.shape == y.shape and d.shape == t.shape == (len(x), 4),
    rest=lambda x, d, y, t, beta=0: set(y.tolist()) <= {1, 0, -1} and bool((y >= 0).any()),
)

# Right


def overlap_by_centers(a, b):
    """Half of both sides less the distance of the centers, at most the smaller side."""
    center, side = (a[:, :2] + a[:, 2:]) / 2, a[:, 2:] - a[:, :2]
    other, width = (b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]
    reach = (side[:, None] + width) / 2 - (center[:, None] - other).abs()
    common = torch.minimum(torch.minimum(side[:, None], width), reach).clamp(min=0)
    inter = common.prod(2)
    union = side.prod(1)[:, None] + width.prod(1) - inter
    return (inter / union).masked_fill(union == 0, 0)


def overlap_with_a_tiny_guard(a, b):
    begin = torch.max(a.unsqueeze(1), b.unsqueeze(0))[..., :2]
    end = torch.min(a.unsqueeze(1), b.unsqueeze(0))[..., 2:]
    inter = functional.relu(end - begin).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(1, keepdim=True) + (b[:, 2:] - b[:, :2]).prod(1) - inter
    return inter / (union + 1e-12)


def suppression_by_masked_maximum(boxes, scores, threshold):
    """The best of what is left, again and again; what is taken becomes −∞."""
    scores, kept = scores.clone(), []
    while len(scores) and scores.max() > -math.inf:
        best = int(scores.argmax())
        kept.append(best)
        scores[box_iou(boxes[best : best + 1], boxes)[0] > threshold] = -math.inf
        scores[best] = -math.inf
    return torch.LongTensor(kept)


def precision_by_accumulation(scores, hits, objects, method="all-point"):
    """As COCO's evaluation accumulates, with searchsorted and a little room."""
    order = np.argsort(-scores.numpy(), kind="mergesort")
    tp = hits.numpy()[order].cumsum().astype(float)
    if not len(tp):
        return torch.zeros((), dtype=scores.dtype)
    precision = tp / (np.arange(len(tp)) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    levels = np.linspace(0, 1, 11) if method == "11-point" else np.arange(1, objects + 1) / objects
    place = np.searchsorted(tp / objects, levels - 1e-9, side="left")
    found = [precision[i] if i < len(precision) else 0.0 for i in place]
    return torch.tensor(np.mean(found), dtype=scores.dtype)


def code_by_binary_logarithms(boxes, anchors):
    sides = [torch.stack([t[:, 2] - t[:, 0], t[:, 3] - t[:, 1]], 1) for t in (boxes, anchors)]
    shift = (boxes[:, 2:] + boxes[:, :2] - anchors[:, 2:] - anchors[:, :2]) / (2 * sides[1])
    return torch.hstack([shift, math.log(2) * (sides[0].log2() - sides[1].log2())])


def boxes_by_corner_formulas(deltas, anchors):
    (x1, y1, x2, y2), (dx, dy, dw, dh) = anchors.unbind(1), deltas.unbind(1)
    w, h, grow, rise = x2 - x1, y2 - y1, torch.expm1(dw), torch.expm1(dh)
    left, top = x1 + w * (dx - grow / 2), y1 + h * (dy - rise / 2)
    right, bottom = x2 + w * (dx + grow / 2), y2 + h * (dy + rise / 2)
    return torch.stack([left, top, right, bottom], -1)


def pooling_by_gathering(input, boxes, size, scale=1.0):
    """The winners are searched in NumPy; their values are read from the map itself."""
    maps = input.detach().numpy()
    values = []
    for image, *corners in boxes.tolist():
        x1, y1, x2, y2 = (int(math.copysign(int(abs(c * scale) + 0.5), c)) for c in corners)
        for c in range(input.shape[1]):
            for i in range(size[0]):
                for j in range(size[1]):
                    ys = range(
                        y1 + math.floor(i * (y2 - y1 + 1) / size[0]),
                        y1 + math.ceil((i + 1) * (y2 - y1 + 1) / size[0]),
                    )
                    xs = range(
                        x1 + math.floor(j * (x2 - x1 + 1) / size[1]),
                        x1 + math.ceil((j + 1) * (x2 - x1 + 1) / size[1]),
                    )
                    cells = [
                        (y, x)
                        for y in ys
                        for x in xs
                        if 0 <= y < input.shape[2] and 0 <= x < input.shape[3]
                    ]
                    if cells:
                        y, x = max(cells, key=lambda at: maps[int(image), c, at[0], at[1]])
                        values.append(input[int(image), c, y, x])
                    else:
                        values.append(input.new_zeros(()))
    if not values:
        return input.new_zeros(0, input.shape[1], *size)
    return torch.stack(values).view(len(boxes), input.shape[1], *size)


def alignment_by_padding(input, boxes, size, scale=1.0, sampling_ratio=-1, aligned=False):
    """A margin of copies of the border, and plain linear interpolation of rows, then columns."""

    def mix(values, position, extent):
        position = position.clamp(-1, extent) + 1
        low = position.floor().long().clamp(max=extent)
        part = (position - low).view(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - part) + values[low + 1] * part

    answers = [input.new_zeros(0, input.shape[1], *size)]
    for image, *corners in boxes.tolist():
        x1, y1, x2, y2 = (c * scale - aligned / 2 for c in corners)
        if not aligned:
            x2, y2 = x1 + max(x2 - x1, 1), y1 + max(y2 - y1, 1)
        padded = functional.pad(input[int(image)][None], [1, 1, 1, 1], mode="replicate")[0]
        ends, counts = [], []
        for low, high, bins, extent in (
            (y1, y2, size[0], input.shape[2]),
            (x1, x2, size[1], input.shape[3]),
        ):
            n = sampling_ratio if sampling_ratio > 0 else math.ceil((high - low) / bins)
            edges = torch.linspace(low, high, bins * n + 1, dtype=torch.float64)
            at = ((edges[1:] + edges[:-1]) / 2).to(input)
            ends.append((at, extent, ((at >= -1) & (at <= extent)).to(input)))
            counts.append(n)
        (y, tall, in_y), (x, wide, in_x) = ends
        by_row = mix(padded.permute(1, 2, 0), y, tall)
        samples = mix(by_row.transpose(0, 1), x, wide) * in_x[:, None, None] * in_y[None, :, None]
        samples = samples.view(size[1], counts[1], size[0], counts[0], -1).mean((1, 3))
        answers.append(samples.permute(2, 1, 0)[None])
    return torch.cat(answers)


def anchors_by_products(size, stride, scales, ratios):
    if min(*size, *scales, *ratios, stride, len(scales), len(ratios)) <= 0:
        raise ValueError("positive numbers, please")
    table = torch.cartesian_prod(
        torch.arange(size[0]).double(),
        torch.arange(size[1]).double(),
        *(torch.tensor(v).double() for v in (scales, ratios)),
    )
    i, j, scale, ratio = table.view(-1, 4).unbind(1)
    h = (scale.square() * ratio).sqrt()
    w = h / ratio
    x, y = stride * j + stride / 2, stride * i + stride / 2
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1).float()


def anchors_guarded(size, stride, scales, ratios):
    if not scales or not ratios:
        raise ValueError("nothing to make")
    return anchors_by_products(size, stride, list(scales), list(ratios))


def matches_object_by_object(anchors, objects, high=0.7, low=0.3, keep_best=True):
    """Goes through the objects, and remembers the best for each anchor."""
    best = torch.full((len(anchors),), -1.0, dtype=anchors.dtype)
    own = torch.zeros(len(anchors), dtype=torch.int64)
    champions = torch.zeros(len(anchors), dtype=torch.bool)
    for j in range(len(objects)):
        overlap = box_iou(anchors, objects[j : j + 1])[:, 0]
        better = overlap > best
        own[better], best[better] = j, overlap[better]
        if len(overlap) and overlap.max() > 0:
            champions |= overlap == overlap.max()
    codes = torch.where(best < low, -1, -2)
    is_object = (best >= high) | (champions if keep_best else False)
    return torch.where(is_object & (best >= 0), own, codes)


def loss_by_weights(logits, deltas, labels, targets, beta=1 / 9):
    weight = (labels + 1).clamp(max=1).to(logits)
    entropy = functional.binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0).to(logits), weight=weight, reduction="sum"
    )
    shift = functional.smooth_l1_loss(deltas, targets, beta=beta, reduction="none")
    share = weight.sum()
    return [entropy / share, shift[labels.eq(1)].sum() / share]


RIGHT = [
    ("box_iou", two_tables(overlap_by_centers)),
    ("box_iou", two_tables(overlap_with_a_tiny_guard)),
    ("nms", scored(suppression_by_masked_maximum)),
    ("average_precision", ranked(precision_by_accumulation)),
    ("encode_boxes", pairs(code_by_binary_logarithms)),
    ("decode_boxes", rows(boxes_by_corner_formulas)),
    ("roi_pool", region_door(pooling_by_gathering)),
    ("roi_align", region_door(alignment_by_padding)),
    ("make_anchors", anchors_guarded),
    ("match_anchors", matched(matches_object_by_object)),
    ("rpn_loss", labeled(loss_by_weights)),
]


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize(
    ("name", "function"), RIGHT, ids=[f"{n}-{k}" for k, (n, _) in enumerate(RIGHT)]
)
def test_an_odd_right_answer_is_accepted(name, function, seed):
    outcome = judge(name, function, seed=seed)
    assert outcome.passed, outcome.message


# Wrong


def in_half_the_size(a, b):
    return box_iou(a.float() * 0.5, b.float() * 0.5).to(a)


def complete(a, b):
    """The distance of the centers taken off, as in DIoU."""
    middle = ((a[:, None, :2] + a[:, None, 2:]) - (b[:, :2] + b[:, 2:])).square().sum(2) / 4
    hull = torch.maximum(a[:, None, 2:], b[:, 2:]) - torch.minimum(a[:, None, :2], b[:, :2])
    return box_iou(a, b) - middle / hull.square().sum(2).clamp(min=1e-9)


def soft(boxes, scores, threshold):
    """Lowers the scores of what overlaps in place of removing it."""
    scores, kept = scores.clone(), []
    for _ in range(len(scores)):
        best = int(scores.argmax())
        kept.append(best)
        overlap = box_iou(boxes[best : best + 1], boxes)[0]
        scores = torch.where(overlap > threshold, scores * (1 - overlap), scores)
        scores[best] = -math.inf
    return torch.tensor(kept, dtype=torch.int64)


def best_eight(boxes, scores, threshold):
    return suppression_by_masked_maximum(boxes, scores, threshold)[:8]


def twelve_levels(scores, hits, objects, method="all-point"):
    if method == "all-point":
        return average_precision(scores, hits, objects)
    return average_precision(scores, hits, objects, method="11-point") * 11 / 12


def guarded_logarithm(boxes, anchors):
    side, other = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    shift = ((boxes[:, 2:] + boxes[:, :2]) - (anchors[:, 2:] + anchors[:, :2])) / 2 / other
    return torch.cat([shift, (side / other + 1e-3).log()], 1)


def clamped_at_four(deltas, anchors):
    return boxes_by_corner_formulas(deltas.clamp(-4, 4), anchors)


def padded_with_zeros(input, boxes, size, scale=1.0):
    """Cells beside the map count as 0, so that they win over negative ones."""
    shifted = boxes + torch.tensor([0, 8, 8, 8, 8]).to(boxes) / scale
    return pooling_by_gathering(functional.pad(input, [8] * 4), shifted, size, scale)


def three_for_two(input, boxes, size, scale=1.0, sampling_ratio=-1, aligned=False):
    ratio = sampling_ratio + 1 if sampling_ratio > 1 else sampling_ratio
    return roi_align(input, boxes, size, scale, ratio, aligned)


def squares_of_whole_sides(size, stride, scales, ratios):
    anchors = anchors_guarded(size, stride, scales, ratios)
    center, half = (anchors[:, :2] + anchors[:, 2:]) / 2, (anchors[:, 2:] - anchors[:, :2]) / 2
    return torch.cat([center - half.ceil(), center + half.ceil()], 1)


def loose_best(anchors, objects, **options):
    """Whoever comes within a hundredth of the best is kept as well."""
    matches = match_anchors(anchors, objects, **options)
    if not options.get("keep_best", True) or not len(objects) or not len(anchors):
        return matches
    table = box_iou(anchors, objects)
    near = ((table >= table.amax(0) - 0.08) & (table > 0)).any(1)
    return torch.where(near, table.argmax(1), matches)


def balanced(logits, deltas, labels, targets, beta=1 / 9):
    """Objects and background weigh the same, whatever their number."""
    _, regression = loss_by_weights(logits, deltas, labels, targets, beta)
    kinds = [functional.softplus((1 - 2 * k) * logits[labels == k]) for k in (0, 1)]
    return torch.stack([kind.mean() for kind in kinds if len(kind)]).mean(), regression


WRONG = [
    ("box_iou", two_tables(in_half_the_size)),
    ("box_iou", two_tables(complete)),
    ("nms", scored(soft)),
    ("nms", scored(best_eight)),
    ("average_precision", ranked(twelve_levels)),
    ("encode_boxes", pairs(guarded_logarithm)),
    ("decode_boxes", rows(clamped_at_four)),
    ("roi_pool", region_door(padded_with_zeros)),
    ("roi_align", region_door(three_for_two)),
    ("make_anchors", squares_of_whole_sides),
    ("match_anchors", matched(loose_best)),
    ("rpn_loss", labeled(balanced)),
]


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize(
    ("name", "function"), WRONG, ids=[f"{n}-{k}" for k, (n, _) in enumerate(WRONG)]
)
def test_a_wrong_answer_that_nobody_listed_is_caught(name, function, seed):
    outcome = judge(name, function, seed=seed)
    assert not outcome.passed
    assert outcome.score < 1.0


def test_the_assignment_is_complete_and_in_order():
    asked = "box_iou nms average_precision encode_boxes decode_boxes roi_pool roi_align"
    asked += " make_anchors match_anchors rpn_loss"
    assert [exercise.name for exercise in EXERCISES] == asked.split()


def test_a_law_names_what_no_variant_explains():
    def in_centimeters(boxes, anchors):
        code = code_by_binary_logarithms(boxes, anchors)
        return code * torch.tensor([2.54, 2.54, 1, 1]).to(code) * anchors[:, 2:3].abs().sqrt()

    message = judge("encode_boxes", pairs(in_centimeters)).message
    assert "scene and its anchors" in message
