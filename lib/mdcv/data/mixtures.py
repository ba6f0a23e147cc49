"""Gaussian mixtures whose modes are known: where a generator can be asked what it missed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from mdcv.data.draws import normals, uniform
from mdcv.errors import check_integer, check_tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equally likely round Gaussians: p(x) = mean over k of N(x; c_k, σ² I).

    Args:
        centers: one mode per row, (K, D), in any unit.
        std: σ of every mode in that unit, above 0.

    Raises:
        ValueError: no mode, or σ is not a finite number above 0.
    """

    centers: Float[Tensor, "k d"]
    std: float | int

    def __post_init__(self) -> None:
        check_tensor("centers", self.centers, ndim=2, layout="(K, D)")
        if 0 in self.centers.shape:
            raise ValueError(f"centers has shape {tuple(self.centers.shape)}; expected a mode")
        if not 0 < self.std < math.inf:
            raise ValueError(f"std is {self.std!r}; expected a finite number > 0")

    def sample(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n d"]:
        """Independent points, in the dtype of the centers and on the generator's device.

        Raises:
            ValueError: n is not an integer >= 1.

        >>> ring_mixture().sample(5).shape
        torch.Size([5, 2])
        """
        check_integer("n", n, low=1)
        k, d = self.centers.shape
        mode = (k * uniform(n, generator)).long().clamp(max=k - 1)
        noise = normals((n, d), generator)
        return self.centers.to(noise.device)[mode] + (self.std * noise).to(self.centers.dtype)

    def log_density(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
        """log p(x) in nats, exact however far x lies from every mode.

        Raises:
            ValueError: x has another number of coordinates than the centers.

        >>> one = Mixture(torch.zeros(1, 2), std=1.0)
        >>> one.log_density(torch.zeros(2)) + math.log(2 * math.pi)
        tensor(0.)
        """
        k, d = self.centers.shape
        if x.ndim == 0 or x.shape[-1] != d:
            raise ValueError(f"x has shape {tuple(x.shape)}; the last axis should be {d}")
        squared_distance = (x.unsqueeze(-2) - self.centers.to(x)).square().sum(dim=-1)
        exponent = -squared_distance / (2 * self.std**2)
        return (
            exponent.logsumexp(dim=-1) - math.log(k) - d / 2 * math.log(2 * math.pi * self.std**2)
        )

    def nearest_mode(
        self, x: Float[Tensor, "n d"]
    ) -> tuple[Int[Tensor, " n"], Float[Tensor, " n"]]:
        """The index of the nearest center for each point, and the distance to it.

        >>> grid_mixture(2).nearest_mode(torch.tensor([[1.0, 0.5]]))
        (tensor([3]), tensor([0.5000]))
        """
        distances = torch.linalg.vector_norm(x.unsqueeze(1) - self.centers.to(x), dim=-1)
        nearest = distances.min(dim=1)
        return nearest.indices, nearest.values


def ring_mixture(modes: int = 8, *, radius: float | int = 2.0, std: float | int = 0.02) -> Mixture:
    """Modes evenly spaced on a circle around the origin, the first on the positive x axis.

    Raises:
        ValueError: modes is not an integer >= 1.

    Source: Metz, Poole, Pfau and Sohl-Dickstein 2017, arXiv:1611.02163, whose ring has radius 2 and
    σ 0.02 as here by default; a GAN was shown there to wander from mode to mode.

    >>> ring_mixture(2, radius=3.0).centers.round()
    tensor([[ 3.,  0.],
            [-3.,  0.]])
    """
    check_integer("modes", modes, low=1)
    angle = torch.arange(modes, dtype=torch.float64) * (2 * math.pi / modes)
    centers = radius * torch.stack((angle.cos(), angle.sin()), dim=1)
    return Mixture(centers.float(), std)


def grid_mixture(side: int = 5, *, spacing: float | int = 2.0, std: float | int = 0.05) -> Mixture:
    """side² modes on a square grid centered at the origin, row by row.

    Raises:
        ValueError: side is not an integer >= 1.

    Source: Srivastava and others 2017 (VEEGAN), arXiv:1705.07761; centers and σ as in Lin and
    others 2018 (PacGAN), arXiv:1712.04086.

    >>> grid_mixture(2).centers
    tensor([[-1., -1.],
            [-1.,  1.],
            [ 1., -1.],
            [ 1.,  1.]])
    """
    check_integer("side", side, low=1)
    axis = spacing * (torch.arange(side, dtype=torch.float32) - (side - 1) / 2)
    return Mixture(torch.cartesian_prod(axis, axis).reshape(-1, 2), std)
