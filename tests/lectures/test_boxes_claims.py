"""The claims of lecture 15 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, and what stands there now.
BROKEN = {
    "15.1": ("overlap-by-pixels", "area_a[:, None] + area_b - shared", "area_a[:, None] + area_b"),
    "15.2": ("overlap-triangle", "+ far[2][None]", "+ 0 * far[2][None]"),
    "15.3": ("shifted-window-claim", "wh.prod(dim=1) - rest)", "wh.prod(dim=1))"),
    "15.4": ("window-claims", "((H - h) // stride + 1)", "((H - h) // stride)"),
    "15.5": ("window-claims", "H * (H + 1) / 4", "H * (H + 1) / 2"),
    "15.6": ("box-codes", "[(c - c_a) / size_a, ", "[c - c_a, "),
    "15.7": ("box-codes", "size_a * code[:, 2:].exp()", "size_a * (1 + code[:, 2:])"),
    "15.8": ("box-codes", "alpha * anchor + o), ", "anchor + o), "),
    "15.9": ("ridge-regression", "Phi.T @ Phi + lam", "Phi.T @ Phi + 2 * lam"),
    "15.10": ("crop-cost", "40 * 32**2 / 64**2", "40 * 32 / 64"),
    "15.11": ("bilinear", "torch.arange(f.shape[0]) + 0.5", "torch.arange(f.shape[0])"),
    "15.12": ("roi-claims", "4, 1.0, 2, True)", "4, 1.0, 2, False)"),
    "15.13": ("roi-claims", "error, snap / 2 + 1 / 2)", "error, snap / 2)"),
    "15.14": ("roi-claims", "[1 / 2, 1 / 24]", "[1 / 2, 1 / 12]"),
    "15.15": ("region-loss", "(c >= 1) * box", "box"),
    "15.16": ("region-loss", "(true * (labels >= 1)[:, None])", "true"),
    "15.17": ("suppression", "overlap[k] <= threshold", "overlap[k] <= 2 * threshold"),
    "15.18": ("suppression", "suppressed(crowd[kept], scores", "suppressed(crowd[kept], -scores"),
    "15.19": ("precision-by-hand", "Fraction(a, n)", "Fraction(a, found[-1])"),
    "15.20": ("precision-by-hand", "for k in range(40)) / 40", "for k in range(40)) / 50"),
    "15.21": ("precision-by-hand", "for k in range(11)", "for k in range(1, 11)"),
    "15.22": ("map-claims", "overlap.values < threshold", "overlap.values < 0.5"),
    "15.23": ("map-claims", "torch.sigmoid(9 * g", "torch.sin(9 * g"),
}

#: Behind this the cell only measures recall.
CUT = {"proposal-recall": "sizes = "}

BLANKS = {
    "exercise-stride": r"^my_stride = None",
    "exercise-batched": r"^    raise NotImplementedError",
    "exercise-greedy": r"^my_boxes, my_scores = None, None",
}

RIGHT = [
    ("exercise-stride", "my_stride = 8.81"),
    ("exercise-stride", "my_stride = 2 * 24 * (1 - (2 / 3) ** 0.5)"),
    (
        "exercise-batched",
        "    step = b.max() - b.min() + 1\n"
        "    return boxes.nms(b + (labels * step)[:, None], scores, threshold)",
    ),
    (
        "exercise-batched",
        "    away = torch.stack([labels, 0 * labels], dim=1).repeat(1, 2)\n"
        "    return boxes.nms(b - 1000 * away, scores, threshold)",
    ),
    (
        "exercise-greedy",
        "three = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]\n"
        "my_boxes, my_scores = three, [0.5, 0.9, 0.6]",
    ),
]

WRONG = [
    ("exercise-stride", "my_stride = 16", "exercise A"),
    ("exercise-stride", "my_stride = 4.4", "exercise A"),
    ("exercise-stride", "my_stride = 12.0", "exercise A"),
    ("exercise-batched", "    return boxes.nms(b, scores, threshold)", "exercise B, how many"),
    (
        "exercise-batched",
        "    return boxes.nms(b + (labels * b.max() / 2)[:, None], scores, threshold)",
        "exercise B, how many",
    ),
    (
        "exercise-batched",
        "    return boxes.batched_nms(b, scores, labels, threshold).sort().values",
        "exercise B, which",
    ),
    (
        "exercise-greedy",
        "my_boxes, my_scores = [[0, 0, 9, 9]] * 3, [0.5, 0.9, 0.6]",
        "exercise C, two could",
    ),
    (
        "exercise-greedy",
        "my_boxes, my_scores = [[0, 0, 9, 9], [8, 0, 17, 9], [16, 0, 25, 9]], [0.5, 0.9, 0.6]",
        "exercise C, one stays",
    ),
]


class TestBoxes(breaking.LectureTests):
    lecture = "15_boxes"
    broken = BROKEN
    needed = ("setup", "proposal-recall")
    quick = (
        ("proposal-recall", "shape_scenes(240,", "shape_scenes(60,"),
        ("ridge-regression", "range(180), copies=12", "range(60), copies=4"),
    )
    cut = CUT
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
