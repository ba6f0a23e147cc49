"""The small classifier whose features stand in for Inception."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import digits
from mdcv.fidelity import SmallClassifier, fid, train_classifier
from mdcv.seeds import generator


@pytest.fixture(scope="module")
def trained() -> SmallClassifier:
    return train_classifier(*digits())


def test_trained_in_seconds_it_knows_digits_it_has_not_seen(trained):
    images, labels = digits(held_out=True)
    right = trained(images).argmax(dim=1) == labels
    assert right.float().mean() > 0.95


def test_features_are_bounded_and_carry_no_gradient(trained):
    images, _ = digits(held_out=True)
    found = trained.features(images)
    assert found.shape == (355, 32) and found.abs().max() <= 1 and found.std() > 0.1
    assert not found.requires_grad and not trained.training


def test_noise_is_farther_from_digits_than_digits_are(trained):
    images, _ = digits()
    rest, _ = digits(held_out=True)
    noise = torch.rand(rest.shape, generator=generator(1))
    real, held_out, fake = (trained.features(x) for x in (images, rest, noise))
    assert fid(real, fake) > 10 * fid(real, held_out)


def test_the_same_seed_gives_the_same_network_whatever_the_global_state():
    images, labels = digits()
    networks = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(noise)
        networks.append(train_classifier(images, labels, steps=2, seed=seed))
    first, second, other = (n.last.weight for n in networks)
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_any_size_any_channels_and_as_many_classes_as_labels(device):
    images = torch.rand(6, 3, 11, 14, generator=generator(0)).to(device)
    labels = torch.tensor([0, 1, 2, 0, 1, 2], device=device)
    network = train_classifier(images, labels, dim=5, steps=1, batch=4)
    assert network(images).shape == (6, 3) and network.features(images).shape == (6, 5)
    assert network(images).device.type == device


@pytest.mark.usefixtures("at_the_door")
def test_bad_input_is_refused():
    images, labels = torch.rand(6, 1, 8, 8), torch.arange(6)
    for call, words in [
        (lambda: train_classifier(images, labels[:5]), r"labels has shape \(5,\)"),
        (lambda: train_classifier(images, labels.float()), "dtype torch.float32"),
        (lambda: train_classifier(images, labels - 1), "labels holds -1"),
        (lambda: train_classifier(images[:0], labels[:0]), "at least one"),
        (lambda: train_classifier(images[0], labels), r"images has shape \(1, 8, 8\)"),
        (lambda: train_classifier(images, labels, dim=0), "dim is 0"),
        (lambda: SmallClassifier(channels=3).features(images), "axis C should be 3, not 1"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
