from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mdcv.seeds import generator

#: What every function of probabilities refuses, and what the message must say.
BAD_PROBABILITIES = {
    "more than all": (torch.tensor([[0.5, 0.5], [0.5, 0.51]]), "sums to 1.01; expected 1"),
    "less than all": (torch.tensor([[0.5, 0.4998], [0.5, 0.5]]), "sums to 0.9998; expected 1"),
    "negative": (torch.tensor([[0.5, 0.5], [-0.25, 1.25]]), "holds -0.25; expected prob"),
    "NaN": (torch.tensor([[0.5, 0.5], [torch.nan, 1.0]]), "holds nan"),
    "infinity": (torch.tensor([[0.5, 0.5], [torch.inf, 0.5]]), "sums to inf"),
    "no outcomes": (torch.zeros(2, 0), "at least one outcome"),
    "no axis": (torch.tensor(1.0), "at least one outcome"),
    "integers": (torch.tensor([[0, 1], [1, 0]]), "torch.int64; expected a floating-point"),
    "a list": ([[0.5, 0.5], [0.5, 0.5]], "is list; expected a floating-point"),
}

_HALVES = torch.full((3, 2), 0.5)

OTHER_OUTCOMES = {
    "another number of outcomes": (_HALVES, torch.full((3, 4), 0.25), r"q has shape \(3, 4\)"),
    "one row for three": (_HALVES, _HALVES[:1], r"expected \(3, 2\) as p has"),
    "no batch axis": (_HALVES, _HALVES[0], r"q has shape \(2,\)"),
    "another dtype": (_HALVES, _HALVES.double(), "q has dtype torch.float64"),
}


@pytest.fixture(params=BAD_PROBABILITIES)
def bad_probabilities(request) -> tuple[object, str]:
    return BAD_PROBABILITIES[request.param]


@pytest.fixture(params=OTHER_OUTCOMES)
def other_outcomes(request) -> tuple[torch.Tensor, torch.Tensor, str]:
    return OTHER_OUTCOMES[request.param]


@pytest.fixture(scope="session")
def logits() -> Callable[..., torch.Tensor]:
    """logits(*shape, seed=...): normal float64 numbers, the same every time."""

    def draw(*shape: int, seed: int = 0) -> torch.Tensor:
        return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)

    return draw


@pytest.fixture(scope="session")
def distributions(logits) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Two different float64 batches of distributions of a shape."""

    def draw(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
        return logits(*shape).softmax(dim=-1), logits(*shape, seed=1).softmax(dim=-1)

    return draw
