"""What a part of a solid can tell about itself: its distance, its area, its points."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Generator, Tensor

Point = tuple[float, float, float]


class Primitive(ABC):
    """A closed body whose signed distance is known exactly, inside and outside; y is up."""

    @property
    @abstractmethod
    def area(self) -> float:
        """The area of the whole surface."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Point, Point]:
        """The lower and upper corner of the upright box around it."""

    @abstractmethod
    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """The exact distance from each point to the surface, negative inside."""

    @abstractmethod
    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        """n float64 points, drawn independently and uniformly over the area."""


def norm(vectors: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    """The lengths of the vectors; the gradient of length zero is zero."""
    return torch.linalg.vector_norm(vectors, dim=-1)
