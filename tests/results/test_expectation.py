"""An expectation is held against the table, and an honest verdict comes back."""

from __future__ import annotations

import pytest

from mdcv.results import Expectation, Summary
from mdcv.results.expectation import read

NAN = float("nan")


def table(left, right, spread=0.1):
    return [Summary("d", "a", "x", left, spread, 3), Summary("d", "b", "x", right, spread, 3)]


@pytest.mark.parametrize(
    ("relation", "left", "right", "verdict"),
    [
        ("<", 1.0, 2.0, "as expected"),
        ("<", 2.0, 1.0, "otherwise"),
        ("<", 1.1, 1.0, "within the spread"),
        ("<", 1.0, 1.0, "within the spread"),
        ("<=", 1.0, 1.0, "as expected"),
        (">", 2.0, 1.0, "as expected"),
        (">", 1.0, 2.0, "otherwise"),
        (">=", 1.0, 1.0, "as expected"),
        (">=", 1.0, 3.0, "otherwise"),
    ],
)
def test_the_verdict_follows_the_means_and_their_spread(relation, left, right, verdict):
    expected = Expectation("d", ("a", "x"), relation, ("b", "x"), "a paper")
    assert read(expected, table(left, right)).verdict == verdict


def test_one_seed_excuses_nothing():
    expected = Expectation("d", ("a", "x"), "<", ("b", "x"), "a paper")
    assert read(expected, table(1.001, 1.0, NAN)).verdict == "otherwise"


def test_a_line_that_is_not_there_is_refused():
    expected = Expectation("d", ("a", "x"), "<", ("c", "x"), "a paper")
    with pytest.raises(ValueError, match=r"no line \('d', 'c', 'x'\)"):
        read(expected, table(1.0, 2.0))


def test_an_unknown_relation_is_refused():
    expected = Expectation("d", ("a", "x"), "~", ("b", "x"), "a paper")
    with pytest.raises(ValueError, match="relation"):
        read(expected, table(1.0, 2.0))


def test_an_expectation_reads_as_a_sentence():
    same = Expectation("ring", ("WGAN", "modes"), ">", ("GAN", "modes"), "a paper")
    other = Expectation("ring", ("VAE", "IWAE"), "<", ("VAE", "ELBO"), "a paper")
    assert str(same) == "ring: modes of WGAN > GAN"
    assert str(other) == "ring: IWAE of VAE < ELBO of VAE"
