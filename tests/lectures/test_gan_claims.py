"""The claims of lecture 05 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, and what stands there now: the claim must object.
BROKEN = {
    "5.1": ("game-claims", "x.sqrt() * torch.exp(-x), x", "x * torch.exp(-x), x"),
    "5.2": ("game-claims", "paid = 2 *", "paid = 1 *"),
    "5.3": ("best-claims", "learned, p / (p + q)", "learned, q / (p + q)"),
    "5.4": ("best-claims", "2 * js_divergence(p, q)", "js_divergence(p, q)"),
    "5.5": ("best-claims", "-math.log(4) - best", "-math.log(2) - best"),
    "5.6": ("on-the-line-claim", "half = (p_x + q_x) / 2", "half = p_x + q_x"),
    "5.7": ("algorithm-claims", "torch.zeros_like(a), -a)", "torch.zeros_like(a), a)"),
    "5.8": ("algorithm-claims", "log_sigmoid(-D(points))", "log_sigmoid(D(points))"),
    "5.9": ("reveal-ratio", "torch.stack([-d, d - 1])", "torch.stack([-d, -d])"),
    "5.10": ("reveal-ratio", "saturating / other", "other / saturating"),
    "5.11": ("what-they-minimize-claims", "slope(2 * js)", "slope(js)"),
    "5.12": ("what-they-minimize-claims", "kl_divergence(q5, p5)", "kl_divergence(p5, q5)"),
    "5.13": ("coverage-claim", "3 * ring.std", "2 * ring.std"),
    "5.14": ("break-claims", "/ (2 * K - 1)) + math.log(2) / K", "/ (2 * K - 1)) + math.log(2)"),
    "5.15": ("break-claims", "costs.amin(dim=1)", "costs.amax(dim=1)"),
    "5.16": ("break-claims", ".amin(dim=1).max()", ".amax(dim=1).max()"),
    "5.17": ("break-claims", "2 * js_divergence(p3", "js_divergence(p3"),
}

#: The blank of each exercise.
BLANKS = {
    "exercise-slopes": r"^my_probability = None",
    "exercise-prior": r"^    raise NotImplementedError",
    "exercise-ratio": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-slopes", "my_probability = 0.5"),
    ("exercise-prior", "    return share * p / (share * p + (1 - share) * q)"),
    ("exercise-prior", "    odds = p * share / (q * (1 - share))\n    return odds / (1 + odds)"),
    ("exercise-ratio", "    return (x * logits.exp()).mean()"),
    ("exercise-ratio", "    return (x * logits.softmax(0)).sum()"),
]

WRONG = [
    ("exercise-slopes", "my_probability = 0.49", "exercise"),
    ("exercise-slopes", "my_probability = 0.9", "exercise"),
    ("exercise-prior", "    return p / (p + q)", "exercise"),
    ("exercise-prior", "    return (1 - share) * p / ((1 - share) * p + share * q)", "exercise"),
    ("exercise-ratio", "    return x.mean()", "exercise"),
    (
        "exercise-ratio",
        "    return (x * logits.sigmoid()).sum() / logits.sigmoid().sum()",
        "exercise",
    ),
]


class TestGan(breaking.LectureTests):
    lecture = "05_gan"
    broken = BROKEN
    needed = ("setup", "ring-data", "predict-ratio-answer")
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
