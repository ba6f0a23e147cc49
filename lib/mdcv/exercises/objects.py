"""Objects that a question brings along, built where the call happens: networks, optimizers, ...

A maker is a function of a `Recorder` and of data; `Made("network", layers=..., ...)` names it.
This file goes where students' code runs, so it holds no answer to any exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mdcv.exercises.records import Recorder, gradients_of
from mdcv.seeds import generator

Layers = Sequence[tuple[Tensor, Tensor]]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "identity": nn.Identity,
}

#: The gradient that a network with stale gradients starts with, in every entry.
STALE = 3.0


class Network(nn.Module):
    """A small network with given weights.

    Args:
        layers: weight (out, in) and bias (out,) of each linear layer.
        activation: between the layers: a name in `ACTIVATIONS`.
        flat: scores of shape (B,), not (B, 1); only with one output.
        mixing: the input is first centered over the batch, as batch normalization would: then
            samples do depend on each other.

    Inputs of more axes are flattened to (B, in).
    """

    def __init__(
        self, layers: Layers, activation: str = "tanh", *, flat: bool = False, mixing: bool = False
    ) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for weight, bias in layers:
            linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
            with torch.no_grad():
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
            steps += [linear, ACTIVATIONS[activation]()]
        self.steps = nn.Sequential(*steps[:-1])
        self.flat, self.mixing = flat, mixing

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        out = self.steps(x - x.mean(0) if self.mixing else x)
        return out[:, 0] if self.flat else out


class PointNetwork(Network):
    """A network for the last axis: every point of every cloud goes through it by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return self.steps(x)


class RecordingNetwork(Network):
    """A network that notes every forward call, change of mode, and call of its zero_grad."""

    def __init__(self, log: Recorder, who: str, *network: Any, **options: Any) -> None:
        super().__init__(*network, **options)
        self._log, self._who = log, who
        log.watch(who, self)

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        self._log.note(
            self._who,
            "forward",
            {"input": x, "output": out},
            graph=x.requires_grad,
            training=self.training,
            recorded=torch.is_grad_enabled(),
        )
        return out

    def train(self, mode: bool = True) -> RecordingNetwork:
        self._log.note(self._who, "train" if mode else "eval", {})
        return super().train(mode)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self._log.note(self._who, "zero_grad", {})
        super().zero_grad(set_to_none)


class RecordingCoder(nn.Module):
    """An encoder to (mu, logvar) and a decoder to logits, which note every call."""

    def __init__(
        self, log: Recorder, who: str, encoder: Layers, decoder: Layers, activation: str
    ) -> None:
        super().__init__()
        self._log, self._who = log, who
        self._encoder, self._decoder = (
            Network(encoder, activation),
            Network(decoder, activation),
        )
        log.watch(who, self)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = self._encoder(x).chunk(2, dim=1)
        seen = {"input": x, "mu": mu, "logvar": logvar}
        self._log.note(self._who, "encode", seen, training=self.training)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        logits = self._decoder(z)
        seen = {"input": z, "output": logits}
        self._log.note(self._who, "decode", seen, graph=z.requires_grad, training=self.training)
        return logits


def network(log: Recorder, *, layers: Layers, activation: str = "tanh", flat: bool = False):
    """A `Network` that records nothing."""
    return Network(layers, activation, flat=flat)


def point_network(log: Recorder, *, layers: Layers, activation: str = "tanh"):
    """A `PointNetwork`: from (..., D) to (..., K)."""
    return PointNetwork(layers, activation)


def recording_network(
    log: Recorder,
    *,
    who: str,
    layers: Layers,
    activation: str = "tanh",
    flat: bool = False,
    mixing: bool = False,
    stale: bool = False,
    training: bool = True,
) -> RecordingNetwork:
    """A `RecordingNetwork`; with `stale` it comes with gradients left over from earlier."""
    made = RecordingNetwork(log, who, layers, activation, flat=flat, mixing=mixing)
    return _left_so(made, stale=stale, training=training)


def recording_coder(
    log: Recorder,
    *,
    who: str,
    encoder: Layers,
    decoder: Layers,
    activation: str = "tanh",
    stale: bool = False,
    training: bool = True,
) -> RecordingCoder:
    """A `RecordingCoder`; with `stale` it comes with gradients left over from earlier."""
    made = RecordingCoder(log, who, encoder, decoder, activation)
    return _left_so(made, stale=stale, training=training)


def _left_so(made: Any, *, stale: bool, training: bool) -> Any:
    if stale:
        for parameter in made.parameters():
            parameter.grad = torch.full_like(parameter, STALE)
    nn.Module.train(made, training)  # not through the stub's own method, which would note it
    return made


def optimizer(
    log: Recorder,
    *,
    of: nn.Module | Sequence[nn.Module],
    who: str = "optimizer",
    rule: Literal["sgd", "adam"] = "sgd",
    lr: float = 0.1,
) -> torch.optim.Optimizer:
    """A real optimizer that notes zero_grad and step, and the gradients that it found."""
    modules = nn.ModuleList([of] if isinstance(of, nn.Module) else of)
    kind = RecordingSGD if rule == "sgd" else RecordingAdam
    made = kind(modules.parameters(), lr=lr)
    made.log, made.who, made.watched = log, who, modules
    return made


class _Recording:
    """What makes an optimizer note its calls."""

    log: Recorder
    who: str
    watched: nn.Module

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.log.note(self.who, "zero_grad", {})
        super().zero_grad(set_to_none)  # type: ignore[misc]

    def step(self, closure: Any = None) -> Any:
        self.log.note(self.who, "step", gradients_of(self.watched))
        return super().step(closure)  # type: ignore[misc]


class RecordingSGD(_Recording, torch.optim.SGD):
    """Gradient descent that notes what it is asked."""


class RecordingAdam(_Recording, torch.optim.Adam):
    """Adam that notes what it is asked."""


def source(log: Recorder, *, seed: int) -> torch.Generator:
    """A random generator for one method of an object whose making draws weights globally.

    A `Seeded` would hold those weights against it; see `Answer.drew_globally`.
    """
    return generator(seed)


def set_distance(
    log: Recorder, *, kind: Literal["shift", "lopsided", "moments"], positional: bool = False
) -> Callable[[Tensor, Tensor], Tensor]:
    """A number for each pair of clouds (B, N, D), (B, M, D) that grows as they move apart.

    Args:
        kind: "shift" and "lopsided" are not symmetric, "moments" is. All but "lopsided" are zero
            for equal clouds.
        positional: the arguments have no names.
    """
    distance = _DISTANCES[kind]
    return (lambda a, b, /: distance(a, b)) if positional else distance


def _shift(x: Tensor, y: Tensor) -> Tensor:
    apart = torch.linalg.vector_norm(x.mean(1) - y.mean(1), dim=1)
    return apart * (1 + y.square().mean((1, 2)))


def _lopsided(x: Tensor, y: Tensor) -> Tensor:
    return (x.mean(1) - y.mean(1)).square().sum(1) + 0.2 * y.square().mean((1, 2))


def _moments(x: Tensor, y: Tensor) -> Tensor:
    first = (x.mean(1) - y.mean(1)).square().sum(1)
    return 7.0 * (first + (x.var(1, correction=0) - y.var(1, correction=0)).square().sum(1))


_DISTANCES = {"shift": _shift, "lopsided": _lopsided, "moments": _moments}

Maker = Callable[..., Any]

#: Every maker by its name. Each takes the recorder of the call, and its values by keyword.
MAKERS: dict[str, Maker] = {
    "network": network,
    "point_network": point_network,
    "recording_network": recording_network,
    "recording_coder": recording_coder,
    "optimizer": optimizer,
    "set_distance": set_distance,
    "source": source,
}
