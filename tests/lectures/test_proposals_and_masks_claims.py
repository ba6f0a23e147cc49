"""The claims of lecture 16 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "16.1": ("anchor-claims", "common = (a - s / 2) ** 2", "common = a * (a - s / 2)"),
    "16.2": ("anchor-claims", ".amax(1).min(), 1 / q)", ".amax(1).min(), 1 / q**0.5)"),
    "16.3": ("anchor-claims", "1 / (2 * r.sqrt() - 1)", "1 / (2 * r - 1)"),
    "16.4": ("rpn-loss-claims", "t[counts].to(z))", "t[counts].to(z) * 0 + 1)"),
    "16.5": ("rpn-loss-claims", "(9 * u).clamp(max=1)", "(u).clamp(max=1)"),
    "16.6": ("rpn-loss-claims", "(t >= 0) / n * (p - t)", "(p - t) / n"),
    "16.7": ("imbalance-claim", "(1 - pi) * (1 - pi).log(), by", "(1 - pi).log(), by"),
    "16.8": (
        "cost-claims",
        'losses["class"] + losses["box"]',
        'losses["class"] + losses["objectness"]',
    ),
    "16.9": ("cost-claims", "F_map + R * F_head for", "R * F_map + R * F_head for"),
    "16.10": (
        "mask-claims",
        "z[torch.arange(len(z)), c].sigmoid()",
        "z[torch.arange(len(z)), 0].sigmoid()",
    ),
    "16.11": ("mask-claims", "- F.one_hot(label, 4)", ""),
    "16.12": ("paste-claim", "torch.arange(7, 27) + 0.5", "torch.arange(7, 27)"),
    "16.13": ("pull-claim", ".mean() / 2)", ".mean())"),
    "16.14": ("frustum-claims", "[column + 0.5, row + 0.5, 1.0]", "[column, row, 1.0]"),
    "16.15": ("frustum-claims", "w * h / (3 * f**2)", "w * h / (2 * f**2)"),
    "16.16": ("amodal-claim", "(0.6 - 0.25) / 2", "(0.6 - 0.25)"),
}

#: Cells whose names later cells need.
NEEDED = ("setup", "match-scenes", "train-faster", "two-stages-by-hand")

#: No claim depends on how well the network has learned.
QUICK = [
    ("train-faster", "fit(faster, steps=700)", "fit(faster, steps=2)"),
    ("match-scenes", "draw_scenes(240), draw_scenes(60)", "draw_scenes(12), draw_scenes(2)"),
    ("match-scenes", "draw_scenes(60, tiny=1.0)", "draw_scenes(3, tiny=1.0)"),
]

BLANKS = {
    "exercise-scales": r"^my_scales = None",
    "exercise-smallest": r"^    raise NotImplementedError",
    "exercise-paste": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-scales", "my_scales = [16 / 0.7**0.5 / 0.7**k for k in range(6)]"),
    ("exercise-scales", "my_scales = torch.tensor([19.0, 27.0, 38.3, 54.4, 77.3, 109.8])"),
    (
        "exercise-smallest",
        "    k = math.sqrt(2 * least / (1 + least))\n    return stride / 2 / (1 - k)",
    ),
    (
        "exercise-smallest",
        "    for a in torch.arange(stride, 40 * stride, stride / 100000):\n"
        "        c = (a - stride / 2) ** 2\n"
        "        if c / (2 * a * a - c) >= least:\n"
        "            return a",
    ),
    (
        "exercise-paste",
        "    def weights(low, high, pixels, cells):\n"
        "        at = cells * (torch.arange(pixels) + 0.5 - low) / (high - low) - 0.5\n"
        "        return (1 - (at[:, None] - torch.arange(cells)).abs()).clamp(min=0)\n"
        "    x1, y1, x2, y2 = box.tolist()\n"
        "    rows = weights(y1, y2, size[0], mask.shape[0])\n"
        "    return rows @ mask @ weights(x1, x2, size[1], mask.shape[1]).T",
    ),
]

WRONG = [
    ("exercise-scales", "my_scales = [16, 32, 64, 128]", "exercise A, fits"),
    ("exercise-scales", "my_scales = list(range(16, 129, 4))", "exercise A, few"),
    ("exercise-smallest", "    return stride / 2 / (1 - math.sqrt(least))", "exercise B"),
    (
        "exercise-smallest",
        "    k = math.sqrt(2 * least / (1 + least))\n    return stride / (1 - k)",
        "exercise B",
    ),
    (
        "exercise-paste",
        "    def weights(low, high, pixels, cells):\n"
        "        at = cells * (torch.arange(pixels) - low) / (high - low) - 0.5\n"
        "        return (1 - (at[:, None] - torch.arange(cells)).abs()).clamp(min=0)\n"
        "    x1, y1, x2, y2 = box.tolist()\n"
        "    rows = weights(y1, y2, size[0], mask.shape[0])\n"
        "    return rows @ mask @ weights(x1, x2, size[1], mask.shape[1]).T",
        "exercise C",
    ),
]


class TestProposalsAndMasks(breaking.LectureTests):
    lecture = "16_proposals_and_masks"
    broken = BROKEN
    needed = NEEDED
    quick = QUICK
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
