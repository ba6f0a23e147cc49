"""The Penn-Fudan layout, written small: instance numbers become masks and boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from mdcv.data import penn_fudan

NUMBERS = np.zeros((5, 7), dtype=np.uint8)
NUMBERS[1:4, 2:4] = 1
NUMBERS[0:2, 5:7] = 2
NUMBERS[1, 3] = 2


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "PennFudanPed"
    for name in ("PNGImages", "PedMasks", "Annotation"):
        (root / name).mkdir(parents=True)
    colors = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    for i, numbers in (("1", NUMBERS), ("2", NUMBERS.T)):
        pixels = colors if i == "1" else colors.transpose(1, 0, 2)
        Image.fromarray(pixels).save(root / "PNGImages" / f"FudanPed0000{i}.png")
        mask = Image.fromarray(numbers).convert("P")
        # The masks of the real set have a palette: what counts is the number, not its color.
        mask.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0] + [9] * 759)
        mask.save(root / "PedMasks" / f"FudanPed0000{i}_mask.png")
    return root


def test_every_number_becomes_a_mask_with_its_box(folder):
    photographs = penn_fudan(folder)
    assert len(photographs) == 2
    image, boxes, labels, masks = photographs[0]
    assert image.shape == (3, 5, 7) and image.dtype == torch.float32
    torch.testing.assert_close(image[:, 0, 1] * 255, torch.tensor([3.0, 4.0, 5.0]))
    assert masks.equal(torch.from_numpy(np.stack([NUMBERS == 1, NUMBERS == 2])))
    assert boxes.tolist() == [[2, 1, 4, 4], [3, 0, 7, 2]] and boxes.dtype == torch.float32
    assert labels.tolist() == [0, 0] and labels.dtype == torch.int64


def test_photographs_may_differ_in_size_and_come_in_order(folder):
    assert [tuple(photograph.image.shape) for photograph in penn_fudan(str(folder))] == [
        (3, 5, 7),
        (3, 7, 5),
    ]
    assert [image.name for image, _ in penn_fudan(folder).pairs] == [
        "FudanPed00001.png",
        "FudanPed00002.png",
    ]


def test_nobody_in_the_picture_is_an_empty_truth(folder):
    Image.fromarray(NUMBERS * 0).save(folder / "PedMasks" / "FudanPed00001_mask.png")
    _, boxes, labels, masks = penn_fudan(folder)[0]
    assert boxes.shape == (0, 4) and labels.shape == (0,) and masks.shape == (0, 5, 7)


def test_a_number_that_nobody_wears_is_no_mask(folder):
    Image.fromarray(NUMBERS * 2).save(folder / "PedMasks" / "FudanPed00001_mask.png")
    assert penn_fudan(folder)[0].masks.shape == (2, 5, 7)


def test_sizes_that_differ_are_refused_by_name(folder):
    Image.fromarray(NUMBERS[:, 1:]).save(folder / "PedMasks" / "FudanPed00001_mask.png")
    with pytest.raises(ValueError, match=r"1_mask.png has 6 by 5 pixels; expected 7 by 5"):
        penn_fudan(folder)[0]


@pytest.mark.parametrize("part", ["PNGImages/FudanPed00002.png", "PedMasks/FudanPed00002_mask.png"])
@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_file_is_refused_by_name(folder, part, damage):
    path = folder / part
    content = path.read_bytes()
    path.write_bytes(content[:-25] if damage == "cut" else b"GIF, or what")
    photographs = penn_fudan(folder)
    assert len(photographs[0].boxes) == 2
    with pytest.raises(ValueError) as refusal:
        photographs[1]
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("part", "mode"), [("PNGImages/{}.png", "L"), ("PedMasks/{}_mask.png", "RGB")]
)
def test_pixels_of_another_kind_are_refused_by_name(folder, part, mode):
    path = folder / part.format("FudanPed00001")
    Image.new(mode, (7, 5)).save(path)
    with pytest.raises(ValueError, match=f"the pixels are {mode}; expected") as refusal:
        penn_fudan(folder)[0]
    assert str(path) in str(refusal.value)


def test_what_is_missing_is_told_by_name(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent.PNGImages is no folder"):
        penn_fudan(tmp_path / "absent")
    (folder / "PedMasks" / "FudanPed00002_mask.png").rename(folder / "PedMasks" / "other_mask.png")
    with pytest.raises(ValueError, match=r"FudanPed00002.png has no mask"):
        penn_fudan(folder)


def test_a_mask_without_an_image_is_refused(folder):
    (folder / "PNGImages" / "FudanPed00002.png").unlink()
    with pytest.raises(ValueError, match=r"FudanPed00002_mask.png has no image"):
        penn_fudan(folder)
    (folder / "PNGImages" / "FudanPed00001.png").unlink()
    with pytest.raises(ValueError, match=r"holds no .png file"):
        penn_fudan(folder)
