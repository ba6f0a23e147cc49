"""COCO's annotations, written small: pycocotools reads the same file beside us."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from pycocotools import mask as coding
from pycocotools.coco import COCO

from mdcv.data import read_coco

# What pycocotools hands to NumPy has an older form than NumPy 2 likes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BLOB = np.zeros((10, 12), dtype=np.uint8)
BLOB[2:7, 3:9] = 1
BLOB[4, 5] = 0
CODED = coding.encode(np.asfortranarray(BLOB))

CONTENT = {
    "info": {"description": "made by hand"},
    "images": [
        {"id": 42, "file_name": "b.jpg", "height": 10, "width": 12},
        {"id": 9, "file_name": "a.jpg", "height": 6, "width": 8},
        {"id": 77, "file_name": "nobody.jpg", "height": 4, "width": 4},
    ],
    "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car", "supercategory": "vehicle"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 42,
            "category_id": 18,
            "bbox": [3, 2, 6, 5],
            "segmentation": {"size": [10, 12], "counts": CODED["counts"].decode()},
            "iscrowd": 1,
            "area": 29,
        },
        {
            "id": 2,
            "image_id": 9,
            "category_id": 3,
            "bbox": [1.5, 1, 3.25, 4],
            "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]],
            "iscrowd": 0,
            "area": 13,
        },
        {
            "id": 3,
            "image_id": 42,
            "category_id": 3,
            "bbox": [0, 0, 0, 10],
            "segmentation": {"size": [10, 12], "counts": [0, 10, 110]},
            "area": 0,
        },
    ],
}


@pytest.fixture
def write(tmp_path):
    def write_file(change=lambda content: None):
        content = copy.deepcopy(CONTENT)
        change(content)
        path = tmp_path / "instances.json"
        path.write_text(json.dumps(content))
        return path

    return write_file


def test_images_come_by_number_with_boxes_by_their_corners(write):
    found = read_coco(write())
    assert [image.name for image in found] == ["a.jpg", "b.jpg", "nobody.jpg"]
    assert [image.size for image in found] == [(6, 8), (10, 12), (4, 4)]
    assert found[0].boxes.tolist() == [[1.5, 1, 4.75, 5]]
    assert found[1].boxes.tolist() == [[3, 2, 9, 7], [0, 0, 0, 10]]
    assert found[1].boxes.dtype == torch.float32
    assert found[1].is_crowd.tolist() == [True, False]


def test_labels_have_no_gaps_and_keep_the_numbers_of_the_file(write):
    found = read_coco(str(write()))
    assert found.classes == ("car", "dog") and found.category_ids == (3, 18)
    assert found[1].labels.tolist() == [1, 0] and found[1].labels.dtype == torch.int64


def test_an_image_without_objects_has_empty_truth_of_the_right_shape(write):
    found = read_coco(write())
    assert found[2].boxes.shape == (0, 4) and found[2].labels.shape == (0,)
    assert found.masks(2).shape == (0, 4, 4) and found.masks(2).dtype == torch.bool


def test_masks_are_those_that_pycocotools_decodes(write, capsys):
    path = write()
    theirs, found = COCO(str(path)), read_coco(path)
    for index, number in enumerate((9, 42)):
        expected = [theirs.annToMask(one) for one in theirs.imgToAnns[number]]
        assert found.masks(index).equal(torch.from_numpy(np.stack(expected)).bool())


WRONG = {
    "no images": (lambda c: c.pop("images"), "the table 'images' is missing"),
    "no categories": (lambda c: c.pop("categories"), "the table 'categories' is missing"),
    "no annotations": (lambda c: c.update(annotations=None), "the table 'annotations' is missing"),
    "no height": (lambda c: c["images"][1].pop("height"), "an entry of 'images' has no 'height'"),
    "no id": (lambda c: c["annotations"][0].pop("id"), "an entry of 'annotations' has no 'id'"),
    "no box": (lambda c: c["annotations"][0].pop("bbox"), "has no 'bbox'"),
    "no table": (lambda c: c["images"].append(5), "an entry of 'images' has no 'id'"),
    "odd height": (lambda c: c["images"][0].update(height=0), "image 42 has the height 0"),
    "odd id": (lambda c: c["images"][0].update(id="42"), "the id '42'; expected an integer"),
    "twice": (lambda c: c["annotations"][1].update(id=1), "'annotations' holds the id 1 twice"),
    "image twice": (lambda c: c["images"][0].update(id=9), "'images' holds the id 9 twice"),
    "unknown image": (lambda c: c["annotations"][0].update(image_id=5), "of image 5, which is no"),
    "unknown class": (lambda c: c["annotations"][0].update(category_id=1), "category 1, which is"),
    "short box": (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), "annotation 1 has the box"),
    "inverted": (lambda c: c["annotations"][0].update(bbox=[1, 2, -3, 4]), "annotation 1 has the"),
    "NaN": (lambda c: c["annotations"][0].update(bbox=[1, 2, 3, float("nan")]), "expected x, y, w"),
    "text box": (lambda c: c["annotations"][0].update(bbox=["1", 2, 3, 4]), "expected x, y, w, h"),
    "odd crowd": (lambda c: c["annotations"][0].update(iscrowd=2), "iscrowd 2; expected 0 or 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_contradicts_itself_is_refused_by_name(name, write):
    change, message = WRONG[name]
    path = write(change)
    with pytest.raises(ValueError, match=message) as refusal:
        read_coco(path)
    assert str(path) in str(refusal.value)


def of_first(**changes):
    return lambda content: content["annotations"][0].update(changes)


WRONG_MASKS = {
    "none": (lambda c: c["annotations"][0].pop("segmentation"), "there is no mask"),
    "empty": (of_first(segmentation=[]), "there is no mask"),
    "of another size": (
        of_first(segmentation={"size": [12, 10], "counts": [120]}),
        r"the mask has the size \[12, 10\]; expected \[10, 12\]",
    ),
    "too short": (of_first(segmentation={"size": [10, 12], "counts": [5, 6]}), "add up to 11"),
    "cut off": (
        of_first(segmentation={"size": [10, 12], "counts": CODED["counts"].decode()[:-1]}),
        "add up|stop in the middle",
    ),
    "a number": (of_first(segmentation={"size": [10, 12], "counts": 120}), "run lengths are int"),
    "a line": (of_first(segmentation=[[1, 1, 2, 2]]), "a polygon has 4 numbers"),
}


@pytest.mark.parametrize("name", WRONG_MASKS)
def test_a_mask_that_is_none_is_refused_by_file_and_annotation(name, write):
    change, message = WRONG_MASKS[name]
    path = write(change)
    found = read_coco(path)
    assert len(found[1].boxes) == 2
    with pytest.raises(ValueError, match=message) as refusal:
        found.masks(1)
    assert f"{path}: annotation 1" in str(refusal.value)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"images": [', json.dumps(CONTENT)[:-9], "\xff"])
def test_what_is_no_such_file_is_refused_by_name(text, tmp_path):
    path = tmp_path / "broken.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError) as refusal:
        read_coco(path)
    assert str(path) in str(refusal.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_coco(tmp_path / "absent.json")
