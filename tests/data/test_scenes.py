"""Shape scenes: the truth belongs to the picture, the hard cases come when asked for."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.ndimage import find_objects

from mdcv.data import SCENE_CLASSES, mask_boxes, shape_scenes
from mdcv.data.scenes import GROUND_DEPTH, OUTLINES, SHAPE_DEPTHS
from mdcv.seeds import generator

PLAIN = {"overlap": 0, "truncated": 0, "tiny": 0}


def scenes(count=20, seed=0, **options):
    return shape_scenes(count, generator=generator(seed), **options)


def test_shapes_and_dtypes_are_as_told():
    for scene in scenes(20, size=(70, 101)):
        n = len(scene.labels)
        assert scene.image.shape == (3, 70, 101) and scene.image.dtype == torch.float32
        assert 0 <= float(scene.image.min()) <= float(scene.image.max()) <= 1
        assert scene.boxes.shape == (n, 4) and scene.boxes.dtype == torch.float32
        assert scene.masks.shape == (n, 70, 101) and scene.masks.dtype == torch.bool
        assert scene.depth.shape == (70, 101) and scene.depth.dtype == torch.float32
        assert scene.labels.dtype == torch.int64


def test_boxes_are_those_that_scipy_finds_around_the_masks():
    for scene in scenes():
        for mask, box in zip(scene.masks, scene.boxes, strict=True):
            ((rows, columns),) = find_objects(mask.numpy().astype(int))
            assert box.tolist() == [columns.start, rows.start, columns.stop, rows.stop]


def test_no_pixel_belongs_to_two_shapes_and_none_of_them_is_empty():
    for scene in scenes(objects=(4, 4), overlap=0.7):
        assert int(scene.masks.sum(dim=0).max()) == 1
        assert bool(scene.masks.flatten(1).any(dim=1).all())


def test_depth_is_one_number_for_each_shape_and_the_ground_elsewhere():
    for scene in scenes():
        seen = scene.masks.any(dim=0)
        assert bool((scene.depth[~seen] == GROUND_DEPTH).all())
        for mask in scene.masks:
            (level,) = scene.depth[mask].unique()
            assert SHAPE_DEPTHS[0] <= float(level) <= SHAPE_DEPTHS[1]


def test_a_shape_is_painted_in_one_color_and_the_nearer_one_is_on_top():
    overlapping = 0
    for scene in scenes(20, objects=(3, 3), overlap=0.6, tiny=0, noise=0):
        for box, mask in zip(scene.boxes.int().tolist(), scene.masks, strict=True):
            # Next to the rim colors are mixed, and at the sharp tip of a nearer shape.
            inner = -torch.nn.functional.max_pool2d(-mask[None].float(), 5, 1, 2)[0] > 0
            colors = scene.image[:, inner]
            differs = (colors - colors.median(dim=1, keepdim=True).values).abs().amax(dim=0) > 1e-5
            assert inner.sum() < 30 or float(differs.float().mean()) < 0.03
            x1, y1, x2, y2 = box
            overlapping += int(scene.masks[:, y1:y2, x1:x2].flatten(1).any(dim=1).sum()) > 1
    assert overlapping > 10


def test_every_number_of_objects_and_every_class_comes_equally_often():
    drawn = scenes(240, objects=(0, 3), size=(32, 32))
    counts = torch.tensor([len(scene.labels) for scene in drawn]).bincount(minlength=4).double()
    assert float(((counts - 60) ** 2 / 60).sum()) < 22
    labels = torch.cat([scene.labels for scene in drawn]).bincount(minlength=4).double()
    expected = float(labels.mean())
    assert len(labels) == len(SCENE_CLASSES)
    assert float(((labels - expected) ** 2 / expected).sum()) < 22


def test_an_empty_scene_has_empty_truth_of_the_right_shape():
    (scene,) = scenes(1, objects=(0, 0))
    assert scene.boxes.shape == (0, 4) and scene.labels.shape == (0,)
    assert scene.masks.shape == (0, 96, 96) and scene.masks.dtype == torch.bool
    assert bool((scene.depth == GROUND_DEPTH).all())


def test_without_overlap_no_shape_hides_another():
    areas = {"disk": math.pi, "square": 2.0, "triangle": 3 * math.sqrt(3) / 4}
    areas["cross"] = 4 * 0.95 * 0.6 - 0.36
    for scene in scenes(60, **PLAIN, diameter=(0.4, 0.4), objects=(2, 2)):
        for label, mask in zip(scene.labels.tolist(), scene.masks, strict=True):
            expected = areas[SCENE_CLASSES[label]] * (0.2 * 96) ** 2
            assert float(mask.sum()) == pytest.approx(expected, rel=0.04)


def test_no_shape_is_hidden_by_more_than_the_overlap():
    # All shapes are disks of one size here: what is missing of one is hidden.
    whole = math.pi * (0.2 * 96) ** 2
    shares = []
    for scene in scenes(80, diameter=(0.4, 0.4), objects=(3, 3), overlap=0.4, truncated=0, tiny=0):
        disks = scene.masks[scene.labels == SCENE_CLASSES.index("disk")]
        shares += (disks.sum(dim=(1, 2)) / whole).tolist()
    assert min(shares) >= 0.6 * 0.97
    assert sum(share < 0.95 for share in shares) > 10


def test_truncated_shapes_touch_the_border_and_others_lie_inside():
    def touching(**options):
        return [
            bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())
            for scene in scenes(60, objects=(1, 1), tiny=0, **options)
            for mask in scene.masks
        ]

    assert all(touching(truncated=1))
    assert sum(touching(truncated=0)) <= 3  # a corner may just reach the border
    assert 10 < sum(touching(truncated=0.5)) < 50


def test_tiny_shapes_are_tiny():
    def sides(tiny):
        drawn = scenes(60, objects=(2, 2), truncated=0, tiny=tiny, overlap=0)
        boxes = torch.cat([scene.boxes for scene in drawn])
        return (boxes[:, 2:] - boxes[:, :2]).amax(dim=1)

    assert float(sides(1).max()) <= 0.11 * 96 + 2
    assert float(sides(0).min()) > 0.15 * 96
    assert 0.3 < float((sides(0.5) < 0.12 * 96).float().mean()) < 0.7


def test_places_say_nothing_about_the_class():
    drawn = scenes(300, **PLAIN, objects=(1, 1), size=(48, 48))
    centers = torch.cat([s.boxes for s in drawn]).view(-1, 2, 2).mean(dim=1)
    labels = torch.cat([s.labels for s in drawn])
    for label in range(4):
        mean = centers[labels == label].mean(dim=0)
        error = centers.std(dim=0) / math.sqrt(int((labels == label).sum()))
        assert float(((mean - 24).abs() / error).max()) < 5


def test_outlines_reach_the_circle_around_them_and_no_further():
    axis = torch.linspace(-1.2, 1.2, 481)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    for name, outline in OUTLINES.items():
        inside = outline(x, y) <= 0
        reach = float(torch.hypot(x, y)[inside].max())
        assert 0.97 < reach <= 1 + 1e-6, name


def test_noise_has_the_given_spread():
    quiet, loud = (scenes(1, noise=noise, objects=(0, 0))[0].image for noise in (0, 0.05))
    inner = (quiet > 0.2) & (quiet < 0.8)
    assert float((loud - quiet)[inner].std()) == pytest.approx(0.05, rel=0.05)


def test_a_seed_gives_the_same_scenes_again_and_another_seed_others():
    first, again, other = (scenes(3, seed=s) for s in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        assert all(x.equal(y) for x, y in zip(a, b, strict=True))
    assert not first[0].image.equal(other[0].image)


def test_scenes_lie_on_the_device_of_the_generator(device):
    (scene,) = shape_scenes(1, objects=(2, 2), generator=generator(0, device))
    assert all(part.device.type == device for part in scene)


def test_boxes_of_masks_know_a_single_pixel_and_refuse_none():
    masks = torch.zeros(2, 3, 5, dtype=torch.bool)
    masks[0, 2, 4] = masks[1, 0, 0] = True
    assert mask_boxes(masks).tolist() == [[4, 2, 5, 3], [0, 0, 1, 1]]
    assert mask_boxes(masks[:0]).shape == (0, 4)
    with pytest.raises(ValueError, match="mask 1 is empty"):
        mask_boxes(masks & torch.tensor([True, False])[:, None, None])


def test_more_shapes_than_fit_are_refused():
    with pytest.raises(ValueError, match="found no place in 400 attempts"):
        scenes(1, objects=(9, 9), diameter=(0.6, 0.6), overlap=0.0, truncated=0, tiny=0)


@pytest.mark.parametrize(
    "options",
    [
        {"size": (96,)},
        {"size": (16, 96)},
        {"objects": (3, 1)},
        {"objects": (-1, 1)},
        {"objects": 3},
        {"diameter": (0.5, 0.3)},
        {"diameter": (0.0, 0.3)},
        {"diameter": (0.3, float("nan"))},
        {"overlap": 1.0},
        {"overlap": -0.1},
        {"truncated": 1.5},
        {"tiny": float("nan")},
        {"noise": -1.0},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_name(options, at_the_door):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; expected"):
        scenes(1, **options)
