"""Small networks for points: one that makes them, and one that scores them."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer


class PointGenerator(nn.Module):
    """A multilayer perceptron from normal noise (B, Z) to points (B, D).

    Args:
        noise_dim, data_dim: Z and D.
        width: units of each hidden layer.
        depth: hidden layers.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1.

    >>> PointGenerator(4).sample(3).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        noise_dim: int = 2,
        data_dim: int = 2,
        *,
        width: int = 128,
        depth: int = 2,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_integer("noise_dim", noise_dim, low=1)
        self.noise_dim = noise_dim
        self.layers = perceptron(noise_dim, data_dim, width=width, depth=depth, rng=rng)

    def forward(self, noise: Float[Tensor, "b z"]) -> Float[Tensor, "b d"]:
        return self.layers(noise)

    def noise(self, n: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "n z"]:
        """Standard normal noise for n samples, of the kind the weights are."""
        check_integer("n", n, low=1)
        weight = next(self.parameters())
        # Drawn where the random generator lives, so that one seed gives one set on every device.
        place = weight.device if generator is None else generator.device
        drawn = torch.randn(n, self.noise_dim, generator=generator, device=place)
        return drawn.to(weight)

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "n d"]:
        """Points without a graph.

        Raises:
            ValueError: n is not an integer >= 1.
        """
        return self(self.noise(n, generator=generator))


class PointDiscriminator(nn.Module):
    """A multilayer perceptron from points (B, D) to one unbounded number each (B,).

    Read as log-odds it is a discriminator, read as it stands a critic: nothing squashes its end and
    no layer mixes samples.

    Args:
        data_dim: D.
        width: units of each hidden layer.
        depth: hidden layers.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1.

    >>> PointDiscriminator()(torch.zeros(3, 2)).shape
    torch.Size([3])
    """

    def __init__(
        self,
        data_dim: int = 2,
        *,
        width: int = 128,
        depth: int = 2,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.layers = perceptron(data_dim, 1, width=width, depth=depth, rng=rng)

    def forward(self, points: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        return self.layers(points).squeeze(-1)


def perceptron(
    inputs: int, outputs: int, *, width: int, depth: int, rng: torch.Generator | None = None
) -> nn.Sequential:
    """Linear layers with leaky ReLU between them and nothing at the end.

    The weights have PyTorch's own distribution for linear layers, drawn from `rng`.

    Raises:
        ValueError: a size is not an integer >= 1.
    """
    for name, value in (("inputs", inputs), ("outputs", outputs), ("width", width)):
        check_integer(name, value, low=1)
    check_integer("depth", depth, low=1)
    sizes = [inputs, *[width] * depth, outputs]
    layers: list[nn.Module] = []
    for size, next_size in pairwise(sizes):
        linear = nn.utils.skip_init(nn.Linear, size, next_size)
        with torch.no_grad():
            for parameter in linear.parameters():
                parameter.uniform_(-(size**-0.5), size**-0.5, generator=rng)
        layers += [linear, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])
