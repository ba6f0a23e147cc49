"""Fast R-CNN: regions in, losses or detections out."""

from __future__ import annotations

import pytest
import torch

from mdcv.boxes import box_iou
from mdcv.detection import FasterRCNN, FastRCNN, MaskRCNN
from mdcv.seeds import generator

TARGET = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([2])}
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
REGIONS = torch.tensor([[4.0, 4, 20, 20], [0.0, 0, 30, 30], [12.0, 2, 28, 17]])


def tiny(**options) -> FastRCNN:
    torch.manual_seed(0)
    return FastRCNN(3, channels=(8, 16), hidden=32, bins=3, **options)


@pytest.mark.parametrize("pooling", ["align", "pool"])
def test_it_can_learn_one_image_by_heart(device, pooling):
    detector = tiny(pooling=pooling).to(device)
    image = torch.rand(1, 3, 32, 32, generator=generator(1)).to(device)
    target = {name: value.to(device) for name, value in TARGET.items()}
    regions = [REGIONS.to(device)]
    optimizer = torch.optim.Adam(detector.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        sum(detector.losses(image, [target], proposals=regions).values()).backward()
        optimizer.step()
    found = detector(image, proposals=regions)[0]
    assert found["labels"][0] == 2 and found["scores"][0] > 0.9
    assert box_iou(found["boxes"][:1], target["boxes"]).item() > 0.8


def test_detections_are_leaves_in_the_form_that_mean_average_precision_takes():
    found = tiny()(torch.rand(2, 3, 32, 40), proposals=[REGIONS, REGIONS[:0]])
    assert len(found) == 2 and len(found[1]["boxes"]) == 0
    assert found[0]["boxes"].dtype == torch.float32 and found[0]["labels"].dtype == torch.int64
    assert not found[0]["scores"].requires_grad
    assert found[0]["scores"].diff().le(0).all()


def test_a_region_is_looked_at_in_its_own_image():
    detector, images = tiny(), torch.rand(2, 3, 32, 32, generator=generator(2))
    both = detector(images, proposals=[REGIONS, REGIONS])
    alone = [detector(image[None], proposals=[REGIONS])[0] for image in images]
    for found, expected in zip(both, alone, strict=True):
        torch.testing.assert_close(found, expected)
    assert not both[0]["scores"].equal(both[1]["scores"])


def test_an_image_without_objects_or_regions_still_trains():
    detector = tiny()
    batch = torch.rand(2, 3, 32, 32)
    losses = detector.losses(batch, [TARGET, NOTHING], proposals=[REGIONS[:0], REGIONS])
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in detector.parameters())
    only = detector.losses(batch[:1], [NOTHING], proposals=[REGIONS])
    assert only["box"] == 0 and only["class"] > 0


def test_without_any_region_to_learn_from_the_loss_says_so():
    with pytest.raises(ValueError, match=r"class_logits has shape \(0, 4\)"):
        tiny().losses(torch.rand(1, 3, 32, 32), [NOTHING], proposals=[REGIONS[:0]])


def test_the_sample_comes_from_the_generator():
    detector, image = tiny(), torch.rand(1, 3, 32, 32)
    regions = [torch.rand(200, 4, generator=generator(0)) * 10 + torch.tensor([0.0, 0, 12, 12])]
    values = [
        detector.losses(image, [TARGET], proposals=regions, generator=generator(seed))["class"]
        for seed in (1, 1, 2)
    ]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_run_through(dtype):
    detector = tiny().to(dtype)
    image = torch.rand(1, 3, 32, 32).to(dtype)
    losses = detector.losses(image, [TARGET], proposals=[REGIONS])
    sum(losses.values()).backward()
    found = detector(image, proposals=[REGIONS])[0]
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert found["boxes"].dtype == found["scores"].dtype == wide


def test_its_own_proposals_come_from_the_picture():
    image = torch.zeros(1, 3, 32, 32)
    image[:, 0, 4:20, 6:26] = 1.0
    detector = tiny()
    proposals = detector.propose(image)
    assert box_iou(proposals[0], torch.tensor([[6.0, 4, 26, 20]])).max() > 0.8
    torch.testing.assert_close(detector(image), detector(image, proposals=proposals))


@pytest.mark.parametrize("family", [FastRCNN, FasterRCNN, MaskRCNN])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 0}, "num_classes is 0"),
        ({"channels": ()}, "channels is empty"),
        ({"channels": (8, 12)}, "channels holds 12; expected multiples of 8"),
        ({"bins": 0}, "bins is 0"),
        ({"pooling": "max"}, "pooling is 'max'; expected one of 'align', 'pool'"),
    ],
)
def test_bad_options_are_refused(at_the_door, family, change, message):
    with pytest.raises(ValueError, match=message):
        family(**({"num_classes": 3} | change))
