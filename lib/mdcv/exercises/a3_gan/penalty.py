"""The exercise `gradient_penalty`: a derivative inside a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.a3_gan.penalty_wrong import WRONG, refusing
from mdcv.exercises.a3_gan.players import layers
from mdcv.exercises.cases import Constant, Draw, Made, strided_layout
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal, Right
from mdcv.gan import gradient_penalty

#: Batch and shape of one sample: no two sizes of one question are equal.
SHAPES = ((4, 7), (5, 3), (3, 2, 5), (4, 2, 3, 5), (5, 3, 2, 4))


def critic(draw: Draw, inputs: int, activation: str, *, slope: float = 1.0, flat: bool = True):
    """A critic whose slopes are around `slope`; smooth, or of flat pieces."""
    (w1, b1), (w2, b2) = layers(draw, inputs, 9, 1)
    weights = [(2 * w1, b1), (slope * w2, b2)]
    return Made("network", layers=weights, activation=activation, flat=flat)


def _lines(draw: Draw, shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Real samples, fakes aside of them, and where to look between."""
    real = 0.5 + draw.tensor(*shape)
    return real, 1.3 * draw.tensor(*shape) - 0.4, 0.02 + 0.96 * draw.uniform(shape[0])


def _case(kind: str, draw: Draw, shape: tuple[int, ...], activation: str, **options) -> Case:
    slope, flat = options.pop("slope", 1.0), options.pop("flat", True)
    lines = _lines(draw, shape)
    player = critic(draw, lines[0][0].numel(), activation, slope=slope, flat=flat)
    words = f"{kind}, samples of shape {shape}"
    return Case(words, (player, *(Constant(line) for line in lines)), **options)


def _points(draw: Draw) -> list[Case]:
    return [
        _case("a smooth critic", draw, SHAPES[0], "softplus", slope=2.5),
        _case("a critic of flat pieces", draw, SHAPES[1], "leaky_relu", slope=0.4),
        _case("a smooth critic", draw, SHAPES[0], "tanh", slope=4.0),
    ]


def _images(draw: Draw) -> list[Case]:
    return [
        _case("a smooth critic of rows", draw, SHAPES[2], "tanh", slope=2.0),
        _case("a smooth critic of images", draw, SHAPES[3], "softplus", slope=3.0),
        _case("a critic that answers in a column", draw, SHAPES[4], "tanh", flat=False),
    ]


def _hard(draw: Draw) -> list[Case]:
    real, fake, alpha = _lines(draw, (5, 4))
    ends = alpha.clone()
    ends[0], ends[2] = 0.0, 1.0
    player = critic(draw, 4, "tanh", slope=3.0)
    single = Made("network", layers=[(w.float(), b.float()) for w, b in layers(draw, 4, 9, 1)])
    linear = Made("network", layers=[(3 * draw.tensor(1, 4), draw.tensor(1))], flat=True)
    rows = tuple(strided_layout(values) for values in (real, fake))
    return [
        Case("a linear critic", (linear, real, fake, alpha)),
        Case("alphas of exactly 0 and 1", (player, real, fake, ends)),
        Case(
            "samples that are not contiguous",
            (player, *rows, alpha),
            suspicion="needs_contiguous_input",
        ),
        Case("a batch of one", (player, real[:1], fake[:1], alpha[:1])),
        Case("float32", (single, real.float(), fake.float(), alpha.float())),
        _case("a steep critic", draw, (4, 7), "softplus", slope=300.0),
    ]


def _gradients(draw: Draw) -> list[Case]:
    real, fake, alpha = (Constant(line) for line in _lines(draw, (4, 3)))
    dead = [(-0.1 * draw.uniform(6, 3), -50 - draw.uniform(6)), (draw.tensor(1, 6), draw.tensor(1))]
    flat = Made("network", layers=dead, activation="relu", flat=True)
    return [
        _case(
            "the gradient, a smooth critic", draw, SHAPES[0], "tanh", slope=2.0, gradient="value"
        ),
        _case(
            "the gradient, a critic of flat pieces",
            draw,
            SHAPES[1],
            "leaky_relu",
            slope=1.7,
            gradient="value",
        ),
        _case("the gradient, images", draw, SHAPES[3], "softplus", slope=2.0, gradient="value"),
        Case("a critic without any slope", (flat, real, fake, alpha), gradient="finite"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    real, fake, alpha = _lines(draw, (4, 7))
    player = critic(draw, 7, "tanh")
    two = Made("network", layers=layers(draw, 7, 5, 2))
    nan = fake.clone()
    nan[1, 2] = torch.nan
    return [
        Refusal("alpha of shape (4, 1)", (player, real, fake, alpha[:, None]), "accepts_any_alpha"),
        Refusal("alpha of shape (1,)", (player, real, fake, alpha[:1]), "accepts_any_alpha"),
        Refusal("alpha of shape (4, 7)", (player, real, fake, 0 * real), "accepts_any_alpha"),
        Refusal("one fake for 4 reals", (player, real, fake[:1], alpha), "broadcasts_samples"),
        Refusal("one real for 4 fakes", (player, real[:1], fake, alpha), "broadcasts_samples"),
        Refusal(
            "fakes in 1-D, reals in 7-D", (player, real, fake[:, :1], alpha), "broadcasts_samples"
        ),
        Refusal("a critic of two values", (two, real, fake, alpha), "accepts_many_values"),
        Refusal("a fake that holds NaN", (player, real, nan, alpha), "hides_nan", or_any_sign=True),
    ]


# Right, written differently


def _sample_by_sample(critic, real, fake, alpha):
    total = 0.0
    for x, y, a in zip(real, fake, alpha, strict=True):
        point = (a * x + (1 - a) * y).detach()[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
        total = total + (slope.norm() - 1) ** 2
    return total / len(real)


def _with_grad_outputs(critic, real, fake, alpha):
    shape = [-1] + [1] * (real.ndim - 1)
    mixed = torch.lerp(fake, real, alpha.view(shape).expand_as(real))
    mixed = mixed.clone().detach()
    mixed.requires_grad = True
    scores = critic(mixed)
    (slope,) = torch.autograd.grad(
        outputs=scores,
        inputs=mixed,
        grad_outputs=torch.ones_like(scores),
        create_graph=True,
        retain_graph=True,
    )
    return ((slope.reshape(len(real), -1).norm(2, dim=1) - 1) ** 2).mean()


def _guarded_root(critic, real, fake, alpha):
    share = alpha[(...,) + (None,) * (real.ndim - 1)]
    mixed = (fake + share * (real - fake)).requires_grad_()
    slope = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)[0]
    length = (slope.square().flatten(1).sum(1) + 1e-12).sqrt()
    return torch.nn.functional.mse_loss(length, torch.ones_like(length))


def _expanded(critic, real, fake, alpha):
    """Mean of ‖g‖² − 2‖g‖ + 1."""
    mixed = torch.stack([a * x + (1 - a) * y for x, y, a in zip(real, fake, alpha, strict=True)])
    mixed = mixed.detach().requires_grad_()
    slope = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)[0].flatten(1)
    length = torch.linalg.vector_norm(slope, dim=1)
    return (length * length).mean() - 2 * length.mean() + 1


GRADIENT_PENALTY = Exercise(
    name="gradient_penalty",
    contract=(
        "gradient_penalty(critic, real, fake, alpha) returns the mean over the batch of "
        "(‖∇critic(x̂)‖₂ − 1)², x̂ = alpha·real + (1 − alpha)·fake with one alpha per sample, "
        "alpha (B,). The norm runs over all entries of a sample; the gradient reaches the critic's "
        "parameters. Shapes that do not fit, a critic of several values: ValueError."
    ),
    reference=gradient_penalty,
    parts=(
        Part("points", 0.3, _points, is_value=True),
        Part("images", 0.15, _images, is_value=True),
        Part("hard places", 0.1, _hard),
        Part("gradient", 0.25, _gradients),
        Part("bad input", 0.15, _refusals),
    ),
    right=(
        Right("sample by sample", refusing(_sample_by_sample)),
        Right("with grad_outputs", refusing(_with_grad_outputs)),
        Right("a guarded root", refusing(_guarded_root)),
        Right("the square written out", refusing(_expanded)),
    ),
    wrong=WRONG,
    points=6,
)
