"""Differences in words: true for infinities too, and without the answer."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.exercises.wording import distance_in_words


@pytest.mark.parametrize(
    ("yours", "theirs", "words"),
    [
        ([1.0, 2.0, 3.3], [1.0, 2.0, 3.0], "1 of 3 entries are off, by up to 10 %"),
        ([2.0, 6.0], [1.0, 2.0], "2 of 2 entries are off, by up to 2 times the right value"),
        ([math.inf, 3.3], [math.inf, 3.0], "1 of 2 entries are off, by up to 10 %"),
        ([-math.inf, 3.0], [math.inf, 3.0], "1 of 2 entries are off"),
        ([1.0, 3.0], [math.inf, 3.0], "1 of 2 entries are off, some infinite or NaN where"),
        ([math.nan, 3.0], [1.0, 3.0], "1 of 2 entries are off, some infinite or NaN where"),
    ],
)
def test_how_far_off(yours, theirs, words):
    told = distance_in_words(torch.tensor(yours), torch.tensor(theirs))
    assert told.startswith(words) and "nan" not in told
    assert told == words or words.endswith("where")


def test_integers_are_counted():
    told = distance_in_words(torch.tensor([1, 2, 3]), torch.tensor([1, 5, 7]))
    assert told == "2 of 3 entries differ"
