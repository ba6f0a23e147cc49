"""The claims of lecture 02 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "2.1": ("near-claims", "2 * pixels.var(", "pixels.var("),
    "2.2": ("autoencoder-claims", " - code.square().sum())", ")"),
    "2.3": ("autoencoder-claims", "[:-8].sum()", "[:-9].sum()"),
    "2.4": ("reveal-code", "A.inverse()", "A"),
    "2.5": ("siamese-claims", "(d**2 if alike else", "(d if alike else"),
    "2.6": ("siamese-claims", "-(4.0 - d) * (a - b) / d", "-(a - b) / d"),
    "2.7": ("siamese-claims", "(1 - share) * 2.0, by", "share * 2.0, by"),
    "2.8": ("siamese-claims", "(1 - same.double().mean())", "same.double().mean()"),
    "2.9": ("triplet-claims", "for t in zip(a, p, n,", "for t in zip(a, n, p,"),
    "2.10": ("triplet-claims", "sum(by_hand) / 500 / 1.0", "sum(by_hand) / 500 / 10"),
    "2.11": ("triplet-claims", "unit(a - p) - unit(a - n)", "unit(a - p) + unit(a - n)"),
    "2.12": ("flat-claims", "(costs > 0).double().mean() * active", "active"),
    "2.13": ("flat-claims", "gap[a == k].max()", "gap[a == k].mean()"),
    "2.14": ("break-collapse", "* (hardest_loss(noise) - 1.0)", "* hardest_loss(noise)"),
}

#: Where the training of a cell begins, on which no claim depends.
TRAININGS = {"reveal-code": "torch.manual_seed", "break-collapse": "torch.manual_seed"}

#: The blank of each exercise.
BLANKS = {
    "exercise-opinions": r"^my_rest = None",
    "exercise-tear": r"^my_A = None",
    "exercise-hardest": r"^    raise NotImplementedError",
}

#: The cell, and an answer that is right.
RIGHT = [
    ("exercise-opinions", "my_rest = 1.2"),
    ("exercise-tear", "my_A = torch.diag(torch.tensor([1.0] * 7 + [1e5]))"),
    (
        "exercise-hardest",
        "    d = torch.cdist(e, e)\n"
        "    alike = labels[:, None] == labels\n"
        "    farthest = d.masked_fill(~alike, -torch.inf).amax(dim=1)\n"
        "    nearest = d.masked_fill(alike, torch.inf).amin(dim=1)\n"
        "    return (farthest - nearest + margin).clamp(min=0)",
    ),
    (
        "exercise-hardest",
        "    i, j, k = embedding.mine_triplets(e, labels)\n"
        "    return triplet_costs(e[i], e[j], e[k], margin)",
    ),
]

#: The cell, a wrong answer, and what objects to it.
WRONG = [
    ("exercise-opinions", "my_rest = 2.8", "exercise A"),
    ("exercise-tear", "my_A = torch.eye(8)", "exercise B, recall"),
    ("exercise-tear", "my_A = torch.diag(torch.tensor([1.0] * 7 + [1e-18]))", "exercise B"),
    (
        "exercise-hardest",
        "    d = torch.cdist(e, e)\n"
        "    nearest = d.amin(dim=1)\n"
        "    return (d.amax(dim=1) - nearest + margin).clamp(min=0)",
        "exercise C",
    ),
]


class TestEmbeddings(breaking.LectureTests):
    lecture = "02_embeddings"
    broken = BROKEN
    cut = TRAININGS
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
