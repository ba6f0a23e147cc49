"""The claims of lecture 07 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "7.1": ("frechet-claims", "(one - two).square()", "(one - two.flip(0)).square()"),
    "7.2": ("frechet-claims", "@ root(root(cov_1) @ cov_2 @ root(cov_1)) @", "@ root(cov_2) @"),
    "7.3": (
        "frechet-claims",
        "torch.linalg.eigvals(cov_1 @ cov_2).real",
        "(cov_1 * cov_2).diagonal()",
    ),
    "7.4": ("two-terms-claims", "from_center = mu - ", "from_center = mu + "),
    "7.5": ("two-terms-claims", "mu_r.expand(500, -1)", "real[:500].double()"),
    "7.6": ("bias-claims", "(1 / 20 + 1 / 30)", "(1 / 50)"),
    "7.7": ("bias-claims", "(1 - c4(12) ** 2)", "(1 - c4(12))"),
    "7.8": ("bias-claims", "n * (2 / n + 2 * (1 - c4(n) ** 2))", "n * (2 / n + 1 - c4(n) ** 2)"),
    "7.9": ("kid-claims", "x / math.sqrt(x.shape[1])", "x"),
    "7.10": ("kid-claims", "(k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))", "k.mean()"),
    "7.11": ("kid-claims", ".diagonal().mean() - k_rr) / 4", ".diagonal().mean() - k_rr)"),
    "7.12": ("precision-claim", "sorted(others)[k - 1]", "sorted(others)[0]"),
    "7.13": (
        "memory-claim",
        "closer_than_new(first_half, second_half)",
        "closer_than_new(real[:1000], fresh[:1000])",
    ),
    "7.14": ("latent-claims", "((1 - h) ** 2 + h**2)", "((1 - h) + h)"),
    "7.15": ("latent-claims", "torch.sin((1 - h) * angle) * u", "(1 - h) * torch.sin(angle) * u"),
    "7.16": ("arithmetic-claim", "return B @ z + m", "return (B @ z + m).sigmoid()"),
    "7.17": ("break-few-samples", "[min(20 - 1, 32)", "[min(20, 32)"),
}

#: Cells whose names later claims need.
NEEDED = ("setup", "reveal-worse", "reveal-fifty")

#: Fewer images and steps, where only the roles of the sets matter.
QUICK = [("setup", "steps=300", "steps=100"), ("reveal-fifty", "times=20", "times=2")]

#: The curve that an exercise reads, on fewer sizes than the lecture draws.
CURVE = """
sizes = [800, 1600, 3000]
same = torch.stack([fid(real[:n], fresh[:n]) for n in sizes]).double()
"""

BLANKS = {
    "exercise-paper": r"^my_fid = None",
    "exercise-infinity": r"^    raise NotImplementedError",
    "exercise-forger": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-paper", "my_fid = 12"),
    (
        "exercise-infinity",
        "    n = torch.as_tensor(sizes, dtype=torch.float64)\n"
        "    line = torch.stack([torch.ones_like(n), 1 / n], dim=1)\n"
        "    return torch.linalg.lstsq(line, values[:, None]).solution[0, 0]",
    ),
    (
        "exercise-infinity",
        "    t, v = 1 / sizes, values\n"
        "    slope = ((t - t.mean()) * (v - v.mean())).sum() / ((t - t.mean()) ** 2).sum()\n"
        "    return v.mean() - slope * t.mean()",
    ),
    (
        "exercise-forger",
        "    t = torch.randn(n, real.shape[1], generator=source).double()\n"
        "    return real.double().mean(0) + t @ root(real.double().T.cov())",
    ),
    (
        "exercise-forger",
        "    x = real.double()\n"
        "    w = torch.randn(n, len(x), generator=source).double() / (len(x) - 1) ** 0.5\n"
        "    return x.mean(0) + w @ (x - x.mean(0))",
    ),
]

WRONG = [
    ("exercise-paper", "my_fid = 9 + 3 * 3**2", "exercise A"),
    ("exercise-paper", "my_fid = 5 + 3", "exercise A"),
    ("exercise-infinity", "    return values[-1]", "exercise B, on a line"),
    (
        "exercise-infinity",
        "    t = 1 / sizes\n"
        "    return values[-1] - t[-1] * (values[0] - values[-1]) / (t[0] - t[-1])",
        "exercise B, least squares",
    ),
    (
        "exercise-forger",
        "    return real[torch.randint(3000, (n,), generator=source)]",
        "precision",
    ),
    (
        "exercise-forger",
        "    return torch.randn(n, real.shape[1], generator=source)",
        "exercise C, FID",
    ),
    (
        "exercise-forger",
        "    t = torch.randn(n, real.shape[1], generator=source)\n"
        "    return real.mean(0) + t * real.std(0)",
        "exercise C, FID",
    ),
]


class TestJudging(breaking.LectureTests):
    lecture = "07_judging_a_generator"
    broken = BROKEN
    needed = NEEDED
    quick = QUICK
    epilogue = CURVE
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
