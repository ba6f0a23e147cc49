"""Equations that run: each numbered equation of a lecture is computed twice and judged.

A claim states that a left side and a right side agree, says by which method they were
computed, prints one line and raises when it is false. So an equation that a reader edits
into a wrong one breaks at the line where it stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Method = Literal["exact", "monte-carlo", "autograd", "quadrature", "enumeration", "sympy", "limit"]
Relation = Literal["=", "<=", ">="]

METHODS: tuple[str, ...] = (
    "exact",
    "monte-carlo",
    "autograd",
    "quadrature",
    "enumeration",
    "sympy",
    "limit",
)
RELATIONS: tuple[str, ...] = ("=", "<=", ">=")

#: A Monte Carlo mean may stray this many of its own standard errors from the truth.
MAX_Z = 5.0


class ClaimError(AssertionError):
    """A claimed equation does not hold; the message is the line that would have been printed."""


@dataclass(frozen=True)
class Claim:
    """A judged equation: what was compared, how far apart the sides are, and the verdict."""

    id: str
    by: str
    relation: str
    lhs: str
    rhs: str
    distance: str
    holds: bool

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "FAILS"
        equation = f"{self.lhs} {self.relation} {self.rhs}"
        return f"({self.id}) {verdict}  {equation}  [{self.by}, {self.distance}]"


def claim(
    id: str,
    lhs: object,
    rhs: object,
    by: Method = "exact",
    *,
    relation: Relation = "=",
    tolerance: float = 1e-6,
) -> Claim:
    """Judges one numbered equation, prints the verdict on one line, and returns it.

    Args:
        id: the number the equation carries in the text, "9.3" for the one tagged (9.3).
        lhs, rhs: numbers, or tensors of one shape. For "monte-carlo" the left side holds
            the samples, drawn independently along its first axis, whose mean estimates the
            right side; the right side may hold samples too. For "limit" the left side is the
            sequence of values, in order. For "sympy" both are expressions.
        by: how the sides were computed. Monte Carlo is judged by its own standard error,
            |z| < 5. "sympy" asks that the difference simplifies to zero. "limit" asks that the
            error never grows along the sequence and ends within the tolerance. All others
            ask for |lhs - rhs| <= tolerance * max(1, |rhs|) in every entry.
        relation: "=", or "<=" / ">=" for an inequality, judged with the same slack.
        tolerance: relative, absolute below 1; not used by "monte-carlo" and "sympy".

    Raises:
        ClaimError: the equation does not hold, or a side is not finite.
        ValueError: the method, the relation or the shapes are not as described.

    >>> verdict = claim("0.1", 0.5 + 0.25, 0.75)
    (0.1) holds  0.75 = 0.75  [exact, error 0 <= 1e-06]
    >>> claim("0.2", 1.0, 2.0)
    Traceback (most recent call last):
    mdcv.claims.ClaimError: (0.2) FAILS  1 = 2  [exact, error 1 against 2e-06]
    """
    if by not in METHODS:
        raise ValueError(f"by is {by!r}; expected one of {', '.join(map(repr, METHODS))}")
    if relation not in RELATIONS:
        raise ValueError(f"relation is {relation!r}; expected one of '=', '<=', '>='")
    if by in ("sympy", "limit") and relation != "=":
        raise ValueError(f"relation is {relation!r}; a claim by {by} is judged for '=' only")
    judge = {"sympy": _by_sympy, "monte-carlo": _by_monte_carlo, "limit": _by_limit}.get(
        by, _by_value
    )
    left, right, distance, holds = judge(lhs, rhs, relation, tolerance)
    verdict = Claim(id, by, relation, left, right, distance, holds)
    if not holds:
        raise ClaimError(str(verdict))
    print(verdict)
    return verdict


def _as_tensor(side: object) -> Tensor:
    """The side as a float64 tensor without a graph."""
    return torch.as_tensor(side).detach().to("cpu", torch.float64)


def _show(side: Tensor) -> str:
    """A number in full, several numbers as the first few and their count."""
    if side.numel() == 1:
        return f"{side.item():.6g}"
    head = ", ".join(f"{value:.4g}" for value in side.flatten()[:3].tolist())
    return f"[{head}{', …' if side.numel() > 3 else ''}] ({side.numel()} values)"


def _excess(lhs: Tensor, rhs: Tensor, relation: str) -> Tensor:
    """How far the relation is from holding, entry by entry; NaN stays NaN and never holds."""
    difference = lhs - rhs
    return {"=": difference.abs(), "<=": difference, ">=": -difference}[relation]


def _by_value(lhs: object, rhs: object, relation: str, tolerance: float):
    left, right = _as_tensor(lhs), _as_tensor(rhs)
    if left.shape != right.shape and 1 not in (left.numel(), right.numel()):
        raise ValueError(
            f"lhs has shape {tuple(left.shape)}, rhs {tuple(right.shape)}; expected equal"
        )
    if left.numel() == 0 or right.numel() == 0:
        raise ValueError("a side is empty; expected at least one value to judge")
    excess = _excess(left, right, relation)
    slack = tolerance * right.abs().clamp(min=1.0).expand_as(excess)
    finite = bool(torch.isfinite(left).all() and torch.isfinite(right).all())
    holds = finite and bool((excess <= slack).all())
    worst = int((excess - slack).nan_to_num(nan=math.inf).argmax())
    error, bound = excess.flatten()[worst].clamp(min=0).item(), slack.flatten()[worst].item()
    distance = f"error {error:.3g} {'<=' if holds else 'against'} {bound:.3g}"
    return _show(left), _show(right), distance, holds


def _by_monte_carlo(lhs: object, rhs: object, relation: str, tolerance: float):
    left, right = _as_tensor(lhs), _as_tensor(rhs)
    if left.ndim == 0 or len(left) < 2:
        raise ValueError(
            f"lhs has shape {tuple(left.shape)}; expected samples along the first axis"
        )
    two_samples = right.ndim == left.ndim and len(right) > 1
    mean, variance = left.mean(dim=0), left.var(dim=0) / len(left)
    target = right
    if two_samples:
        target, variance = right.mean(dim=0), variance + right.var(dim=0) / len(right)
    gap = _excess(mean, target, relation)
    error = variance.sqrt()
    exact = gap <= 1e-12 * target.abs().clamp(
        min=1.0
    )  # a constant sample has no spread to judge by
    z = torch.where(exact, torch.zeros_like(gap), gap / error)
    holds = bool((z < MAX_Z).all()) and bool(torch.isfinite(mean).all())
    distance = f"z {z.max().item():.2f}, standard error {error.max().item():.2g}, n {len(left)}"
    return _show(mean), _show(target), distance, holds


def _by_limit(lhs: object, rhs: object, relation: str, tolerance: float):
    values, target = _as_tensor(lhs), _as_tensor(rhs)
    if values.ndim != 1 or len(values) < 3 or target.numel() != 1:
        raise ValueError(
            "a limit needs a sequence of three or more values, and one number to reach"
        )
    errors = (values - target).abs()
    bound = tolerance * max(1.0, abs(target.item()))
    shrinking = bool((errors[1:] <= errors[:-1] + 1e-12).all())
    holds = shrinking and errors[-1].item() <= bound
    path = " -> ".join(f"{error:.2g}" for error in errors.tolist())
    return _show(values[-1:]), _show(target), f"errors {path}, asked {bound:.3g}", holds


def _by_sympy(lhs: object, rhs: object, relation: str, tolerance: float):
    import sympy

    difference = sympy.simplify(sympy.sympify(lhs) - sympy.sympify(rhs))
    return str(lhs), str(rhs), f"difference simplifies to {difference}", difference == 0
