"""The claims of lecture 09 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking
import pytest

#: The cell that is edited, what stood there, what stands there now, and the cell that must object.
BROKEN = {
    "9.1": ("direct-time-of-flight", "C * arrival / 2", "C * arrival"),
    "9.2": ("phase-claims", "a[1] - a[3], a[0] - a[2]", "a[0] - a[2], a[1] - a[3]"),
    "9.3": ("phase-claims", "phase(wall + C / (2 * f), f)", "phase(wall + C / (4 * f), f)"),
    "9.4": ("stereo-claims", "torch.tensor([baseline, 0, 0])", "torch.tensor([0, baseline, 0])"),
    "9.5": ("stereo-claims", "P[:, 2] ** 2 / (focal", "P[:, 2] / (focal"),
    "9.6": ("voxel-claim", "area = 4 * math.pi**2", "area = 2 * math.pi**2"),
    "9.7": ("surface-sampler", "multinomial(areas,", "multinomial(torch.ones_like(areas),"),
    "9.8": ("sampling-claims", "s**2, by", "s, by"),
    "9.9": ("surface-sampler", "s = u.sqrt()", "s = u"),
    "9.10": ("triangle-claims", "torch.ones(3, 3) + torch.eye(3)", "torch.ones(3, 3)"),
    "9.11": ("farthest-points-claim", "gap = torch.minimum(", "gap = torch.maximum("),
    "9.12": ("hausdorff-fast", "return torch.maximum(", "return torch.minimum("),
    "9.13": (
        "reveal-gradient",
        "hausdorff_distance(X, Y) + hausdorff",
        "0 * X[:, 0, 0] + hausdorff",
    ),
    "9.14": ("reveal-gradient", "normalize(here[i] - there[j]", "normalize(there[j] - here[i]"),
    "9.15": ("chamfer-claims", " + (d.amin(dim=0) ** p).sum()", ""),
    "9.16": ("chamfer-claims", " + 2 * (x[i] - y[m == i]).sum(dim=0)", ""),
    "9.17": ("chamfer-triangle-claim", "[0, 1], [0.9, 1]", "[0.5, 1], [0.9, 1]"),
    "9.18": ("earth-movers-claim", "d[rows, columns].sum()", "d.amin(dim=1).sum()"),
    "9.19": ("earth-movers-bound-claims", "(line_x.sort().values -", "(line_x -"),
    "9.20": ("earth-movers-bound-claims", "lean = 9 *", "lean = 18 *"),
    "9.21": ("earth-movers-bound-claims", "torch.maximum(*halves)", "sum(halves)"),
    "9.22": ("earth-movers-bound-claims", "emd(X, Z), emd(X, Y) + ", "emd(X, Z), "),
    "9.23": ("density-limit-claims", 'squared=False, reduction="mean"', "squared=False"),
    "9.24": ("density-limit-claims", "abs(2 * s - 1) / 4", "abs(2 * s - 1) / 2"),
    "9.25": ("break-expanded-square", "- 2 * x @ y.T", "- x @ y.T"),
    "9.26": ("break-expanded-square", "5 * 2**-24", "5 * 2**-32"),
}

#: Cells whose names later cells need; the rest only draws.
NEEDED = ("setup", "surface-sampler", "hausdorff-slow", "predict-gradient")

BLANKS = {
    "exercise-two-frequencies": r"^my_range = None",
    "exercise-triangle": r"^my_X, my_Y, my_Z = None, None, None",
    "exercise-cdf": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-two-frequencies", "my_range = 0.299792458 / (2 * 0.005)"),
    ("exercise-two-frequencies", "my_range = 30  # with the speed of light rounded"),
    (
        "exercise-triangle",
        "heap = torch.rand(12, 2, generator=generator(1)) / 100\n"
        "far = torch.tensor([1.0, 0.0])\n"
        "my_X, my_Y, my_Z = heap, torch.stack([heap[0], heap[0] + far]), heap + far",
    ),
    (
        "exercise-cdf",
        "    t = torch.cat([x, y]).sort().values\n"
        "    def below(s):\n"
        "        return torch.searchsorted(s.sort().values, t, right=True) / len(s)\n"
        "    return ((below(x) - below(y)).abs()[:-1] * t.diff()).sum()",
    ),
    (
        "exercise-cdf",
        "    from scipy.stats import wasserstein_distance\n    return wasserstein_distance(x, y)",
    ),
]

WRONG = [
    ("exercise-two-frequencies", "my_range = 0.299792458 / (2 * 0.025)", "exercise"),
    ("exercise-two-frequencies", "my_range = 2 * 0.299792458 / (2 * 0.005)", "exercise"),
    (
        "exercise-triangle",
        "my_X, my_Y, my_Z = [[0, 0], [0.1, 0]], [[0, 0], [1, 0]], [[0.9, 0], [1, 0]]",
        "exercise",
    ),
    ("exercise-cdf", "    return (x.mean() - y.mean()).abs()", "exercise"),
    ("exercise-cdf", "    return (x.sort().values[:4] - y.sort().values).abs().mean()", "exercise"),
]


class TestPointSets(breaking.LectureTests):
    lecture = "09_point_sets"
    broken = BROKEN
    needed = NEEDED
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG

    def test_a_set_with_a_repeated_point_is_refused(self, rehearsal):
        heaps = "my_X, my_Y, my_Z = [[0, 0]] * 20, [[0, 0], [1, 0]], [[1, 0]] * 20"
        with pytest.raises(AssertionError, match="occurs twice"):
            self.answer(rehearsal, "exercise-triangle", heaps)
