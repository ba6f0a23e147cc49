"""The questions that every distance between two point clouds is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Refusal

#: How far one distance may be off; a sum of n distances n times as much. It admits the 1e-6 that
#: PyTorch's own pairwise distance adds to every coordinate, and small guards under a root.
PER_DISTANCE = 5e-6

Options = Mapping[str, Any]


def in_words(x: Tensor, y: Tensor) -> str:
    """The sizes of two clouds in words.

    >>> in_words(torch.zeros(2, 7, 3), torch.zeros(2, 5, 3))
    '2 pairs of 7 and 5 points in 3-D'
    """
    pairs = "1 pair" if x.shape[0] == 1 else f"{x.shape[0]} pairs"
    return f"{pairs} of {x.shape[1]} and {y.shape[1]} points in {x.shape[2]}-D"


@dataclass(frozen=True)
class CloudQuestions:
    """The questions that every distance between two clouds is asked.

    Args:
        summed: the value adds up over the points, and so does its rounding.
        equal: both clouds have as many points.
        empty: a cloud without points is refused.
    """

    summed: bool = True
    equal: bool = False
    empty: bool = True

    def plain(self, draw: Draw, *choices: Options) -> list[Case]:
        """For each choice of options: two float64 pairs of one shape, and one of another."""
        cases = []
        for options in choices:
            x, y = self._pair(draw)
            cases += [
                self._case("", x, y, options),
                self._case("", 2.0 * x + 0.3, y - 0.7 * y.mean(dim=1, keepdim=True), options),
                self._case("", *self._pair(draw), options),
            ]
        return cases

    def hard(self, draw: Draw, options: Options) -> list[Case]:
        """Far away, equal or coincident points, one point, one pair, many points, odd layouts."""
        far = {"offset": 1e4, "spread": 1e-2, "dtype": torch.float32}
        x, y = self._clouds(draw, 2, 9, 7, 5)
        x[:, 3], x[:, 4] = x[:, 1], x[:, 1]
        y[:, 2], y[:, 5] = x[:, 1], x[:, 6]
        u, v = self._clouds(draw, 3, 8, 7, 5)
        a, b = self._clouds(draw, 2, 7, 5, 3)
        cloud = draw.cloud(2, 7, 3)
        return [
            self._case(
                "float32 clouds of size 0.01 around 10,000",
                *self._clouds(draw, 2, 29, 31, 3, **far),
                options,
                rtol=1e-2,
                suspicion="cancellation",
            ),
            self._case(
                "float64 clouds around 40,000",
                *self._clouds(draw, 3, 7, 8, 2, offset=4e4),
                options,
                suspicion="float32_inside",
            ),
            self._case("points that coincide", x, y, options, suspicion="coincident_points"),
            self._case(
                "one cloud twice, in another order",
                cloud,
                cloud[:, draw.order(7)],
                options,
                suspicion="coincident_points",
            ),
            self._case("clouds of a single point", *self._clouds(draw, 3, 1, 4, 2), options),
            self._case("a batch of one", *self._clouds(draw, 1, 6, 5, 3), options),
            self._case("as many points in y as in x", *self._clouds(draw, 3, 6, 6, 5), options),
            self._case(
                "clouds of size 100,000", *self._clouds(draw, 2, 5, 7, 3, spread=1e5), options
            ),
            self._case(
                "clouds of size 0.01", *self._clouds(draw, 2, 8, 5, 3, spread=1e-2), options
            ),
            self._case("larger clouds", *self._clouds(draw, 2, 71, 67, 3), options),
            self._case(
                "inputs that are not contiguous",
                transposed_layout(u),
                strided_layout(v),
                options,
                suspicion="needs_contiguous_input",
            ),
            self._case("float32", a.float(), b.float(), options),
        ]

    def gradients(self, draw: Draw, *choices: Options) -> list[Case]:
        """Gradients on random clouds, and their finiteness where points coincide."""
        x, y = self._clouds(draw, 2, 7, 5, 3)
        x[:, 2] = x[:, 4]
        y[:, :3] = x[:, 1:4]
        y[1] = x[1, : y.shape[1]]
        cloud = draw.cloud(2, 7, 3)
        again = cloud[:, draw.order(7)]
        return [
            self._case("the gradient", *self._pair(draw), options, gradient="value")
            for options in choices
        ] + [
            self._case(f"the gradient where {words}", p, q, options, gradient="finite")
            for options in choices
            for words, p, q in (("points coincide", x, y), ("both clouds are one", cloud, again))
        ]

    def refusals(self, draw: Draw) -> list[Refusal]:
        """Bad input that every distance between two batches of clouds refuses."""
        x, y = self._clouds(draw, 3, 5, 7, 3)
        none = x[:, :0]
        bad: list[tuple[str, Tensor, Tensor, str]] = [
            ("batches of 1 and 3", x[:1], y, "broadcasts_batches"),
            ("batches of 3 and 1", x, y[:1], "broadcasts_batches"),
            ("batches of 3 and 2", x, y[:2], "broadcasts_batches"),
            ("points in 3-D and 2-D", x, y[..., :2], "accepts_unequal_dimensions"),
            ("points in 3-D and 1-D", x, y[..., :1], "accepts_unequal_dimensions"),
            ("two clouds without a batch axis", x[0], y[0], "accepts_wrong_ndim"),
            ("two tensors with four axes", x[None], y[None], "accepts_wrong_ndim"),
        ]
        if self.empty:
            bad.append(("two empty sets", none, none, "accepts_empty_set"))
        if self.empty and not self.equal:
            bad.append(("an empty x", none, y, "accepts_empty_set"))
            bad.append(("an empty y", x, none, "accepts_empty_set"))
        nan = x.clone()
        nan[1, 2, 0] = torch.nan
        return [
            *(Refusal(kind, (p, q), trait) for kind, p, q, trait in bad),
            Refusal("a point that holds NaN", (nan, y), "hides_nan", or_any_sign=True),
        ]

    def _clouds(
        self, draw: Draw, batch: int, n: int, m: int, dimension: int, **kind: Any
    ) -> tuple[Tensor, Tensor]:
        m = n if self.equal else m
        return draw.cloud(batch, n, dimension, **kind), draw.cloud(batch, m, dimension, **kind)

    def _pair(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Two random clouds of the next sizes in the table, the second a little aside."""
        batch, n, m, dimension = draw.sizes()
        x, y = self._clouds(draw, batch, n, m, dimension)
        return x, y + 0.5 * draw.tensor(1, 1, dimension)

    def _case(self, kind: str, x: Tensor, y: Tensor, options: Options, **more: Any) -> Case:
        chosen = "".join(f", {name}={value!r}" for name, value in options.items())
        sizes = in_words(x, y) + chosen
        terms = x.shape[1] + y.shape[1] if self.summed else 1
        words = f"{kind} ({sizes})" if kind else sizes
        return Case(words, (x, y), options, atol=PER_DISTANCE * terms, **more)
