"""Embeddings whose distances are chosen, so that no question hides a margin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Call, Case, Law, Part, Refusal

#: Batch and dimension: coprime, and the batch large enough for near and far pairs of both kinds.
SIZES = ((9, 2), (11, 3), (9, 5), (13, 3), (11, 2), (13, 5))

#: It admits the 1e-6 that PyTorch's own pairwise distance adds to every coordinate.
TOLERANCE = 2e-5

Options = Mapping[str, Any]

NONE: Options = {}

#: Draws the inputs of one question: draw, margin, batch, dimension.
Inputs = Callable[[Draw, float, int, int], tuple[Tensor, ...]]


def sizes(draw: Draw) -> tuple[int, int]:
    return SIZES[draw.integer(0, len(SIZES) - 1)]


def directions(draw: Draw, batch: int, dimension: int) -> Tensor:
    """Random vectors of length 1."""
    return torch.nn.functional.normalize(draw.tensor(batch, dimension), dim=1)


def lengths(draw: Draw, pattern: tuple[float, ...], batch: int) -> Tensor:
    """The lengths of the pattern over and over, each up to a tenth longer or shorter: (B, 1)."""
    repeated = torch.tensor(pattern, dtype=torch.float64).repeat(batch // len(pattern) + 1)[:batch]
    return (repeated * (0.9 + 0.2 * draw.uniform(batch)))[:, None]


def embeddings(draw: Draw, batch: int, dimension: int) -> Tensor:
    return 1.5 * draw.tensor(batch, dimension) + 0.5


def case(kind: str, inputs: tuple[Tensor, ...], options: Options = NONE, **more: Any) -> Case:
    """A case with its sizes in words."""
    batch, dimension = inputs[0].shape
    chosen = "".join(f", {name}={value!r}" for name, value in options.items())
    words = f"{batch} in {dimension}-D{chosen}"
    tolerance = {"atol": TOLERANCE, **more}
    return Case(f"{kind} ({words})", inputs, options, **tolerance)


def at_margins(kind: str, inputs: Inputs, *margins: float | None) -> Callable[[Draw], list[Case]]:
    """For each margin two questions of one size and one of another; None takes the default."""

    def questions(draw: Draw) -> list[Case]:
        cases = []
        for margin in margins:
            options = NONE if margin is None else {"margin": margin}
            size = sizes(draw)
            for batch, dimension in (size, size, sizes(draw)):
                cases.append(case(kind, inputs(draw, margin or 1.0, batch, dimension), options))
        return cases

    return questions


def law(sentence: str, inputs: Inputs, change: Callable[..., Any], holds: Any) -> Law:
    """A law about random inputs, and the same inputs changed."""

    def calls(draw: Draw) -> list[Call]:
        given = inputs(draw, 1.7, 11, 3)
        return [(given, {"margin": 1.7}), (change(*given), {"margin": 1.7})]

    return Law(sentence, calls, holds)


def twice_over(inputs: Inputs) -> Law:
    """A mean does not change when every row comes twice."""
    return law(
        "The same batch twice over costs something else: the loss is a mean over its rows.",
        inputs,
        lambda *given: tuple(torch.cat([value, value]) for value in given),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-4),
    )


def parts(
    kind: str,
    inputs: Inputs,
    hard: Callable[[Draw], list[Case]],
    gradients: Callable[[Draw], list[Case]],
    refusals: Callable[[Draw], list[Refusal]],
) -> tuple[Part, ...]:
    """What either loss is asked, and what each part counts."""
    return (
        Part("margin 1", 0.3, at_margins(kind, inputs, None), is_value=True),
        Part("other margins", 0.25, at_margins(kind, inputs, 0.4, 2.5), is_value=True),
        Part("hard places", 0.15, hard),
        Part("gradient", 0.15, gradients),
        Part("bad input", 0.1, refusals),
    )
