"""The claims of lecture 03 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import breaking

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "3.1": ("integral-claim", "(log_likelihood + log_prior[:, None])", "(log_likelihood)"),
    "3.2": (
        "monte-carlo-claims",
        "weights, toy.log_marginal(x)",
        "weights / 2, toy.log_marginal(x)",
    ),
    "3.3": ("monte-carlo-claims", "math.sqrt(2 + s**2)", "math.sqrt(1 + s**2)"),
    "3.4": ("identity-claims", "under_q(log_q - log_posterior)", "under_q(log_q)"),
    "3.5": ("identity-claims", "log_prior[:, None] - log_px", "log_prior[:, None]"),
    "3.6": ("identity-claims", "log_px + to_prior - under_q", "log_px - to_prior - under_q"),
    "3.7": ("identity-claims", "log_px - to_posterior, under_q", "log_px + to_posterior, under_q"),
    "3.8": ("toy-elbo-picture", 'claim("3.8", bounds, ', 'claim("3.8", -bounds, '),
    "3.9": (
        "two-terms-claims",
        "(math.log(2 * math.pi) + 1 + logvar)",
        "(math.log(2 * math.pi) + logvar)",
    ),
    "3.10": ("two-terms-claims", "+ mu**2 + logvar.exp())", "+ mu**2 + (logvar / 2).exp())"),
    "3.11": ("two-terms-code", "logvar.exp() - 1 - logvar)", "(logvar / 2).exp() - 1 - logvar)"),
    "3.12": ("two-terms-claims", "logits.exp().log1p()", "logits.exp()"),
    "3.13": (
        "gradient-claims",
        "z = mu_1 + (logvar_1 / 2).exp() * eps",
        "z = mu_1 + logvar_1.exp() * eps",
    ),
    "3.14": ("gradient-claims", "by_path = 2 * z ", "by_path = z "),
    "3.15": ("gradient-claims", "(z - mu_1) / logvar_1.exp()", "(z - mu_1)"),
    "3.16": ("gradient-claims", "14 * m**2", "4 * m**2"),
    "3.17": ("reveal-variance", "(D + 2.0) * (D + 4.0)", "D * D + 2.0"),
    "3.18": ("blur-claim", "(1 - candidates).log()", "(1 - candidates)"),
    "3.19": ("tighter-claims", "- bad.log_prob(z[:, None])[:, 0]", ""),
    "3.20": ("tighter-claims", "L[k] - L[2 * k] for", "L[2 * k] - L[k] for"),
    "3.21": ("break-collapse-claim", "betas * kl)", "kl)"),
}

#: Cells whose names later claims need.
NEEDED = (
    "setup",
    "two-terms-code",
    "predict-monte-carlo-side",
    "predict-variance-growth",
    "digits-networks",
)

BLANKS = {
    "exercise-price": r"^my_price = None",
    "exercise-baseline": r"^    raise NotImplementedError",
    "exercise-tilt": r"^my_W = None",
}

RIGHT = [
    ("exercise-price", "my_price = 0.5 * (0.01 - 1) - math.log(0.1)"),
    ("exercise-price", "my_price = 1.8076"),
    (
        "exercise-baseline",
        "    value = f(z)\n"
        "    others = (value.sum() - value) / (len(z) - 1)\n"
        "    return (value - others)[:, None] * (z - mu)",
    ),
    ("exercise-baseline", "    return (f(z) - f(z).mean())[:, None] * (z - mu)"),
    ("exercise-tilt", "my_W = torch.full((3, 2), 5.0)"),
    ("exercise-tilt", "my_W = [[3.0, 3.0], [2.0, 2.1], [4.0, 4.0]]"),
]

WRONG = [
    ("exercise-price", "my_price = 0.5 * (0.1 - 1 - math.log(0.1))", "exercise A"),
    ("exercise-price", "my_price = math.log(10)", "exercise A"),
    ("exercise-baseline", "    return f(z)[:, None] * (z - mu)", "exercise B, calmer"),
    (
        "exercise-baseline",
        "    return (f(z) - f(z))[:, None] * (z - mu) + (z - mu)",
        "exercise B, unbiased",
    ),
    ("exercise-tilt", "my_W = torch.eye(3, 2) * 5", "exercise C"),
    ("exercise-tilt", "my_W = torch.full((3, 2), 0.1)", "exercise C"),
]


class TestVae(breaking.LectureTests):
    lecture = "03_vae"
    broken = BROKEN
    needed = NEEDED
    blanks = BLANKS
    right = RIGHT
    wrong = WRONG
