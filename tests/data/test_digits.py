"""The digits: published facts, and a split that keeps its promises."""

from __future__ import annotations

import torch

from mdcv.data import digits


def test_images_are_counts_of_ink_in_sixteenths():
    images, labels = digits()
    assert images.shape == (len(labels), 1, 8, 8)
    assert images.dtype == torch.float32 and labels.dtype == torch.int64
    assert float(images.min()) == 0.0 and float(images.max()) == 1.0
    torch.testing.assert_close(images * 16, (images * 16).round(), rtol=0, atol=0)


def test_both_parts_together_are_the_published_set():
    from sklearn.datasets import load_digits

    together = torch.cat([digits()[0], digits(held_out=True)[0]]).flatten(1)
    published = torch.from_numpy(load_digits().data).float() / 16
    assert len(together) == len(published) == 1797
    in_order = [sorted(map(tuple, rows.tolist())) for rows in (together, published)]
    assert in_order[0] == in_order[1]


def test_no_image_is_in_both_parts():
    parts = [digits(held_out=held_out)[0].flatten(1).tolist() for held_out in (False, True)]
    training, judging = (set(map(tuple, rows)) for rows in parts)
    assert training.isdisjoint(judging)


def test_every_digit_has_a_fifth_of_its_images_held_out():
    training, judging = (torch.bincount(digits(held_out=h)[1]) for h in (False, True))
    share = judging / (training + judging)
    assert len(judging) == 10
    assert bool(((share > 0.18) & (share <= 0.2)).all())


def test_labels_belong_to_their_images():
    # A nearest neighbor among the training images knows the digit: 98 % on this set.
    images, labels = digits()
    others, truth = digits(held_out=True)
    nearest = torch.cdist(others.flatten(1), images.flatten(1)).argmin(dim=1)
    assert float((labels[nearest] == truth).float().mean()) > 0.96
