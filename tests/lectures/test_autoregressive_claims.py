"""The claims of lecture 04 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "4.1": (
        "chain-rule-claims",
        "upto / upto.sum(dim=-1, keepdim=True)",
        "upto / upto.sum(dim=0, keepdim=True)",
    ),
    "4.2": ("chain-rule-claims", "conditional_table(i)[..., 1].numel()", "i"),
    "4.3": ("first-network-claims", "for j in range(i)))", "for j in range(i + 1)))"),
    "4.4": (
        "first-network-claims",
        'claim("4.4", in_one_pass(all_images, below)',
        'claim("4.4", in_one_pass(all_images, W)',
    ),
    "4.5": ("bits-claims", "(joint * (joint.log() - model_log_p)).sum()", "0 * joint.sum()"),
    "4.6": ("bits-claims", "(3 * 4 * 5 * math.log(2))", "(3 * 4 * 5)"),
    "4.7": ("bits-claims", "while Fraction(k + 1, 2**n) > low + width:", "while n < 30:"),
    "4.8": ("masks-by-hand", "(u < 0 or v < 0)", "(u < 0 or v <= 0)"),
    "4.9": ("jacobian-claims", 'HandMasked(1, 1, "A")', 'HandMasked(1, 1, "B")'),
    "4.10": ("jacobian-claims", "table_of(layer, y) @ chained", "chained @ table_of(layer, y)"),
    "4.11": ("sum-claim", 'HandMasked(1, 6, "A")', 'HandMasked(1, 6, "B")'),
    "4.12": ("blind-spot-claim", "columns - 2 <= 6 - rows", "columns - 2 < 6 - rows"),
    "4.13": ("gated-claims", "above[:, 8:].sigmoid(), block", "above[:, 8:].relu(), block"),
    "4.14": ("gated-claims", "before = before + block.link.bias[:, None, None]\n", ""),
    "4.15": ("no-blind-spot-claim", "PixelCNN(channels=6, blocks=5)", "PlainPixelCNN(channels=6)"),
    "4.16": ("sampling-claims", "[8 * 8, 1]", "[8, 1]"),
    "4.17": ("sampling-claims", "torch.arange(8, -1, -1, dtype", "torch.arange(0, 9, dtype"),
    "4.18": ("row-lstm-claim", "[:, :, :2].sum(dim=(1, 2))", ".sum(dim=(1, 2))"),
    "4.19": ("bound-claim", "inside = given_z + prior.log_prob(z) - ", "inside = given_z - "),
    "4.20": ("break-leak-claim", "(-strengths).exp())) ** 9", "(-strengths).exp())) ** 8"),
}

#: Cells whose names later claims need.
NEEDED = ("setup", "reveal-mask-a", "masks-by-hand", "train-networks")

#: Training is left out where only the shapes of the networks matter.
QUICK = [
    ("train-networks", "steps=300", "steps=20"),
    ("row-lstm-claim", "fit_pixels(recurrent)\n", ""),
]

BLANKS = {
    "exercise-ignorance": r"^my_bits = None",
    "exercise-backward": r"^    raise NotImplementedError",
    "exercise-hole": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-ignorance", "my_bits = math.log2(17)"),
    ("exercise-ignorance", "my_bits = 4.0875"),
    ("exercise-backward", '    return mask_by_hand(size, "A").flip(0, 1)'),
    (
        "exercise-backward",
        "    n = size * size\n    return (torch.arange(n) > n // 2).view(size, size)",
    ),
    (
        "exercise-hole",
        "    black, white = images.clone(), images.clone()\n"
        "    black[:, :, 1, 1], white[:, :, 1, 1] = 0, 1\n"
        "    return torch.sigmoid(model.log_prob(white) - model.log_prob(black))",
    ),
    (
        "exercise-hole",
        "    p = []\n"
        "    for ink in (0.0, 1.0):\n"
        "        filled = images.flatten(1).clone()\n"
        "        filled[:, 4] = ink\n"
        "        p.append(model.log_prob(filled.view_as(images)).exp())\n"
        "    return p[1] / sum(p)",
    ),
]

WRONG = [
    ("exercise-ignorance", "my_bits = math.log(17)", "exercise A"),
    ("exercise-ignorance", "my_bits = 64 * math.log2(17)", "exercise A"),
    ("exercise-backward", '    return mask_by_hand(size, "A").T', "exercise B, sees"),
    ("exercise-backward", '    return 1 - mask_by_hand(size, "A")', "exercise B, sees"),
    ("exercise-hole", "    return model(images)[:, 1, 0, 1, 1].sigmoid()", "exercise C"),
    ("exercise-hole", "    return model(images).softmax(dim=1)[:, 1, 0, 1, 1]", "exercise C"),
]


class TestAutoregressive(breaking.LectureTests):
    lecture = "04_autoregressive"
    broken = BROKEN
    needed = NEEDED
    quick = QUICK
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
