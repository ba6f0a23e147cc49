"""Kullback-Leibler and Jensen-Shannon divergence of categorical distributions."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from mdcv.divergence.entropies import log_where
from mdcv.divergence.probabilities import check_distributions
from mdcv.kernels.arithmetic import widened


def kl_divergence(
    p: Float[Tensor, "*batch k"], q: Float[Tensor, "*batch k"]
) -> Float[Tensor, "*batch"]:
    """Kullback-Leibler divergence of q from p, one value per row, in nats.

    KL(p‖q) = Σ p log(p / q) = H(p, q) − H(p),  with 0 log 0 = 0

    How much more surprised you are, on average, when p rolls the dice and you believe in q. The
    first argument is the one averaged over: KL(p‖q) and KL(q‖p) differ.

    Args:
        p, q: probabilities of the same outcomes along the last axis.

    Returns:
        0 when both are equal, and more when not (up to rounding); infinite where q rules out
        something that p produces. Where p = 0 the gradient holds 0; the slope with respect to p is
        infinite there.

    Raises:
        ValueError: a row does not sum to 1 within 1e-4, or holds a negative number or NaN; shapes,
            dtypes or devices differ.

    Source: Kullback and Leibler 1951, "On information and sufficiency", equation 2.4.

    >>> fair, loaded = torch.full((6,), 1 / 6), torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5])
    >>> kl_divergence(fair, loaded), kl_divergence(fair, fair)
    (tensor(0.2426), tensor(0.))
    """
    check_distributions(p, q)
    return _kl(widened(p), widened(q)).to(p.dtype)


def js_divergence(
    p: Float[Tensor, "*batch k"], q: Float[Tensor, "*batch k"]
) -> Float[Tensor, "*batch"]:
    """Jensen-Shannon divergence, one value per row, in nats.

    JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = (p + q) / 2

    Args:
        p, q: probabilities of the same outcomes along the last axis.

    Returns:
        Between 0, when both are equal, and log 2, when no outcome is possible under both. It is
        symmetric, and its root is a metric.

    Raises:
        ValueError: a row does not sum to 1 within 1e-4, or holds a negative number or NaN; shapes,
            dtypes or devices differ.

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", equation 3.4 with equal
    weights.

    >>> js_divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    check_distributions(p, q)
    wide_p, wide_q = widened(p), widened(q)
    mixture = (wide_p + wide_q) / 2
    mean = (_kl(wide_p, mixture) + _kl(wide_q, mixture)) / 2
    return mean.clamp(min=0).to(p.dtype)  # rounding may leave -1e-17 where both are equal


def _kl(p: Tensor, q: Tensor) -> Tensor:
    possible = p > 0
    return (p * (log_where(p, possible) - log_where(q, possible))).sum(dim=-1)
