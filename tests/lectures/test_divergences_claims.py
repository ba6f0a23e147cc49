"""The claims of lecture 01 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "1.1": ("surprise-claims", "-loaded[rolls].log(), mean", "-loaded[rolls].log2(), mean"),
    "1.2": ("surprise-claims", "loaded[:, None] * coin", "loaded[:, None] + 0 * coin"),
    "1.3": ("surprise-claims", "math.log(6), by", "math.log(5), by"),
    "1.4": ("reveal-direction", "-loaded[rolls].log(), mean", "-fair[rolls].log(), mean"),
    "1.5": ("reveal-direction", " - mean_surprise(fair, fair), by", ", by"),
    "1.6": ("gibbs-claims", "(dice * (others / dice).log())", "-(dice * (others / dice).log())"),
    "1.7": ("gibbs-claims", "kl_divergence(histogram, model)", "kl_divergence(model, histogram)"),
    "1.8": ("gaussian-claims", "(2 * 1.3**2) - 0.5", "(2 * 0.7**2) - 0.5"),
    "1.9": ("gaussian-claims", "log_ratio.sum(dim=1)", "log_ratio.mean(dim=1)"),
    "1.10": ("gaussian-claims", "- y.log() for g", "for g"),
    "1.11": ("reveal-mode", "kl_on_grid(truth, log_q)", "kl_on_grid(log_q, truth)"),
    "1.12": ("reveal-mode", "two_bells(d)) for d", "log_bell(x, d, 1.0)) for d"),
    "1.13": ("jensen-shannon-claims", "(fair + loaded) / 2", "(fair + 3 * loaded) / 4"),
    "1.14": ("jensen-shannon-claims", "torch.cat([-bounded,", "torch.cat([bounded,"),
    "1.15": ("jensen-shannon-claims", "js - math.log(2)", "js"),
    "1.16": ("transport-claims", ".mean(dim=1).min()", ".mean(dim=1).max()"),
    "1.17": ("transport-claims", "u.sort().values - v", "u - v"),
    "1.18": ("transport-claims", "left.abs().sum()", "left.sum()"),
    "1.19": ("duality-claims", "work, by=", "work / 2, by="),
    "1.20": ("duality-claims", "-solved.fun, f", "-solved.fun / 2, f"),
    "1.21": ("duality-claims", "f[:12, None] - f[12:]", "f[:12, None] + f[12:]"),
    "1.22": ("gaussian-transport-claim", "+ 0.6**2, by", "+ 2.0**2, by"),
    "1.23": ("continuity-claims", "torch.stack(works), thetas.abs()", "torch.stack(works), thetas"),
    "1.24": ("continuity-claims", "0.8**2 / 2 /", "0.8**2 /"),
    "1.25": ("continuity-claims", "torch.stack(flat), math.log(2)", "torch.stack(flat), 1.0"),
    "1.26": ("continuity-claims", "[between, (clouds[0]", "[between, 0.01 * (clouds[0]"),
    "1.27": ("break-claims", "p[q == 0].sum() *", "p[q > 0].sum() *"),
    "1.28": ("break-claims", "(5 - 1) / (2 * 800)", "5 / (2 * 800)"),
}

#: The blank of each exercise.
BLANKS = {
    "exercise-die": r"^my_six = None",
    "exercise-near": r"^my_p, my_q = None, None",
    "exercise-weights": r"^    raise NotImplementedError",
}

#: The cell, and an answer that is right.
RIGHT = [
    ("exercise-die", "my_six = 0.9555"),
    (
        "exercise-near",
        "my_p, my_q = [0.2, 0.0] * 5, [0.0, 0.2] * 5",
    ),
    (
        "exercise-weights",
        "    return ((p - q).cumsum(0).abs()[:-1] * at.diff()).sum()",
    ),
    (
        "exercise-weights",
        "    from scipy.stats import wasserstein_distance\n"
        "    return wasserstein_distance(at, at, p, q)",
    ),
]

#: The cell, a wrong answer, and what objects to it.
WRONG = [
    ("exercise-die", "my_six = 0.95", "exercise A"),
    ("exercise-near", "my_p, my_q = [0.1] * 10, [0.1] * 10", "exercise B, far"),
    ("exercise-near", "my_p, my_q = [0.2] * 5 + [0.0] * 5, [0.0] * 5 + [0.2] * 5", "near"),
    ("exercise-weights", "    return (p - q).abs().sum()", "exercise C"),
    ("exercise-weights", "    return (((p - q) * at).sum()).abs()", "exercise C"),
]


class TestDivergences(breaking.LectureTests):
    lecture = "01_divergences"
    broken = BROKEN
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
