"""The questions that every loss of scores is asked: one number for whatever scores come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw, transposed_layout
from mdcv.exercises.exercise import Case, Law, Refusal

Options = Mapping[str, Any]


def scores(draw: Draw, count: int, *shape: int) -> tuple[Tensor, ...]:
    """So many tensors of scores around different means; each longer than the one before."""
    size = shape or (5 + draw.integer(0, 3),)
    return tuple(
        0.7
        - 1.6 * k
        + (1.1 + 0.3 * k) * draw.tensor(size[0] + 2 * k + draw.integer(0, 1), *size[1:])
        for k in range(count)
    )


def plain(draw: Draw, count: int, options: Options | None = None) -> list[Case]:
    """Scores in one axis, in a column, and in patches, as many real as fake ones and not."""
    options = options or {}
    flat = scores(draw, count)
    return [
        _case("scores in one axis", flat, options),
        _case("other scores in one axis", scores(draw, count), options),
        _case("scores in a column", scores(draw, count, 7, 1), options),
        _case("scores of patches", scores(draw, count, 3, 4, 5), options),
        _case("as many of each", tuple(s[:4] for s in flat), options),
    ]


def hard(draw: Draw, count: int, options: Options | None = None, suspicion: str = "") -> list[Case]:
    """Scores of 10,000 of both signs, of 40, tiny ones, one score, float32, odd layouts."""
    options = options or {}
    huge = tuple(torch.cat([1e4 * s[:3], -1e4 * s[:4]]) for s in scores(draw, count))
    single = tuple((3 * s).float() for s in scores(draw, count))
    return [
        _case("logits of 10,000", huge, options, suspicion=suspicion),
        _case(
            "logits around 40",
            tuple(40 + s for s in scores(draw, count)),
            options,
            suspicion=suspicion,
        ),
        _case(
            "logits around -40",
            tuple(s - 40 for s in scores(draw, count)),
            options,
            suspicion=suspicion,
        ),
        _case("scores near 0", tuple(1e-3 * s for s in scores(draw, count)), options),
        _case("a single score", tuple(s[:1] for s in scores(draw, count)), options),
        _case("float32", single, options),
        _case(
            "logits of 100 in float32", tuple(100 * s for s in single), options, suspicion=suspicion
        ),
        _case(
            "scores that are not contiguous",
            tuple(transposed_layout(s) for s in scores(draw, count, 3, 4, 5)),
            options,
            suspicion="needs_contiguous_input",
        ),
    ]


def gradients(draw: Draw, count: int, *choices: Options) -> list[Case]:
    """Gradients on ordinary scores, and on scores so large that a sigmoid is flat there."""
    cases = []
    for options in choices or ({},):
        large = tuple(60 * s for s in scores(draw, count))
        cases += [
            _case("the gradient", scores(draw, count, 4, 3), options, gradient="value"),
            _case("the gradient at large scores", large, options, gradient="value"),
        ]
    return cases


def refusals(draw: Draw, *names: str) -> list[Refusal]:
    """A batch without scores, for each argument, and NaN, which may also go out as NaN."""
    good = scores(draw, len(names))
    cases = []
    for k, name in enumerate(names):
        empty, nan = list(good), list(good)
        empty[k] = good[k][:0]
        nan[k] = good[k].clone()
        nan[k][1] = torch.nan
        cases += [
            Refusal(f"no {name}", tuple(empty), "accepts_no_scores"),
            Refusal(f"NaN among the {name}", tuple(nan), "hides_nan", or_any_sign=True),
        ]
    return cases


def twice_the_batch(count: int, sentence: str) -> Law:
    """A mean does not change when every score comes twice."""

    def calls(draw: Draw) -> list[tuple[tuple[Tensor, ...], Options]]:
        given = scores(draw, count)
        return [(given, {}), (tuple(torch.cat([s, s]) for s in given), {})]

    return Law(sentence, calls, lambda v: torch.allclose(v[0], v[1], rtol=1e-6, atol=1e-9))


def refusing(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The loss behind a door that refuses an empty batch, for variants that differ elsewhere."""

    def guarded(*given: Tensor, **options: Any) -> Any:
        if any(s.numel() == 0 for s in given):
            raise ValueError("no scores")
        return loss(*given, **options)

    return guarded


def _case(kind: str, given: tuple[Tensor, ...], options: Options, **more: Any) -> Case:
    sizes = " and ".join(str(tuple(s.shape)) for s in given)
    chosen = "".join(f", {name}={value!r}" for name, value in options.items())
    return Case(f"{kind} ({sizes}{chosen})", given, options, **more)
