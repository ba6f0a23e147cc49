"""How probable an image is when every pixel is a coin of its own."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from mdcv.errors import check_same_kind, check_tensor


def bernoulli_log_likelihood(
    logits: Float[Tensor, "b ..."], x: Float[Tensor, "b ..."]
) -> Float[Tensor, " b"]:
    """log p(x|z) of every sample, summed over its pixels, in nats.

    log p(x|z) = Σ x log π + (1 − x) log(1 − π),  π = 1 / (1 + e^−logit)

    Computed from the logits, never from π: at a logit of 10,000 the probability has long been
    rounded to 1, and the logarithm of the other side would be minus infinity.

    Args:
        logits: of the probability that a pixel is 1.
        x: pixels in [0, 1]. For values in between this is the expected log-likelihood of a pixel
            that is 1 with probability x, not the logarithm of a density.

    Raises:
        ValueError: shapes, dtypes or devices differ, or a pixel is outside [0, 1] or NaN.

    >>> bernoulli_log_likelihood(torch.tensor([[0.0, 1e4]]), torch.tensor([[1.0, 1.0]]))
    tensor([-0.6931])
    """
    check_tensor("logits", logits, ndim=max(logits.ndim, 1), layout="(B, ...)")
    check_same_kind("x", x, "logits", logits)
    if x.shape != logits.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected {tuple(logits.shape)} as logits has"
        )
    outside = ~((x >= 0) & (x <= 1))
    if bool(outside.any()):
        raise ValueError(f"x holds {float(x[outside][0]):g}; expected pixels in [0, 1]")
    log_p = x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)
    return log_p.flatten(1).sum(dim=1) if log_p.ndim > 1 else log_p
