"""Training: a seed repeats it, the losses fall, and what it is given is checked."""

from __future__ import annotations

import pytest
import torch

from mdcv.boxes import mean_average_precision
from mdcv.data import shape_scenes
from mdcv.detection import FasterRCNN, FastRCNN, train_detector
from mdcv.seeds import generator

SCENES = shape_scenes(
    24, size=(48, 48), objects=(0, 2), diameter=(0.4, 0.6), tiny=0, generator=generator(0)
)
IMAGES = [scene.image for scene in SCENES]
TARGETS = [scene._asdict() for scene in SCENES]


def tiny(classes: int = 4) -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(classes, channels=(16, 32), hidden=48, bins=3, anchor_scales=(16.0, 28.0))


def test_it_learns_where_the_shapes_of_a_few_scenes_are(device):
    """Of one class: telling the four apart takes longer."""
    detector = tiny(1).to(device)
    images = [image.to(device) for image in IMAGES]
    targets = [
        {"boxes": t["boxes"].to(device), "labels": torch.zeros_like(t["labels"], device=device)}
        for t in TARGETS
    ]
    before = mean_average_precision(detector(images), targets)
    history = train_detector(
        detector, images, targets, steps=60, batch_size=4, learning_rate=3e-3, progress=False
    )
    assert set(history) == {"objectness", "proposal box", "class", "box"}
    assert all(len(values) == 60 for values in history.values())
    assert history["objectness"][-20:].mean() < 0.2 * history["objectness"][:5].mean()
    assert mean_average_precision(detector(images), targets) > before + 0.2


def test_a_seed_repeats_the_run():
    runs = [
        train_detector(tiny(), IMAGES, TARGETS, steps=3, batch_size=2, seed=s, progress=False)
        for s in (1, 1, 2)
    ]
    assert runs[0]["class"].equal(runs[1]["class"]) and not runs[0]["class"].equal(runs[2]["class"])


def test_given_proposals_belong_to_their_images():
    """Proposals that are the true boxes: then half of what is sampled can be an object."""
    detector = FastRCNN(4, channels=(16, 32), hidden=48, bins=3)
    boxes = [target["boxes"] for target in TARGETS]
    filled = [i for i, some in enumerate(boxes) if len(some)]
    history = train_detector(
        detector,
        [IMAGES[i] for i in filled],
        [TARGETS[i] for i in filled],
        proposals=[boxes[i] for i in filled],
        steps=2,
        batch_size=4,
        progress=False,
    )
    assert (history["class"] > 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": TARGETS[:3]}, "targets has 3 entries, images 24"),
        ({"images": [], "targets": []}, "images 0; expected as many, one at least"),
        ({"proposals": [torch.zeros(0, 4)]}, "proposals has 1 entries"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"images": IMAGES, "targets": TARGETS, "progress": False}
    with pytest.raises(ValueError, match=message):
        train_detector(tiny(), **(good | change))
