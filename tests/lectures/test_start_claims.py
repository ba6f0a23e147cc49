"""The claims of lecture 00 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "0.1": ("loss-claims", "data.var(correction=0)", "data.var()"),
    "0.2": (
        "loss-claims",
        "(apart < 0).double() - (apart > 0)",
        "(apart > 0).double() - (apart < 0)",
    ),
    "0.3": ("loss-claims", "(data.max() - data.min()) / 2, rel", "data.max() - data.min(), rel"),
    "0.4": ("sum-claim", "h(five[list(order)]).sum(dim=0)", "5 * h(five[list(order)])[0]"),
    "0.5": ("shuffle-claim", "row_by_row, 2 * collapsed", "row_by_row, collapsed"),
    "0.6": ("slow-set-distance", "gap(a, Y) - gap(b, Y)", "gap(a, Y) + gap(b, Y)"),
    "0.7": ("slow-set-distance", "gap(y, X) ** 2", "gap(y, X)"),
    "0.8": ("noise-claim", "torch.minimum(offset, 1 - offset)", "offset"),
    "0.9": ("rounding-claims", "2.0**-24", "2.0**-25"),
    "0.10": ("rounding-claims", "torch.minimum(torch.maximum(x, y / 2), 2 * y)", "5.3 * x"),
    "0.11": ("expanded-claim", "norms - 2 * sum", "norms - sum"),
    "0.12": ("variance-claims", "(35 / 12) / 40", "35 / 12"),
    "0.13": ("variance-claims", "math.erfc(5 / math.sqrt(2))", "math.erfc(5)"),
}

#: The blank of each exercise.
BLANKS = {
    "exercise-crowd": r"^    raise NotImplementedError",
    "exercise-cosine": r"^    raise NotImplementedError",
    "exercise-draws": r"^my_draws = None",
}

#: The cell, and an answer that is right.
RIGHT = [
    ("exercise-crowd", "    return torch.where(r.abs() < 1, r**2 / 2, r.abs() - 0.5)"),
    ("exercise-cosine", "    return 0.5 * (torch.sin(t / 2) / (t / 2)) ** 2"),
    ("exercise-draws", "my_draws = 500_000"),
]

#: The cell, a wrong answer, and what objects to it.
WRONG = [
    ("exercise-crowd", "    return r**2 / 2", "exercise A, never steep"),
    ("exercise-crowd", "    return r.abs()", "exercise A, round at zero"),
    (
        "exercise-crowd",
        "    return torch.where(r.abs() < 1, r**2 / 2, r.abs() / 2)",
        "exercise A, straight far out",
    ),
    (
        "exercise-crowd",
        "    return torch.where(r < -1, 0.5, torch.where(r < 1, r**2 / 2, r - 0.5))",
        "exercise A, straight far out",
    ),
    ("exercise-cosine", "    return (1 - torch.cos(t)) / t**2", "exercise B"),
    ("exercise-draws", "my_draws = 5_000", "exercise C"),
]


class TestStart(breaking.LectureTests):
    lecture = "00_start"
    broken = BROKEN
    needed = ("setup", "two-heaps", "reveal-where", "survey")
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
