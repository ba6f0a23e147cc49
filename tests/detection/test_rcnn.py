"""R-CNN: crops, hyperplanes and ridge regressions, each against an independent word."""

from __future__ import annotations

import pytest
import torch

from mdcv.boxes import box_iou, mean_average_precision
from mdcv.data import shape_scenes
from mdcv.detection import RCNN, train_detector
from mdcv.detection.rcnn import _hyperplane, _ridge
from mdcv.seeds import generator

OBJECT = torch.tensor([[4.0, 4, 20, 20]])
TARGET = {"boxes": OBJECT, "labels": torch.tensor([0])}


def grid(seed: int) -> torch.Tensor:
    """Boxes around in the image, some of them near the object."""
    low = torch.rand(40, 2, generator=generator(seed)) * 20
    return torch.cat([low, low + 6 + 12 * torch.rand(40, 2, generator=generator(seed + 1))], dim=1)


def test_the_ridge_regression_is_that_of_scikit_learn():
    from sklearn.linear_model import Ridge

    features = torch.randn(30, 5, generator=generator(0)).double()
    codes = torch.randn(30, 4, generator=generator(1)).double()
    theirs = Ridge(alpha=7.0, fit_intercept=False).fit(features.numpy(), codes.numpy()).coef_
    torch.testing.assert_close(_ridge(features, codes, 7.0), torch.from_numpy(theirs.T))


def test_the_hyperplane_separates_what_can_be_separated():
    positive = torch.randn(50, 3, generator=generator(0)) * 0.1 + torch.tensor([20.0, 0, 1])
    negative = torch.randn(90, 3, generator=generator(1)) * 0.1 + torch.tensor([-20.0, 0, 1])
    plane = _hyperplane(positive, negative)
    assert (positive @ plane > 0).all() and (negative @ plane < 0).all()


def test_it_finds_a_red_square_and_not_a_blue_one():
    images, targets = [], []
    for i in range(10):
        image = torch.full((3, 32, 32), 0.5)
        x, y = 2 + i, 14 - i
        image[:, y : y + 10, x : x + 10] = torch.tensor([1.0, 0, 0])[:, None, None]
        image[:, 20:30, 20 : 30 - i % 3] = torch.tensor([0, 0, 1.0])[:, None, None]
        images.append(image)
        box = torch.tensor([[x, y, x + 10, y + 10]]).float()
        targets.append({"boxes": box, "labels": torch.tensor([0])})
    torch.manual_seed(0)
    detector = RCNN(1, channels=(8, 16), crop=16, features=16, context=1)
    proposals = [torch.cat([grid(i), t["boxes"] + 1]) for i, t in enumerate(targets)]
    train_detector(
        detector, images, targets, proposals=proposals, steps=60, batch_size=4, progress=False
    )
    detector.fit(images, targets, proposals=proposals)
    found = detector(images, proposals=[grid(50 + i) for i in range(10)])
    assert mean_average_precision(found, targets, iou_thresholds=(0.3,)) > 0.5
    # With the true box among the regions, it is the first.
    found = detector(images, proposals=[t["boxes"] for t in targets])
    overlaps = [
        float(box_iou(f["boxes"][:1], t["boxes"])) for f, t in zip(found, targets, strict=True)
    ]
    assert min(overlaps) > 0.7


def test_fit_sees_features_as_long_as_detection_does():
    torch.manual_seed(0)
    detector, image = RCNN(1, channels=(8, 16), crop=16), torch.rand(1, 3, 32, 32)
    detector.fit(image, [TARGET], proposals=[grid(0)])
    boxes = torch.cat([grid(0), OBJECT])
    with torch.no_grad():
        features = detector.look(image, [boxes]) * detector.scale
    assert features.norm(dim=1).mean().item() == pytest.approx(20, rel=1e-4)
    features = torch.nn.functional.pad(features, (0, 1), value=1.0)
    is_negative = box_iou(boxes, OBJECT)[:, 0] < 0.3
    expected = _hyperplane(features[-1:], features[is_negative])
    torch.testing.assert_close(detector.planes[0], expected, rtol=1e-3, atol=1e-5)
    found = detector(image, proposals=[OBJECT])[0]
    torch.testing.assert_close(found["scores"], features[-1:] @ detector.planes[0])


def test_no_region_is_no_detection():
    detector = RCNN(2, channels=(8, 16), crop=16)
    found = detector(torch.rand(1, 3, 32, 32), proposals=[torch.zeros(0, 4)])
    assert len(found[0]["boxes"]) == 0


def test_its_own_proposals_come_from_the_picture():
    detector = RCNN(2, channels=(8, 16), crop=16)
    scene = shape_scenes(1, generator=generator(0), size=(48, 48))[0]
    assert len(detector.propose([scene.image])[0]) > 5


def test_a_class_without_an_object_cannot_be_fitted():
    detector = RCNN(2, channels=(8, 16), crop=16)
    with pytest.raises(ValueError, match="class 1 has no object"):
        detector.fit(torch.rand(1, 3, 32, 32), [TARGET], proposals=[grid(0)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 0}, "num_classes is 0"),
        ({"crop": 30}, "crop is 30; expected a multiple of 8"),
        ({"features": 0}, "features is 0"),
    ],
)
def test_bad_options_are_refused(at_the_door, change, message):
    with pytest.raises(ValueError, match=message):
        RCNN(**({"num_classes": 3} | change))
