"""Mean average precision: the one number for a detector on a set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes.overlap import box_iou, check_box_table
from mdcv.boxes.precision import METHODS, Method, interpolated_area
from mdcv.boxes.suppression import check_share
from mdcv.errors import check_no_nan, check_option, check_same_kind, check_tensor


def mean_average_precision(
    detections: Sequence[Mapping[str, Tensor]],
    ground_truth: Sequence[Mapping[str, Tensor]],
    *,
    iou_thresholds: Sequence[float] = (0.5,),
    method: Method = "all-point",
) -> Float[Tensor, ""]:
    """Mean of the average precision over classes, then over IoU thresholds.

    All detections of a class, from all images, are ranked together; equal scores keep the order
    of the images, and within an image their own. A detection looks at the object of its class and
    image that it overlaps most (the first of equals). It is a hit if their IoU reaches the
    threshold and no better ranked detection hit that object before; otherwise it is a miss.

    The classes are those with an object. One without detections counts 0; detections of a class
    without objects count in no class.

    Args:
        detections: per image a dict with `boxes` (N, 4), `scores` (N,) and `labels` (N,),
            integers.
        ground_truth: per image a dict with `boxes` (M, 4) and `labels` (M,), and, if wanted,
            `difficult` (M,) of bools: such objects need not be found, and finding them, even
            twice, is neither a hit nor a miss.
        iou_thresholds: each from 0 to 1; 0.5 for Pascal VOC, 0.5, 0.55, …, 0.95 in COCO's manner.

    Returns:
        From 0 to 1, in the dtype of the boxes.

    Raises:
        ValueError: lengths, shapes, dtypes or devices do not fit, a key is missing, a score is
            NaN, a box is inverted or NaN, there is no threshold, or there is no object to find.

    Source: Pascal VOC's development kit. COCO's rule differs: there a detection takes the best
    object that is still free.

    >>> import torch
    >>> box, label = torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([7])
    >>> found = {"boxes": box, "scores": torch.tensor([0.9]), "labels": label}
    >>> truth = {"boxes": torch.cat([box, box + 9]), "labels": label.repeat(2)}
    >>> mean_average_precision([found], [truth])
    tensor(0.5000)
    """
    _check_images(detections, ground_truth)
    check_option("method", method, METHODS)
    if not isinstance(iou_thresholds, Sequence) or len(iou_thresholds) == 0:
        raise ValueError(f"iou_thresholds is {iou_thresholds!r}; expected one number or more")
    for threshold in iou_thresholds:
        check_share("iou_thresholds", threshold)

    scores = torch.cat([image["scores"] for image in detections])
    labels = torch.cat([image["labels"] for image in detections])
    overlap, target = _best_objects(detections, ground_truth)
    truth_labels = torch.cat([image["labels"] for image in ground_truth])
    difficult = torch.cat([_difficult(image) for image in ground_truth])
    classes = truth_labels[~difficult].unique().tolist()
    if not classes:
        raise ValueError("ground_truth holds no object to find; expected one at least")

    order = scores.argsort(descending=True, stable=True)
    overlap, target, labels = overlap[order], target[order], labels[order]
    # A detection without any object to look at has no target, and an overlap below every threshold.
    finds_difficult = torch.cat([difficult, difficult.new_zeros(1)])[target]
    total = torch.zeros((), dtype=torch.float64, device=scores.device)
    for threshold in iou_thresholds:
        reaches = overlap >= torch.tensor(threshold, dtype=overlap.dtype)
        hit = _first_of_each(target, reaches, len(difficult))
        counts = ~(reaches & finds_difficult)
        for label in classes:
            ranked = hit[(labels == label) & counts]
            num_ground_truth = int(((truth_labels == label) & ~difficult).sum())
            total = total + interpolated_area(ranked, num_ground_truth, method)
    return (total / (len(classes) * len(iou_thresholds))).to(detections[0]["boxes"].dtype)


def _best_objects(
    detections: Sequence[Mapping[str, Tensor]], ground_truth: Sequence[Mapping[str, Tensor]]
) -> tuple[Tensor, Tensor]:
    """For each detection the greatest IoU with an object of its class and image, and which.

    Objects are numbered over all images; -1, both times, where there is none.
    """
    overlaps, targets, before = [], [], 0
    for found, truth in zip(detections, ground_truth, strict=True):
        is_same = found["labels"][:, None] == truth["labels"][None, :]
        overlap = box_iou(found["boxes"], truth["boxes"]).masked_fill(~is_same, -1.0)
        # A column of -1 in front makes "none" the answer where all is -1.
        best = torch.nn.functional.pad(overlap, (1, 0), value=-1.0).max(dim=1)
        overlaps.append(best.values)
        targets.append(torch.where(best.indices > 0, best.indices - 1 + before, -1))
        before += len(truth["labels"])
    return torch.cat(overlaps), torch.cat(targets)


def _first_of_each(target: Tensor, reaches: Tensor, objects: int) -> Tensor:
    """Which of the ranked detections is the first to reach its object."""
    rank = torch.arange(len(target), device=target.device)
    first = rank.new_full((objects + 1,), len(target))
    place = torch.where(reaches, target, objects)
    first = first.scatter_reduce(0, place, rank, "amin")
    return reaches & (first[place] == rank)


def _difficult(image: Mapping[str, Tensor]) -> Tensor:
    if "difficult" in image:
        return image["difficult"]
    return torch.zeros_like(image["labels"], dtype=torch.bool)


def _check_images(detections: object, ground_truth: object) -> None:
    for name, images in (("detections", detections), ("ground_truth", ground_truth)):
        if not isinstance(images, Sequence) or len(images) == 0:
            raise ValueError(f"{name} is {type(images).__name__}; expected a list of dicts")
    if len(detections) != len(ground_truth):
        raise ValueError(
            f"detections has {len(detections)} images, ground_truth {len(ground_truth)}; "
            "expected as many"
        )
    for i, image in enumerate(detections):
        name = f"detections[{i}]"
        _check_image(name, image, ("boxes", "scores", "labels"), detections)
        check_tensor(f"{name}['scores']", image["scores"], ndim=1, layout="(N,)")
        check_same_kind(f"{name}['scores']", image["scores"], f"{name}['boxes']", image["boxes"])
        check_no_nan(f"{name}['scores']", image["scores"])
    for i, image in enumerate(ground_truth):
        _check_image(f"ground_truth[{i}]", image, ("boxes", "labels"), detections)
        if "difficult" in image and image["difficult"].dtype != torch.bool:
            raise ValueError(
                f"ground_truth[{i}]['difficult'] is {image['difficult'].dtype}; expected torch.bool"
            )


def _check_image(name: str, image: object, keys: tuple[str, ...], detections: Sequence) -> None:
    if not isinstance(image, Mapping) or any(key not in image for key in keys):
        came = list(image) if isinstance(image, Mapping) else type(image).__name__
        raise ValueError(f"{name} is {came}; expected a dict with {', '.join(map(repr, keys))}")
    check_box_table(f"{name}['boxes']", image["boxes"])
    check_same_kind(
        f"{name}['boxes']", image["boxes"], "detections[0]['boxes']", detections[0]["boxes"]
    )
    expected = image["boxes"].shape[:1]
    for key in {*keys, "difficult"} & set(image) - {"boxes"}:
        value = image[key]
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != tuple(expected) or value.device != image["boxes"].device:
            raise ValueError(
                f"{name}['{key}'] is {shape}; expected a tensor {tuple(expected)} beside its boxes"
            )
    if image["labels"].dtype.is_floating_point or image["labels"].dtype == torch.bool:
        raise ValueError(f"{name}['labels'] is {image['labels'].dtype}; expected integers")
