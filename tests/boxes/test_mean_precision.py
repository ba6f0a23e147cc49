import pytest
import torch

from mdcv.boxes import average_precision, box_iou, mean_average_precision
from mdcv.seeds import generator

BOX = torch.tensor([[0.0, 0.0, 4.0, 4.0]])


def found(boxes, scores, labels) -> dict:
    return {"boxes": boxes, "scores": torch.tensor(scores), "labels": torch.tensor(labels)}


def truth(boxes, labels, difficult=None) -> dict:
    image = {"boxes": boxes, "labels": torch.tensor(labels)}
    return image if difficult is None else image | {"difficult": torch.tensor(difficult)}


def make_scene(images: int, seed: int) -> tuple[list[dict], list[dict]]:
    """Objects of three classes, and detections near them: some doubled, some wrong, some off."""
    detections, ground_truth = [], []
    for image in range(images):
        g = generator(100 * seed + image)
        corner = 20 * torch.rand(5, 2, generator=g)
        boxes = torch.cat([corner, corner + 2 + 6 * torch.rand(5, 2, generator=g)], dim=1)
        labels = torch.randint(3, (5,), generator=g)
        near = boxes.repeat(2, 1) + torch.rand(10, 4, generator=g)
        guess = torch.where(torch.rand(10, generator=g) < 0.8, labels.repeat(2), labels[0])
        scores = torch.rand(10, generator=g).mul(20).round() / 20
        detections.append({"boxes": near, "scores": scores, "labels": guess})
        ground_truth.append(
            {"boxes": boxes, "labels": labels, "difficult": torch.rand(5, generator=g) < 0.2}
        )
    return detections, ground_truth


def by_hand(detections, ground_truth, threshold: float, method: str) -> float:
    """Pascal VOC's rule, one detection at a time."""
    objects = [
        (image, j)
        for image, t in enumerate(ground_truth)
        for j in range(len(t["labels"]))
        if not t["difficult"][j]
    ]
    classes = sorted({int(ground_truth[i]["labels"][j]) for i, j in objects})
    total = 0.0
    for label in classes:
        ranked = sorted(
            (-float(d["scores"][k]), image, k)
            for image, d in enumerate(detections)
            for k in range(len(d["labels"]))
            if d["labels"][k] == label
        )
        used, scores, hits = set(), [], []
        for score, image, k in ranked:
            t = ground_truth[image]
            overlap = box_iou(detections[image]["boxes"][k : k + 1], t["boxes"])[0].tolist()
            overlap = [o if t["labels"][j] == label else -1 for j, o in enumerate(overlap)]
            best = max(range(len(overlap)), key=lambda j: overlap[j], default=None)
            is_near = best is not None and overlap[best] >= threshold
            if is_near and t["difficult"][best]:
                continue
            scores.append(-score)
            hits.append(is_near and (image, best) not in used)
            used.add((image, best) if is_near else None)
        count = sum(int(ground_truth[i]["labels"][j]) == label for i, j in objects)
        total += average_precision(
            torch.tensor(scores, dtype=torch.float64), torch.tensor(hits), count, method=method
        ).item()
    return total / len(classes)


@pytest.mark.parametrize("method", ["all-point", "11-point"])
@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("seed", range(4))
def test_scenes_agree_with_the_rule_by_hand(seed, threshold, method):
    scene = make_scene(6, seed)
    value = mean_average_precision(*scene, iou_thresholds=[threshold], method=method).item()
    assert 0 < value < 1
    assert value == pytest.approx(by_hand(*scene, threshold, method), abs=1e-6)


def test_perfect_detections_score_one_and_none_score_zero(device):
    boxes = torch.cat([BOX, BOX + 10]).to(device)
    labels = torch.tensor([3, 8], device=device)
    scores = torch.tensor([0.4, 0.6], device=device)
    objects = [{"boxes": boxes, "labels": labels}]
    perfect = [{"boxes": boxes, "scores": scores, "labels": labels}]
    nothing = [{"boxes": boxes[:0], "scores": scores[:0], "labels": labels[:0]}]
    assert mean_average_precision(perfect, objects, iou_thresholds=(0.5, 1.0)).item() == 1
    assert mean_average_precision(nothing, objects).item() == 0


def test_a_class_that_was_never_detected_counts_zero():
    objects = [truth(torch.cat([BOX, BOX + 10]), [0, 1])]
    assert mean_average_precision([found(BOX, [0.9], [0])], objects).item() == 0.5


def test_a_class_without_objects_counts_nowhere():
    objects = [truth(BOX, [0])]
    boxes = torch.cat([BOX, BOX])
    assert mean_average_precision([found(boxes, [0.9, 1.0], [0, 5])], objects).item() == 1


def test_an_object_is_found_once():
    objects = [truth(torch.cat([BOX, BOX + 10]), [0, 0])]
    twice = [found(torch.cat([BOX, BOX]), [0.9, 0.8], [0, 0])]
    assert mean_average_precision(twice, objects).item() == 0.5


def test_a_detection_in_another_image_finds_nothing():
    images = [found(BOX, [0.9], [0]), found(BOX[:0], [], [])]
    images[1]["labels"] = images[1]["labels"].long()
    objects = [truth(BOX[:0], []), truth(BOX, [0])]
    objects[0]["labels"] = objects[0]["labels"].long()
    assert mean_average_precision(images, objects).item() == 0


def test_an_overlap_equal_to_the_threshold_is_enough():
    half = torch.tensor([[0.0, 0.0, 4.0, 2.0]])
    assert mean_average_precision([found(half, [0.9], [0])], [truth(BOX, [0])]).item() == 1


def test_thresholds_are_averaged():
    half = torch.tensor([[0.0, 0.0, 4.0, 2.0]])
    value = mean_average_precision(
        [found(half, [0.9], [0])], [truth(BOX, [0])], iou_thresholds=[0.3, 0.5, 0.6, 0.9]
    )
    assert value.item() == 0.5


def test_difficult_objects_count_neither_way():
    objects = [truth(torch.cat([BOX, BOX + 10]), [0, 0], [False, True])]
    for shifts in ([0], [0, 10], [10, 0, 10]):
        boxes = torch.cat([BOX + shift for shift in shifts])
        images = [found(boxes, [0.9] * len(shifts), [0] * len(shifts))]
        assert mean_average_precision(images, objects).item() == 1


def test_the_two_rules_differ_where_one_detection_overlaps_two_objects(device):
    """The second detection prefers the object that is taken: a miss to VOC, a hit to COCO."""
    objects = torch.tensor([[0.0, 0.0, 10.0, 1.0], [2.0, 0.0, 12.0, 1.0]], device=device)
    labels = torch.zeros(2, dtype=torch.int64, device=device)
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.5, 0.0, 10.5, 1.0]], device=device)
    scores = torch.tensor([0.9, 0.8], device=device)
    images = [{"boxes": boxes, "scores": scores, "labels": labels}]
    truths = [{"boxes": objects, "labels": labels}]
    assert mean_average_precision(images, truths).item() == 0.5
    value = mean_average_precision(images, truths, matching="coco")
    assert value.item() == 1 and value.device.type == device


def test_masks_are_compared_where_asked_with_boxes_or_without(device):
    masks = torch.zeros(2, 6, 6, dtype=torch.bool, device=device)
    masks[0, :3], masks[1, 5:] = True, True
    labels = torch.zeros(2, dtype=torch.int64, device=device)
    scores = torch.tensor([0.9, 0.8], device=device)
    truths = [{"masks": masks, "labels": labels}]
    images = [{"masks": masks, "scores": scores, "labels": labels}]
    assert mean_average_precision(images, truths, overlap="masks").item() == 1
    box = torch.tensor([[0.0, 0.0, 6.0, 6.0]], device=device).repeat(2, 1)
    wrong = [images[0] | {"boxes": box, "masks": masks.flip(1)}]
    assert mean_average_precision(wrong, truths, overlap="masks").item() == 0
    assert mean_average_precision(wrong, [truths[0] | {"boxes": box}]).item() == 0.5
    assert mean_average_precision(wrong, [truths[0] | {"boxes": box}], matching="coco").item() == 1


def test_images_of_several_sizes_have_masks_of_several_sizes():
    images, truths = [], []
    for size in (4, 7):
        masks = torch.ones(1, size, size, dtype=torch.bool)
        truths.append({"masks": masks, "labels": torch.tensor([0])})
        images.append(truths[-1] | {"scores": torch.tensor([0.5])})
    assert mean_average_precision(images, truths, overlap="masks").item() == 1


def test_other_keys_of_an_image_do_not_matter():
    images = [found(BOX, [0.9], [0]) | {"name": "0001.png", "masks": None}]
    assert mean_average_precision(images, [truth(BOX, [0]) | {"depth": 3}]).item() == 1


def test_inputs_stay_as_they_are():
    scene = make_scene(2, 0)
    copies = [[{k: v.clone() for k, v in image.items()} for image in side] for side in scene]
    mean_average_precision(*scene)
    for side, copy in zip(scene, copies, strict=True):
        for image, before in zip(side, copy, strict=True):
            assert all(image[key].equal(before[key]) for key in before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detections": []}, "detections is list; expected a list of dicts"),
        ({"detections": [found(BOX, [0.9], [0])] * 2}, "detections has 2 images, ground_truth 1"),
        ({"detections": [truth(BOX, [0])]}, "expected a dict with 'boxes', 'scores', 'labels'"),
        ({"detections": [found(BOX, [0.9, 0.1], [0])]}, r"\['scores'\] is \(2,\); expected"),
        ({"detections": [found(BOX, [float("nan")], [0])]}, "holds NaN"),
        ({"detections": [found(BOX, [0.9], [0.0])]}, "is torch.float32; expected integers"),
        ({"detections": [found(BOX.flip(1), [0.9], [0])]}, "expected x1 <= x2"),
        ({"detections": [found(BOX[:, :3], [0.9], [0])]}, r"has shape \(1, 3\)"),
        ({"ground_truth": [truth(BOX.double(), [0])]}, "has dtype torch.float64"),
        ({"ground_truth": [truth(BOX, [0], [1])]}, "is torch.int64; expected torch.bool"),
        ({"ground_truth": [truth(BOX, [0], [True])]}, "no object to find"),
        ({"iou_thresholds": []}, "expected one number or more"),
        ({"iou_thresholds": [50]}, "iou_thresholds is 50; expected a number from 0 to 1"),
        ({"method": "coco"}, "method is 'coco'"),
        ({"matching": "lvis"}, "matching is 'lvis'; expected one of 'voc', 'coco'"),
        ({"overlap": "mask"}, "overlap is 'mask'; expected one of 'boxes', 'masks'"),
        ({"overlap": "masks"}, "expected a dict with 'masks', 'scores', 'labels'"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"detections": [found(BOX, [0.9], [0])], "ground_truth": [truth(BOX, [0])]}
    with pytest.raises(ValueError, match=message):
        mean_average_precision(**(good | change))


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (torch.ones(1, 4, 5, dtype=torch.bool), r"\['masks'\] is \(1, 4, 5\); expected images of"),
        (torch.ones(1, 4, 4), r"ground_truth\[0\]\['masks'\] is torch.float32 \(1, 4, 4\)"),
        (torch.ones(2, 4, 4, dtype=torch.bool), r"\['labels'\] is \(1,\); expected .* its masks"),
    ],
)
def test_masks_that_do_not_fit_are_refused(masks, message):
    whole = {"masks": torch.ones(1, 4, 4, dtype=torch.bool), "labels": torch.tensor([0])}
    images, truths = [whole | {"scores": torch.tensor([0.9])}], [whole | {"masks": masks}]
    with pytest.raises(ValueError, match=message):
        mean_average_precision(images, truths, overlap="masks")


def test_a_nan_in_a_box_is_refused_on_every_device(device):
    bad = (BOX * float("nan")).to(device)
    images = [{key: value.to(device) for key, value in found(BOX, [0.9], [0]).items()}]
    with pytest.raises(ValueError, match="holds NaN"):
        mean_average_precision(images, [{"boxes": bad, "labels": images[0]["labels"]}])
