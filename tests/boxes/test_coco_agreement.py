"""Our mean average precision beside pycocotools' own, on scenes drawn at random."""

import contextlib
import io

import numpy as np
import pytest
import torch

from mdcv.boxes import COCO_THRESHOLDS, box_area, convert_boxes, mean_average_precision
from mdcv.seeds import generator

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")
encoded = pytest.importorskip("pycocotools.mask")

COCO = {"iou_thresholds": COCO_THRESHOLDS, "method": "101-point", "matching": "coco"}
#: An area that stands outside every range used here: how COCO is told to pass over an object.
OUT_OF_RANGE = 1e12


def draw_boxes(n: int, g: torch.Generator, on_grid: bool) -> torch.Tensor:
    corner, size = 20 * torch.rand(n, 2, generator=g), 1 + 12 * torch.rand(n, 2, generator=g)
    boxes = torch.cat([corner, corner + size], dim=1).double()
    # Whole pixels make many overlaps equal to each other, and to a threshold.
    return boxes.round() if on_grid else boxes


def draw_masks(boxes: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """Ellipses in the boxes, of which some pixels are lost."""
    y, x = torch.meshgrid(torch.arange(34) + 0.5, torch.arange(34) + 0.5, indexing="ij")
    cx, cy, w, h = convert_boxes(boxes, "xyxy", "cxcywh")[:, :, None, None].unbind(1)
    inside = (2 * (x - cx) / w) ** 2 + (2 * (y - cy) / h) ** 2 <= 1.2
    return inside & (torch.rand(len(boxes), 34, 34, generator=g) < 0.95)


def make_scene(
    seed: int,
    *,
    images: int = 5,
    classes: int = 3,
    objects: int = 5,
    doubles: int = 2,
    on_grid: bool = False,
    difficult: float = 0.0,
) -> tuple[list[dict], list[dict]]:
    """Objects, some images without any, and detections near them, some of another class."""
    detections, ground_truth = [], []
    for image in range(images):
        g = generator(1000 * seed + image)
        n = 0 if image == 1 else objects
        boxes = draw_boxes(n, g, on_grid)
        labels = torch.randint(classes, (n,), generator=g)
        near = boxes.repeat(doubles, 1) + 0.8 * torch.randn(n * doubles, 4, generator=g)
        near = torch.cat([near, draw_boxes(3, g, on_grid)])
        near = near.round() if on_grid else near
        near[:, 2:] = near[:, 2:].maximum(near[:, :2])
        strays = torch.randint(classes, (3,), generator=g)
        truth = {"boxes": boxes, "labels": labels, "masks": draw_masks(boxes, g)}
        if difficult:
            truth["difficult"] = torch.rand(n, generator=g) < difficult
        found = {
            "boxes": near,
            "labels": torch.cat([labels.repeat(doubles), strays]),
            # Few levels, so that many scores are equal.
            "scores": torch.rand(len(near), generator=g).double().mul(8).round() / 8,
            "masks": draw_masks(near, g),
        }
        ground_truth.append(truth)
        detections.append(found)
    return detections, ground_truth


def annotations(images: list[dict], masks: bool) -> list[dict]:
    rows = []
    for image, content in enumerate(images):
        wide = convert_boxes(content["boxes"], "xyxy", "xywh").tolist()
        area = box_area(content["boxes"]).tolist()
        for j, label in enumerate(content["labels"].tolist()):
            row = {"id": len(rows) + 1, "image_id": image, "category_id": label + 1}
            row |= {"bbox": wide[j], "area": area[j], "iscrowd": 0}
            if masks:
                pixels = np.asfortranarray(content["masks"][j].numpy().astype(np.uint8))
                row["segmentation"] = encoded.encode(pixels)
            if "scores" in content:
                row["score"] = content["scores"][j].item()
            if "difficult" in content and content["difficult"][j]:
                row["area"] = OUT_OF_RANGE
            rows.append(row)
    return rows


def their_value(
    detections: list[dict], ground_truth: list[dict], *, thresholds=COCO_THRESHOLDS, masks=False
) -> float:
    labels = torch.cat([image["labels"] for image in detections + ground_truth])
    tables = []
    with contextlib.redirect_stdout(io.StringIO()):
        for images in (ground_truth, detections):
            table = coco.COCO()
            table.dataset = {
                "images": [{"id": i, "height": 34, "width": 34} for i in range(len(images))],
                "categories": [{"id": label + 1} for label in labels.unique().tolist()],
                "annotations": annotations(images, masks),
            }
            table.createIndex()
            tables.append(table)
        evaluation = cocoeval.COCOeval(*tables, "segm" if masks else "bbox")
        evaluation.params.iouThrs = np.array(thresholds)
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    return float(precision[precision > -1].mean())


@pytest.mark.parametrize("on_grid", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_boxes_score_as_in_pycocotools(seed, on_grid):
    scene = make_scene(seed, on_grid=on_grid)
    value = mean_average_precision(*scene, **COCO).item()
    assert 0.05 < value < 0.95
    assert value == pytest.approx(their_value(*scene), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_masks_score_as_in_pycocotools(seed):
    scene = make_scene(seed)
    value = mean_average_precision(*scene, **COCO, overlap="masks").item()
    assert 0.05 < value < 0.95
    assert value == pytest.approx(their_value(*scene, masks=True), abs=1e-12)
    assert value != pytest.approx(mean_average_precision(*scene, **COCO).item(), abs=1e-3)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.5, 0.75, 1.0])
def test_every_threshold_scores_as_in_pycocotools(threshold):
    for seed in range(3):
        scene = make_scene(seed, on_grid=True)
        options = COCO | {"iou_thresholds": [threshold]}
        value = mean_average_precision(*scene, **options).item()
        assert value == pytest.approx(their_value(*scene, thresholds=[threshold]), abs=1e-12)


@pytest.mark.parametrize(
    "shape",
    [
        {"classes": 1},
        {"images": 1, "classes": 9},
        {"objects": 1, "doubles": 4},
        {"doubles": 1, "images": 12},
        {"objects": 25, "classes": 1},  # 100 objects: COCO's levels of recall are rounded there
        {"objects": 45, "classes": 1, "images": 2, "doubles": 3},  # 138 detections of a class
    ],
    ids=str,
)
def test_odd_scenes_score_as_in_pycocotools(shape):
    for seed in range(2):
        scene = make_scene(seed, **shape)
        assert mean_average_precision(*scene, **COCO).item() == pytest.approx(
            their_value(*scene), abs=1e-12
        )


@pytest.mark.parametrize("on_grid", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_difficult_objects_are_what_coco_passes_over(seed, on_grid):
    scene = make_scene(seed, on_grid=on_grid, difficult=0.4)
    value = mean_average_precision(*scene, **COCO).item()
    assert value == pytest.approx(their_value(*scene), abs=1e-12)
    for truth in scene[1]:
        del truth["difficult"]
    assert value != pytest.approx(mean_average_precision(*scene, **COCO).item(), abs=1e-3)


def test_images_without_detections_and_nothing_at_all_score_as_in_pycocotools():
    detections, ground_truth = make_scene(3)
    for emptied in ([0], [0, 2], range(5)):
        for image in emptied:
            detections[image] = {key: value[:0] for key, value in detections[image].items()}
        value = mean_average_precision(detections, ground_truth, **COCO).item()
        assert value == pytest.approx(their_value(detections, ground_truth), abs=1e-12)
    assert value == 0


def test_float32_boxes_score_as_their_values_in_float64():
    detections, ground_truth = make_scene(4)
    for image in (*detections, *ground_truth):
        image["boxes"] = image["boxes"].float()
    value = mean_average_precision(detections, ground_truth, **COCO).item()
    for image in (*detections, *ground_truth):
        image["boxes"] = image["boxes"].double()
    assert value == pytest.approx(their_value(detections, ground_truth), abs=1e-12)


def one_image(boxes: list, objects: list, difficult: list) -> tuple[list[dict], list[dict]]:
    f64 = torch.float64
    scores = torch.linspace(1, 0.5, len(boxes), dtype=f64)
    found = {"boxes": torch.tensor(boxes, dtype=f64), "scores": scores}
    truth = {"boxes": torch.tensor(objects, dtype=f64), "difficult": torch.tensor(difficult)}
    for image in (found, truth):
        image["labels"] = torch.zeros(len(image["boxes"]), dtype=torch.int64)
    return [found], [truth]


def test_an_object_to_find_comes_before_a_difficult_one_that_fits_better():
    scene = one_image([[0, 0, 10, 10]], [[0, 0, 10, 9], [0, 0, 10, 6]], [True, False])
    assert their_value(*scene, thresholds=[0.5]) == pytest.approx(1)
    options = COCO | {"iou_thresholds": [0.5]}
    assert mean_average_precision(*scene, **options).item() == pytest.approx(1)


def test_a_threshold_of_one_forgives_a_rounding_error():
    scene = one_image([[0, 0, 10, 10 - 1e-12]], [[0, 0, 10, 10]], [False])
    assert their_value(*scene, thresholds=[1.0]) == pytest.approx(1)
    options = COCO | {"iou_thresholds": [1.0]}
    assert mean_average_precision(*scene, **options).item() == pytest.approx(1)
    assert mean_average_precision(*scene, iou_thresholds=[1.0]).item() == 0
