"""Claims hold when an equation is true, and raise when it is not."""

from __future__ import annotations

import pytest
import sympy
import torch

from mdcv.claims import ClaimError, claim
from mdcv.seeds import generator


def samples(n: int, mean: float, spread: float = 1.0) -> torch.Tensor:
    return mean + spread * torch.randn(n, generator=generator(3), dtype=torch.float64)


def test_exact_claim_prints_one_line_and_returns_the_verdict(capsys):
    verdict = claim("1.1", torch.tensor([1.0, 2.0]), [1.0, 2.0])
    assert verdict.holds
    printed = capsys.readouterr().out
    assert printed.startswith("(1.1) holds") and printed.count("\n") == 1


@pytest.mark.parametrize("by", ["exact", "autograd", "quadrature", "enumeration"])
def test_wrong_value_raises_by_every_method_of_tolerance(by):
    claim("1.2", 3.0, 3.0, by=by)
    with pytest.raises(ClaimError, match=r"\(1\.2\) FAILS"):
        claim("1.2", 3.0, 3.001, by=by)


def test_tolerance_is_relative_above_one_and_absolute_below():
    claim("1.3", 1000.5, 1000.0, tolerance=1e-3)
    with pytest.raises(ClaimError):
        claim("1.3", 0.0015, 0.0, tolerance=1e-3)


def test_one_wrong_entry_among_many_raises():
    left = torch.ones(100)
    right = left.clone()
    right[57] = 1.1
    with pytest.raises(ClaimError):
        claim("1.4", left, right)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_side_that_is_not_finite_never_holds(value):
    with pytest.raises(ClaimError):
        claim("1.5", value, value)
    with pytest.raises(ClaimError):
        claim("1.5", torch.tensor([1.0, value]), torch.tensor([1.0, value]))
    with pytest.raises(ClaimError):
        claim("1.5", 1.0, value, relation="<=")


def test_inequality_has_a_direction():
    claim("1.6", 1.0, 2.0, relation="<=")
    claim("1.6", 2.0, 1.0, relation=">=")
    with pytest.raises(ClaimError):
        claim("1.6", 2.0, 1.0, relation="<=")
    with pytest.raises(ClaimError):
        claim("1.6", torch.tensor([3.0, 1.0]), torch.tensor([2.0, 2.0]), relation=">=")


def test_monte_carlo_is_judged_by_its_own_standard_error():
    claim("1.7", samples(10_000, 2.0), 2.0, by="monte-carlo")
    claim("1.7", samples(10_000, 2.0, spread=100.0), 3.0, by="monte-carlo")
    with pytest.raises(ClaimError):
        claim("1.7", samples(10_000, 2.0), 2.1, by="monte-carlo")


def test_two_sampled_sides_share_their_error():
    claim("1.8", samples(4_000, 2.0), samples(4_000, 2.0), by="monte-carlo")
    with pytest.raises(ClaimError):
        claim("1.8", samples(4_000, 2.0), samples(4_000, 2.5), by="monte-carlo")


def test_constant_samples_must_be_exact():
    claim("1.9", torch.full((10,), 2.0), 2.0, by="monte-carlo")
    with pytest.raises(ClaimError):
        claim("1.9", torch.full((10,), 2.0), 2.001, by="monte-carlo")


def test_limit_must_shrink_and_arrive():
    claim("1.10", [1.1, 1.01, 1.001], 1.0, by="limit", tolerance=1e-2)
    with pytest.raises(ClaimError):
        claim("1.10", [1.001, 1.1, 1.0005], 1.0, by="limit", tolerance=1e-2)
    with pytest.raises(ClaimError):
        claim("1.10", [1.3, 1.2, 1.1], 1.0, by="limit", tolerance=1e-2)


def test_sympy_compares_expressions():
    t = sympy.Symbol("t")
    claim("1.11", (t + 1) ** 2, t**2 + 2 * t + 1, by="sympy")
    with pytest.raises(ClaimError):
        claim("1.11", (t + 1) ** 2, t**2 + 1, by="sympy")


@pytest.mark.usefixtures("at_the_door")
def test_misuse_is_refused():
    with pytest.raises(ValueError, match="by is 'guess'"):
        claim("1.12", 1.0, 1.0, by="guess")
    with pytest.raises(ValueError, match="relation is"):
        claim("1.12", 1.0, 1.0, relation="<")
    with pytest.raises(ValueError, match="shape"):
        claim("1.12", torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError, match="empty"):
        claim("1.12", torch.ones(0), torch.ones(0))
    with pytest.raises(ValueError, match="first axis"):
        claim("1.12", 1.0, 1.0, by="monte-carlo")
    with pytest.raises(ValueError, match="three or more"):
        claim("1.12", [1.0, 1.0], 1.0, by="limit")
