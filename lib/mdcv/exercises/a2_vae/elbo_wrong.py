"""Wrong ways to write the evidence lower bound, each with the sentence that names it."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn import functional
from torch.nn.functional import logsigmoid

from mdcv.exercises.a2_vae.guards import of_images
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

# The pieces, right


def _pixels(logits: Tensor, x: Tensor) -> Tensor:
    return (x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)).flatten(1)


def _likelihood(logits: Tensor, x: Tensor) -> Tensor:
    return _pixels(logits, x).sum(dim=1)


def _latents(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar)


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return _latents(mu, logvar).sum(dim=1)


def _right(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _likelihood(logits, x) - _kl(mu, logvar)


# One piece wrong at a time


def _with_kl(name: str, kl: Callable[[Tensor, Tensor], Tensor], sentence: str) -> Mistake:
    """The right likelihood and another divergence."""

    def wrong(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        return _likelihood(logits, x) - kl(mu, logvar)

    return Mistake(name, of_images(wrong), sentence)


def _with_likelihood(
    name: str, likelihood: Callable[[Tensor, Tensor], Tensor], sentence: str
) -> Mistake:
    """The right divergence and another likelihood."""

    def wrong(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        return likelihood(logits, x) - _kl(mu, logvar)

    return Mistake(name, of_images(wrong), sentence)


def _with_both(name: str, function: Callable[..., Tensor], sentence: str = "") -> Mistake:
    return Mistake(name, of_images(function), sentence)


def _log_of_sigmoid(logits: Tensor, x: Tensor) -> Tensor:
    p = logits.sigmoid()
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(dim=1)


def _by_clamped_probability(logits: Tensor, x: Tensor) -> Tensor:
    p = logits.sigmoid().clamp(1e-7, 1 - 1e-7)
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(dim=1)


def _by_plain_cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    # PyTorch cuts the logarithm off at −100 in here.
    loss = functional.binary_cross_entropy(logits.sigmoid(), x, reduction="none")
    return -loss.flatten(1).sum(dim=1)


WRONG: tuple[Mistake, ...] = (
    # the likelihood
    _with_likelihood(
        "mean_over_the_pixels",
        lambda logits, x: _pixels(logits, x).mean(dim=1),
        "Your reconstruction is divided by the pixel count: relative to it the KL weighs too "
        "much, and the posterior collapses. Both terms are sums over dimensions.",
    ),
    _with_likelihood(
        "squared_error",
        lambda logits, x: -(logits.sigmoid() - x).square().flatten(1).sum(dim=1),
        "Looks like a squared error between probability and pixel: the decoder is Bernoulli.",
    ),
    _with_likelihood(
        "squared_error_of_logits",
        lambda logits, x: -(logits - x).square().flatten(1).sum(dim=1),
        "Looks like a squared error between logit and pixel: a logit is no pixel value.",
    ),
    _with_likelihood(
        "sigmoid_twice",
        lambda logits, x: _likelihood(logits.sigmoid(), x),
        "No pixel goes below 0.5: the sigmoid is applied twice, once by you and once inside of "
        "what takes logits.",
    ),
    _with_likelihood(
        "only_the_ink",
        lambda logits, x: (x * logsigmoid(logits)).flatten(1).sum(dim=1),
        "Only pixels with ink count in your likelihood: an empty pixel has a probability too, "
        "1 − π.",
    ),
    _with_likelihood(
        "only_the_paper",
        lambda logits, x: ((1 - x) * logsigmoid(-logits)).flatten(1).sum(dim=1),
        "Only empty pixels count in your likelihood: where ink is, its probability counts.",
    ),
    _with_likelihood(
        "rounded_pixels",
        lambda logits, x: _likelihood(logits, (x > 0.5).to(x)),
        "Gray pixels are rounded to black and white first: the contract takes x as it comes.",
    ),
    _with_likelihood(
        "pixels_inverted",
        lambda logits, x: _likelihood(-logits, x),
        "Your logits count for paper where they should count for ink: x and 1 − x are exchanged.",
    ),
    _with_likelihood(
        "probability_for_log",
        lambda logits, x: (
            (x * logits.sigmoid() + (1 - x) * (-logits).sigmoid()).flatten(1).sum(dim=1)
        ),
        "Probabilities are added where logarithms of probabilities should be.",
    ),
    _with_likelihood(
        "softmax_over_the_pixels",
        lambda logits, x: (x.flatten(1) * logits.flatten(1).log_softmax(dim=1)).sum(dim=1),
        "Looks like a softmax over the pixels: they are independent coins, not the sides of one "
        "die.",
    ),
    # the divergence
    _with_kl(
        "mean_over_the_latents",
        lambda mu, lv: _latents(mu, lv).mean(dim=1),
        "Your KL is divided by the number of latent numbers: independent coordinates add.",
    ),
    _with_kl(
        "kl_added",
        lambda mu, lv: -_kl(mu, lv),
        "The KL is added: moving the guess away from the prior would raise your bound without end.",
    ),
    _with_kl(
        "kl_missing",
        lambda mu, lv: 0 * _kl(mu, lv),
        "Your bound does not feel mu and logvar: the KL term is missing, and what is left trains "
        "an autoencoder.",
    ),
    _with_kl(
        "kl_doubled",
        lambda mu, lv: 2 * _kl(mu, lv),
        "Your KL is twice the right one; the ½ is missing.",
    ),
    _with_kl(
        "half_on_the_mean_only",
        lambda mu, lv: (0.5 * mu**2 + lv.exp() - 1 - lv).sum(dim=1),
        "The ½ covers only a part of your KL; it stands in front of all four terms.",
    ),
    _with_kl(
        "kl_reversed",
        lambda mu, lv: 0.5 * ((1 + mu**2) * (-lv).exp() - 1 + lv).sum(dim=1),
        "Your divergence is KL(prior ‖ posterior): the first argument is the one averaged over.",
    ),
    _with_kl(
        "sigma_for_variance",
        lambda mu, lv: 0.5 * (mu**2 + (0.5 * lv).exp() - 1 - lv).sum(dim=1),
        "Looks like a standard deviation in the place of the variance in your KL.",
    ),
    _with_kl(
        "logvar_as_log_sigma",
        lambda mu, lv: 0.5 * (mu**2 + (2 * lv).exp() - 1 - 2 * lv).sum(dim=1),
        "Your KL takes logvar for log σ: it is the logarithm of the variance.",
    ),
    _with_kl(
        "logvar_as_variance",
        lambda mu, lv: 0.5 * (mu**2 + lv - 1 - lv.abs().log()).sum(dim=1),
        "Your KL takes logvar for the variance itself: undo the logarithm first.",
    ),
    _with_kl(
        "log_term_dropped",
        lambda mu, lv: 0.5 * (mu**2 + lv.exp() - 1).sum(dim=1),
        "Your value is what the KL gives without its log term: nothing would stop σ from "
        "shrinking.",
    ),
    _with_kl(
        "log_term_flipped",
        lambda mu, lv: 0.5 * (mu**2 + lv.exp() - 1 + lv).sum(dim=1),
        "Your value is what the KL gives with + logvar; check its sign at σ = 1.",
    ),
    _with_kl(
        "absolute_mean",
        lambda mu, lv: 0.5 * (mu.abs() + lv.exp() - 1 - lv).sum(dim=1),
        "Your value is what the KL gives with |μ| in the place of μ².",
    ),
    _with_kl(
        "mean_term_dropped",
        lambda mu, lv: 0.5 * (lv.exp() - 1 - lv).sum(dim=1) + 0 * mu.sum(dim=1),
        "Your KL does not feel mu: means far from the prior would cost nothing.",
    ),
    _with_kl(
        "one_dropped",
        lambda mu, lv: 0.5 * (mu**2 + lv.exp() - lv).sum(dim=1),
        "Your KL is not zero where the guess is the prior: a − 1 for each latent number is "
        "missing.",
    ),
    _with_kl(
        "clamped_logvar",
        lambda mu, lv: _kl(mu, lv.clamp(-10, 10)),
        "Extreme values of logvar are cut off in your KL.",
    ),
    # both together
    _with_both(
        "both_means",
        lambda logits, x, mu, lv: _pixels(logits, x).mean(dim=1) - _latents(mu, lv).mean(dim=1),
        "Both terms are means over dimensions: they are sums, or the balance between them "
        "depends on the sizes.",
    ),
    _with_both(
        "divided_by_the_pixels",
        lambda logits, x, mu, lv: _right(logits, x, mu, lv) / x[0].numel(),
        "Divided by the number of pixels: the bound of a whole image was asked.",
    ),
    _with_both(
        "loss_for_bound",
        lambda *question: -_right(*question),
        "The sign is the opposite: this is the loss; the bound is what it lowers, turned round.",
    ),
    _with_both(
        "mean_over_the_batch",
        lambda *question: _right(*question).mean(),
        "One number came, the mean over the batch: each sample has a bound of its own.",
    ),
    _with_both(
        "sum_over_the_batch",
        lambda *question: _right(*question).sum(),
        "One number came, the sum over the batch: duplicating the batch doubles it. Each sample "
        "has a bound of its own.",
    ),
    _with_both(
        "kl_of_the_whole_batch",
        lambda logits, x, mu, lv: _likelihood(logits, x) - _latents(mu, lv).sum(),
        "Every sample pays the KL of the whole batch: sum over the latent numbers only.",
    ),
    _with_both(
        "likelihood_of_the_whole_batch",
        lambda logits, x, mu, lv: _pixels(logits, x).sum() - _kl(mu, lv),
        "Every sample gets the likelihood of the whole batch: sum over pixels only.",
    ),
    _with_both(
        "bits",
        lambda *question: _right(*question) / math.log(2),
        "Looks like bits: your value is 1.4427 times the one in nats.",
    ),
    # numbers
    _with_likelihood(
        "log_of_sigmoid",
        _log_of_sigmoid,
        "Where the decoder is sure, the probability is rounded to 0 or 1 and its logarithm is "
        "lost. Compute from the logits (logsigmoid, or a loss that takes logits).",
    ),
    _with_likelihood(
        "clamped_probability",
        _by_clamped_probability,
        "Your probabilities are kept away from 0 and 1, so a wrong sure guess costs a fixed "
        "price. Compute from the logits (logsigmoid, or a loss that takes logits).",
    ),
    _with_likelihood(
        "cut_off_logarithm",
        _by_plain_cross_entropy,
        "A wrong sure guess costs 100 nats at most: binary_cross_entropy cuts its logarithm off. "
        "Use the form that takes logits.",
    ),
    *blunders(of_images(_right)),
    Mistake(
        "accepts_other_pixels",
        of_images(_right, pixels=False),
        "Pixels outside [0, 1] were accepted: the likelihood of a coin with 255 sides up is no "
        "number. Raise a ValueError.",
    ),
    Mistake(
        "broadcasts_images",
        of_images(_right, shapes=False),
        "Images and logits of different shape were accepted, and one was repeated. Compare their "
        "shapes and raise a ValueError.",
    ),
    Mistake(
        "broadcasts_guesses",
        of_images(_right, latents=False),
        "Means and log-variances that do not fit the images were accepted, and repeated. Compare "
        "the shapes and raise a ValueError.",
    ),
)
