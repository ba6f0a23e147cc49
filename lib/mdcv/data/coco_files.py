"""Reading annotations in COCO's manner: one JSON file with images, categories and objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mdcv.data.mask_coding import polygon_mask, run_length_mask


class AnnotatedImage(NamedTuple):
    """What the file tells about one image and its N objects.

    Attributes:
        name: the image's own file name, as it is written.
        size: height and width in pixels.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels.
        labels: (N,) int64, a place in the file's `classes`.
        is_crowd: (N,) bool, whether the object is a group that nobody counted.
    """

    name: str
    size: tuple[int, int]
    boxes: Tensor
    labels: Tensor
    is_crowd: Tensor


class Annotations(Sequence):
    """Annotated images in the order of their numbers; masks are decoded when asked for.

    Attributes:
        classes: the categories' names by rising number; a label is a place in it.
        category_ids: the categories' numbers in the file, beside `classes`.
    """

    def __init__(self, path: Path, content: Mapping[str, Any]):
        self._path = path
        categories = _by_id(content, "categories", ("name",))
        self.category_ids = tuple(sorted(categories))
        self.classes = tuple(categories[i]["name"] for i in self.category_ids)
        images = _by_id(content, "images", ("file_name", "height", "width"))
        self._objects: dict[int, list[dict[str, Any]]] = {i: [] for i in sorted(images)}
        self._images = [images[i] for i in self._objects]
        for image in self._images:
            for side in ("height", "width"):
                if type(image[side]) is not int or image[side] < 1:
                    raise ValueError(f"image {image['id']} has the {side} {image[side]!r}")
        wanted = ("image_id", "category_id", "bbox")
        for number, one in _by_id(content, "annotations", wanted).items():
            self._add(number, one)

    def _add(self, number: int, one: dict[str, Any]) -> None:
        if one["image_id"] not in self._objects:
            raise ValueError(f"annotation {number} is of image {one['image_id']!r}, which is none")
        if one["category_id"] not in self.category_ids:
            raise ValueError(
                f"annotation {number} is of category {one['category_id']!r}, which is none"
            )
        box = one["bbox"]
        is_box = isinstance(box, list) and len(box) == 4 and all(map(_is_finite, box))
        if not is_box or min(box[2:]) < 0:
            raise ValueError(f"annotation {number} has the box {box!r}; expected x, y, w, h")
        if one.get("iscrowd", 0) not in (0, 1):
            raise ValueError(f"annotation {number} has iscrowd {one['iscrowd']!r}; expected 0 or 1")
        self._objects[one["image_id"]].append(one)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Boxes, labels and crowds of one image, in the order of the file."""
        image = self._images[index]
        objects = self._objects[image["id"]]
        boxes = torch.tensor([one["bbox"] for one in objects], dtype=torch.float64).reshape(-1, 4)
        corners = torch.cat((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), dim=1)
        place = {number: label for label, number in enumerate(self.category_ids)}
        return AnnotatedImage(
            image["file_name"],
            (image["height"], image["width"]),
            corners.float(),
            torch.tensor([place[one["category_id"]] for one in objects], dtype=torch.int64),
            torch.tensor([bool(one.get("iscrowd", 0)) for one in objects], dtype=torch.bool),
        )

    def masks(self, index: int) -> Tensor:
        """The masks of one image's objects, (N, H, W) bool.

        Raises:
            ValueError: an object has no mask, or one that breaks the format.
        """
        image = self._images[index]
        size = (image["height"], image["width"])
        masks = [torch.zeros(0, *size, dtype=torch.bool)]
        for one in self._objects[image["id"]]:
            try:
                masks.append(_mask(one.get("segmentation"), size)[None])
            except ValueError as error:
                raise ValueError(f"{self._path}: annotation {one['id']}: {error}") from error
        return torch.cat(masks)


def read_coco(path: str | Path) -> Annotations:
    """The annotated images of a JSON file in COCO's format of object instances.

    Boxes x, y, w, h become x1, y1, x2, y2 in the same pixels; the categories' numbers, which have
    gaps, become labels from 0 without gaps. Masks come as polygons, as run lengths or as
    compressed run lengths, and are decoded by `Annotations.masks`. Nothing is dropped: crowds and
    boxes without area are there, to be left out by whom they do not serve.

    Args:
        path: such as annotations/instances_val2017.json.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no complete JSON, a table or an entry of it is missing, a number
            is given twice, an annotation names an image or a category that does not exist, or a
            box is none.

    Source: Lin and others 2014, "Microsoft COCO: common objects in context", and the format's
    description on cocodataset.org.

    >>> import json, tempfile
    >>> content = {
    ...     "images": [{"id": 7, "file_name": "a.jpg", "height": 4, "width": 6}],
    ...     "categories": [{"id": 18, "name": "dog"}],
    ...     "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 0, 3, 2]}],
    ... }
    >>> with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    ...     json.dump(content, file)
    ...     file.flush()
    ...     read_coco(file.name)[0].boxes
    tensor([[1., 0., 4., 2.]])
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"the file holds a {type(content).__name__}; expected a table")
        return Annotations(path, content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error


def _by_id(content: Mapping[str, Any], name: str, keys: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The entries of a table by their number; each holds the keys."""
    entries = content.get(name)
    if not isinstance(entries, list):
        raise ValueError(f"the table {name!r} is missing")
    found: dict[int, dict[str, Any]] = {}
    for entry in entries:
        missing = [k for k in ("id", *keys) if not isinstance(entry, dict) or k not in entry]
        if missing:
            raise ValueError(f"an entry of {name!r} has no {missing[0]!r}")
        if type(entry["id"]) is not int:
            raise ValueError(
                f"an entry of {name!r} has the id {entry['id']!r}; expected an integer"
            )
        if entry["id"] in found:
            raise ValueError(f"{name!r} holds the id {entry['id']} twice")
        found[entry["id"]] = entry
    return found


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _mask(segmentation: object, size: tuple[int, int]) -> Tensor:
    if isinstance(segmentation, list) and segmentation:
        return polygon_mask(segmentation, size)
    if isinstance(segmentation, dict) and {"size", "counts"} <= segmentation.keys():
        if segmentation["size"] != list(size):
            raise ValueError(
                f"the mask has the size {segmentation['size']}; expected {list(size)}, as the image"
            )
        counts = segmentation["counts"]
        if not isinstance(counts, list | str):
            raise ValueError(
                f"the run lengths are {type(counts).__name__}; expected a list or text"
            )
        return run_length_mask(counts, size)
    raise ValueError("there is no mask; expected polygons, or run lengths with their size")
