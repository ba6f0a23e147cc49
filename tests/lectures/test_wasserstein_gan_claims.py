"""The claims of lecture 06 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, and what stands there now: the claim must object.
BROKEN = {
    "6.1": ("transport-claims", "(2 * n,), 1 / n)", "(2 * n,), 2 / n)"),
    "6.2": ("transport-claims", "line_x, line_y = x[:, :1], y[:, :1]", "line_x, line_y = x, y"),
    "6.3": ("transport-claims", "offers = (heights +", "offers = 9 * (heights +"),
    "6.4": ("transport-claims", "program_prices(ways(x, y))", "program_prices(2 * ways(x, y))"),
    "6.5": ("critic-claim", "places.abs()], dim", "places], dim"),
    "6.6": ("slope-claims", "down, -climb / 7", "down, climb / 7"),
    "6.7": ("slope-claims", "(x - y[partner]).norm(dim=1)", "(x - y).norm(dim=1)"),
    "6.8": ("slope-claims", "* y[partner]), torch.ones", "* y), torch.ones"),
    "6.9": ("keeping-claims", "spectral = math.prod(", "spectral = 0.01 * math.prod("),
    "6.10": ("keeping-claims", "slope.flatten(start_dim=1).norm(dim=1)", "slope.norm(dim=1)"),
    "6.11": ("keeping-claims", "1 + d / 20", "1 + d / 10"),
    "6.12": ("translation-claim", "v.norm(), tol", "v.abs().sum(), tol"),
    "6.13": ("break-claims", "(slope.norm(dim=0) - 1)", "(slope.norm(dim=1) - 1)"),
    "6.14": ("break-claims", "1 - 2 * w.abs().mean() +", "1 - w.abs().mean() +"),
    "6.15": ("break-claims", "((10 * s - 1) ** 2)", "(10 * (s - 1) ** 2)"),
}

#: The blank of each exercise.
BLANKS = {
    "exercise-leash": r"^my_lambda = None",
    "exercise-one-sided": r"^    raise NotImplementedError",
    "exercise-spectral": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-leash", "my_lambda = 150"),
    ("exercise-leash", "my_lambda = 3 / (2 * 0.01)"),
    (
        "exercise-one-sided",
        "    a = alpha.view(-1, 1, 1, 1)\n"
        "    u = (a * x + (1 - a) * y).requires_grad_()\n"
        "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
        "    return (g.flatten(1).norm(dim=1) - 1).clamp(min=0).square().mean()",
    ),
    (
        "exercise-one-sided",
        "    a = alpha[:, None, None, None]\n"
        "    u = (y + a * (x - y)).requires_grad_()\n"
        "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
        "    return torch.relu(g.square().sum(dim=(1, 2, 3)).sqrt() - 1).pow(2).mean()",
    ),
    ("exercise-spectral", "    return [W / torch.linalg.matrix_norm(W, 2) for W in layers]"),
    (
        "exercise-spectral",
        "    return [W / (W.T @ W).trace() ** 0.5 if 1 in W.shape else W / "
        "torch.linalg.eigvalsh(W.T @ W).max().sqrt() for W in layers]",
    ),
]

WRONG = [
    ("exercise-leash", "my_lambda = 300", "exercise"),
    ("exercise-leash", "my_lambda = 10", "exercise"),
    ("exercise-one-sided", "    return slope_penalty(f, x, y, alpha)", "exercise"),
    (
        "exercise-one-sided",
        "    u = (x + y).div(2).requires_grad_()\n"
        "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
        "    return (g.norm(dim=1) - 1).clamp(min=0).square().mean()",
        "exercise",
    ),
    ("exercise-spectral", "    return [W / W.norm() for W in layers]", "exercise"),
    ("exercise-spectral", "    return [torch.linalg.qr(W).Q for W in layers]", "exercise"),
]


class TestWassersteinGan(breaking.LectureTests):
    lecture = "06_wasserstein_gan"
    broken = BROKEN
    needed = ("setup", "ring-and-blob")
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
