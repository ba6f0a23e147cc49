"""The claims of lecture 10 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now, and the cell that must object.
BROKEN = {
    "10.1": ("order-claim", "/ (N * (N - 1))", "/ (N * N)"),
    "10.2": ("set-function-claim", "h(x[orders]).amax(dim=1)", "h(x[orders])[:, 0]"),
    "10.3": ("what-is-kept-claims", "(-1) ** (i - 1) * ", ""),
    "10.4": ("what-is-kept-claims", "math.sqrt(3) / (2 * S)", "math.sqrt(3) / (8 * S)"),
    "10.5": ("what-is-kept-claims", "z.max(), by", "z.mean(), by"),
    "10.6": ("counting-claims", "1 / (n + 1)", "2 / (n + 1)"),
    "10.7": ("counting-claims", "math.exp(-s)", "math.exp(-2 * s)"),
    "10.8": ("k-minimum-claims", "return (k - 1) / smallest", "return k / smallest"),
    "10.9": ("k-minimum-claims", "n * (n - k + 1) / (k - 2)", "n * (n - k + 1) / k"),
    "10.10": ("transform-claims", "torch.eye(3) + torch.stack(", "torch.stack("),
    "10.11": ("transform-claims", "(1 - sigma**2).square()", "(1 - sigma).square()"),
    "10.12": ("segmentation-claim", "permuted, logits[:, order]", "permuted, logits"),
    "10.13": ("seen-claims", "chair[:, critical]), u", "chair[:, ~critical]), u"),
    "10.14": ("seen-claims", "grid[:, some]], dim=1)", "grid], dim=1)"),
    "10.15": ("neighborhood-claims", "near[near >= 0]] - c", "near[near >= 0]]"),
    "10.16": ("neighborhood-claims", "farthest_point_sample(cloud, k)[0]", "torch.arange(k)"),
    "10.17": ("propagation-claim", "values[0, 4, 0], by", "values[0, 5, 0], by"),
    "10.18": ("epipolar-claims", "cross_matrix(t) @ R", "R @ cross_matrix(t)"),
    "10.19": ("epipolar-claims", "eigenvectors[:, 0]", "eigenvectors[:, 1]"),
    "10.20": ("ransac-claims", "1 - (1 - share**8)", "1 - (1 - share**5)"),
    "10.21": ("ransac-claims", "F.mean(dim=1,", "F.mean(dim=2,"),
    "10.22": ("break-linear", "bend=nn.Identity", "bend=nn.ReLU"),
}

#: Cells whose names later cells need.
NEEDED = ("setup", "tiny-pointnet", "train-tiny", "reveal-damage")

#: No claim waits for a network that has learned something.
QUICK = (
    ("tiny-pointnet", "shape_clouds(240", "shape_clouds(24"),
    ("tiny-pointnet", "shape_clouds(120", "shape_clouds(12"),
    ("train-tiny", "steps=100", "steps=2"),
    ("segmentation-claim", "steps=150", "steps=2"),
    ("reveal-damage", "steps=100", "steps=2"),
    ("break-linear", "steps=100", "steps=2"),
)

BLANKS = {
    "exercise-variance": r"^my_h, my_gamma = None, None",
    "exercise-merge": r"^    raise NotImplementedError",
    "exercise-five": r"^my_factor = None",
}

RIGHT = [
    (
        "exercise-variance",
        "def my_h(x):\n"
        "    return torch.stack([torch.ones_like(x), x, x**2], dim=1)\n"
        "def my_gamma(total):\n"
        "    return total[2] / total[0] - (total[1] / total[0]) ** 2\n",
    ),
    (
        "exercise-variance",
        "my_h = lambda x: x[:, None] ** torch.arange(3)\n"
        "my_gamma = lambda s: (s[0] * s[2] - s[1] * s[1]) / s[0] ** 2\n",
    ),
    ("exercise-merge", "    return torch.cat([a, b]).unique()[:k]"),
    (
        "exercise-merge",
        "    both = sorted(set(a.tolist()) | set(b.tolist()))\n"
        "    return torch.tensor(both[:k], dtype=torch.float64)",
    ),
    ("exercise-five", "my_factor = 1 / 0.3**3"),
    ("exercise-five", "my_factor = math.log(1 - 0.3**5) / math.log(1 - 0.3**8)"),
]

WRONG = [
    (
        "exercise-variance",
        "my_h = lambda x: x[:, None] ** torch.arange(3)\n"
        "my_gamma = lambda s: (s[2] - s[1] ** 2 / s[0]) / (s[0] - 1)\n",
        "exercise A",
    ),
    (
        "exercise-variance",
        "my_h = lambda x: x[:, None] ** torch.arange(1, 3)\n"
        "my_gamma = lambda s: s[1] - s[0] ** 2\n",
        "exercise A",
    ),
    ("exercise-merge", "    return torch.cat([a, b]).sort().values[:k]", "exercise B"),
    (
        "exercise-merge",
        "    return torch.maximum(a, b)[:k] if len(a) == len(b) else b",
        "exercise B",
    ),
    ("exercise-five", "my_factor = 8 / 5", "exercise C"),
    ("exercise-five", "my_factor = 0.3**3", "exercise C"),
]


class TestNetworksOnSets(breaking.LectureTests):
    lecture = "10_networks_on_sets"
    broken = BROKEN
    needed = NEEDED
    quick = QUICK
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
