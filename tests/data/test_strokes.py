"""Digits drawn with a pen."""

from __future__ import annotations

import pytest
import torch

from mdcv.data.strokes import PEN, stroke_digits
from mdcv.seeds import generator

TEN = torch.arange(10)


def test_images_are_gray_between_black_and_white_with_ink_in_the_middle():
    images, labels = stroke_digits(40, generator=generator(0))
    assert images.shape == (40, 1, 28, 28) and images.dtype == torch.float32
    assert images.min() == 0 and images.max() == 1
    assert labels.dtype == torch.int64 and set(labels.tolist()) <= set(range(10))
    ink = images.mean(dim=(1, 2, 3))
    assert 0.05 < ink.min() and ink.max() < 0.4
    border = images.clone()
    border[:, :, 1:-1, 1:-1] = 0
    assert (border.flatten(1).amax(1) > 0).float().mean() < 0.2


def test_the_same_seed_draws_the_same_images_whatever_the_global_state():
    torch.manual_seed(1)
    first = stroke_digits(70, generator=generator(3))
    torch.manual_seed(2)
    second = stroke_digits(70, generator=generator(3))
    other = stroke_digits(70, generator=generator(4))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_images_follow_the_labels_they_were_asked_for():
    labels = torch.tensor([3, 3, 8, 1])
    images, back = stroke_digits(4, labels=labels, wobble=0.0)
    assert torch.equal(back, labels)
    assert torch.equal(images[0], images[1]) and not torch.equal(images[0], images[2])
    varied, _ = stroke_digits(4, labels=labels, generator=generator(0))
    assert not torch.equal(varied[0], varied[1])


def test_a_stroke_is_the_same_at_every_size():
    """Averaged over blocks, a large image is the small one up to the soft edge of the pen."""
    small, large = (stroke_digits(10, size=s, labels=TEN, wobble=0.0)[0] for s in (16, 64))
    averaged = torch.nn.functional.avg_pool2d(large, 4)
    assert (averaged - small).abs().mean() < 0.02
    for size in (8, 13, 40):
        assert stroke_digits(10, size=size, labels=TEN)[0].shape == (10, 1, size, size)


def test_the_pen_passes_where_it_is_said_to():
    images, _ = stroke_digits(10, size=64, labels=TEN, wobble=0.0)
    for digit, (stroke,) in enumerate(PEN):
        for x, y in stroke:
            column, row = (int((0.5 + 0.78 * (c - 0.5)) * 64) for c in (x, y))
            assert images[digit, 0, row, column] > 0.9


def test_digits_can_be_told_apart_by_the_nearest_template():
    """A sanity check on the labels: nearest clean template, nothing learned."""
    templates, _ = stroke_digits(10, labels=TEN, wobble=0.0)
    images, labels = stroke_digits(200, generator=generator(5), wobble=0.5)
    blur = torch.nn.AvgPool2d(5, stride=1, padding=2)
    found = torch.cdist(blur(images).flatten(1), blur(templates).flatten(1)).argmin(dim=1)
    assert (found == labels).float().mean() > 0.85


def test_every_digit_is_drawn_about_as_often():
    _, labels = stroke_digits(2000, size=8, generator=generator(6))
    counts = torch.bincount(labels, minlength=10)
    assert counts.min() > 140 and counts.max() < 260


def test_none_and_one_are_fine():
    assert stroke_digits(0)[0].shape == (0, 1, 28, 28)
    assert stroke_digits(1, size=9)[0].shape == (1, 1, 9, 9)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": -1}, "n is -1"),
        ({"n": 2, "size": 7}, "size is 7"),
        ({"n": 2, "wobble": -1.0}, "wobble is -1.0"),
        ({"n": 2, "labels": TEN}, r"labels has shape \(10,\)"),
        ({"n": 10, "labels": TEN.float()}, "dtype torch.float32"),
        ({"n": 10, "labels": TEN + 1}, "expected digits from 0 to 9"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        stroke_digits(**options)
