"""Mean average precision: the one number for a detector on a set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes.hits import coco_hits, pascal_hits
from mdcv.boxes.masks import check_masks, mask_iou
from mdcv.boxes.overlap import box_iou, check_box_table
from mdcv.boxes.precision import METHODS, Method, interpolated_area
from mdcv.boxes.suppression import check_share
from mdcv.errors import check_no_nan, check_option, check_tensor

#: 0.5, 0.55, …, 0.95 with the roundings of COCO's code, where 0.9 is a little less.
COCO_THRESHOLDS: tuple[float, ...] = tuple(np.linspace(0.5, 0.95, 10).tolist())


def mean_average_precision(
    detections: Sequence[Mapping[str, Tensor]],
    ground_truth: Sequence[Mapping[str, Tensor]],
    *,
    iou_thresholds: Sequence[float] = (0.5,),
    method: Method = "all-point",
    matching: Literal["voc", "coco"] = "voc",
    overlap: Literal["boxes", "masks"] = "boxes",
) -> Float[Tensor, ""]:
    """Mean of the average precision over classes, then over IoU thresholds.

    All detections of a class, from all images, are ranked together; equal scores keep the order
    of the images, and within an image their own. From the best down, each is a hit or a miss:

    voc: a detection looks at the object of its class and image that it overlaps most, the first
        of equals. It is a hit if their IoU reaches the threshold and no better ranked detection
        hit that object before.
    coco: a detection takes, of the objects still free, the one it overlaps most, the last of
        equals, if their IoU reaches the threshold. Only the 100 best of a class and image count.

    The classes are those with an object. One without detections counts 0; detections of a class
    without objects count in no class. COCO's own number, as `pycocotools` gives it for objects of
    every size, is `iou_thresholds=COCO_THRESHOLDS, method="101-point", matching="coco"`.

    Args:
        detections: per image a dict with `boxes` (N, 4), `scores` (N,) and `labels` (N,),
            integers.
        ground_truth: per image a dict with `boxes` (M, 4) and `labels` (M,), and, if wanted,
            `difficult` (M,) of bools: such objects need not be found, and finding one is neither
            a hit nor a miss, by VOC's rule even twice.
        iou_thresholds: each from 0 to 1; 0.5 for Pascal VOC. IoU is computed in float64.
        method: of `average_precision`.
        matching: the rule above.
        overlap: "masks" compares `masks` (N, H, W) of bools, which then stand beside `boxes` or
            in their place: mask AP.

    Returns:
        From 0 to 1, in the dtype of the scores and on their device.

    Raises:
        ValueError: lengths, shapes, dtypes or devices do not fit, a key is missing, a score is
            NaN, a box is inverted or NaN, there is no threshold, or there is no object to find.

    Source: Everingham et al. 2010 and Pascal VOC's development kit; Lin et al. 2014,
    arXiv:1405.0312, and `pycocotools`. Crowds and ranges of area are not known here.

    >>> import torch
    >>> box, label = torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([7])
    >>> found = {"boxes": box, "scores": torch.tensor([0.9]), "labels": label}
    >>> truth = {"boxes": torch.cat([box, box + 9]), "labels": label.repeat(2)}
    >>> mean_average_precision([found], [truth])
    tensor(0.5000)
    """
    check_option("method", method, METHODS)
    check_option("matching", matching, ("voc", "coco"))
    check_option("overlap", overlap, ("boxes", "masks"))
    if not isinstance(iou_thresholds, Sequence) or len(iou_thresholds) == 0:
        raise ValueError(f"iou_thresholds is {iou_thresholds!r}; expected one number or more")
    for threshold in iou_thresholds:
        check_share("iou_thresholds", threshold)
    _check_images(detections, ground_truth, overlap)
    like = detections[0]["scores"]
    # Ranking is a walk, not arithmetic: the numbers come to the host once.
    keys = {overlap, "scores", "labels", "difficult"}
    detections, ground_truth = (
        [{key: image[key].cpu() for key in keys & set(image)} for image in side]
        for side in (detections, ground_truth)
    )

    truth_labels = torch.cat([image["labels"] for image in ground_truth])
    is_difficult = torch.cat([_difficult(image) for image in ground_truth])
    classes, objects = truth_labels[~is_difficult].unique(return_counts=True)
    if len(classes) == 0:
        raise ValueError("ground_truth holds no object to find; expected one at least")
    scores = torch.cat([image["scores"] for image in detections])
    order = scores.argsort(descending=True, stable=True)
    labels = torch.cat([image["labels"] for image in detections])[order]
    counts = torch.tensor([len(image["labels"]) for image in detections])
    image = torch.arange(len(detections)).repeat_interleave(counts)[order]
    table, difficult = _overlap_table(detections, ground_truth, overlap)
    table, turn = table[order], _turn(image, labels)

    average = []
    for threshold in iou_thresholds:
        if matching == "voc":
            outcome = pascal_hits(table, image, difficult, threshold)
        else:
            outcome = coco_hits(table, image, difficult, threshold, turn)
        for label, count in zip(classes, objects.tolist(), strict=True):
            hits = outcome[(labels == label) & (outcome >= 0)] == 1
            average.append(interpolated_area(hits, count, method))
    return torch.stack(average).mean().to(like)


def _overlap_table(
    detections: Sequence[Mapping[str, Tensor]],
    ground_truth: Sequence[Mapping[str, Tensor]],
    overlap: str,
) -> tuple[Tensor, Tensor]:
    """IoU of every detection with every object of its class and image, and what is difficult.

    (D, G) and (images, G), with G the most objects of an image and 1 at least; where there is no
    such object -1, and False.
    """
    columns = max(1, *(len(truth["labels"]) for truth in ground_truth))
    rows, difficult = [], []
    for found, truth in zip(detections, ground_truth, strict=True):
        if overlap == "boxes":
            shared = box_iou(found["boxes"].double(), truth["boxes"].double())
        else:
            shared = mask_iou(found["masks"], truth["masks"])
        is_same = found["labels"][:, None] == truth["labels"][None, :]
        beyond = (0, columns - len(truth["labels"]))
        rows.append(torch.nn.functional.pad(shared.masked_fill(~is_same, -1.0), beyond, value=-1.0))
        difficult.append(torch.nn.functional.pad(_difficult(truth), beyond))
    return torch.cat(rows), torch.stack(difficult)


def _turn(image: Tensor, labels: Tensor) -> Tensor:
    """How many of the ranked detections before each are of the same image and class."""
    kinds, kind = labels.unique(return_inverse=True)
    group = image * len(kinds) + kind
    # Sorted by group, the place within it is the distance from its start.
    order = group.argsort(stable=True)
    _, sizes = group[order].unique_consecutive(return_counts=True)
    start = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    turn = torch.empty_like(group)
    turn[order] = torch.arange(len(group)) - start
    return turn


def _difficult(image: Mapping[str, Tensor]) -> Tensor:
    if "difficult" in image:
        return image["difficult"]
    return torch.zeros_like(image["labels"], dtype=torch.bool)


def _check_images(detections: object, ground_truth: object, overlap: str) -> None:
    for name, images in (("detections", detections), ("ground_truth", ground_truth)):
        if not isinstance(images, Sequence) or len(images) == 0:
            raise ValueError(f"{name} is {type(images).__name__}; expected a list of dicts")
    if len(detections) != len(ground_truth):
        raise ValueError(
            f"detections has {len(detections)} images, ground_truth {len(ground_truth)}; "
            "expected as many"
        )
    for i, (found, truth) in enumerate(zip(detections, ground_truth, strict=True)):
        _check_image(f"detections[{i}]", found, (overlap, "scores", "labels"))
        _check_image(f"ground_truth[{i}]", truth, (overlap, "labels"))
        check_tensor(f"detections[{i}]['scores']", found["scores"], ndim=1, layout="(N,)")
        check_no_nan(f"detections[{i}]['scores']", found["scores"])
        one, other = found[overlap], truth[overlap]
        if overlap == "boxes" and one.dtype != other.dtype:
            raise ValueError(
                f"ground_truth[{i}]['boxes'] has dtype {other.dtype}; expected {one.dtype} as "
                f"detections[{i}]['boxes'] has"
            )
        if overlap == "masks" and one.shape[1:] != other.shape[1:]:
            raise ValueError(
                f"ground_truth[{i}]['masks'] is {tuple(other.shape)}; expected images of "
                f"{tuple(one.shape[1:])} as in detections[{i}]"
            )
        if "difficult" in truth and truth["difficult"].dtype != torch.bool:
            raise ValueError(
                f"ground_truth[{i}]['difficult'] is {truth['difficult'].dtype}; expected torch.bool"
            )


def _check_image(name: str, image: object, keys: tuple[str, ...]) -> None:
    if not isinstance(image, Mapping) or any(key not in image for key in keys):
        came = list(image) if isinstance(image, Mapping) else type(image).__name__
        raise ValueError(f"{name} is {came}; expected a dict with {', '.join(map(repr, keys))}")
    overlap, *per_object = keys
    (check_box_table if overlap == "boxes" else check_masks)(f"{name}['{overlap}']", image[overlap])
    expected = tuple(image[overlap].shape[:1])
    for key in {*per_object, "difficult"} & set(image):
        value = image[key]
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != expected or value.device != image[overlap].device:
            raise ValueError(
                f"{name}['{key}'] is {shape}; expected a tensor {expected} beside its {overlap}"
            )
    if image["labels"].dtype.is_floating_point or image["labels"].dtype == torch.bool:
        raise ValueError(f"{name}['labels'] is {image['labels'].dtype}; expected integers")
