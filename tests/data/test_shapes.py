"""The six families: their size, their place, their proportions."""

from __future__ import annotations

import inspect
import re

import pytest
import torch

from mdcv.data import SOLIDS, chair, plane, sphere, table
from mdcv.seeds import generator

every = pytest.mark.parametrize("name", SOLIDS)

#: Every proportion with its standard, lowest and highest value, as the docstrings tell them.
_ENTRY = re.compile(r"(\w+): .*?([\d.]+) \(([\d.]+) to\s+([\d.]+)\)", re.DOTALL)


def told(name: str) -> dict[str, tuple[float, float, float]]:
    text = inspect.getdoc(SOLIDS[name]).split("generator:")[1].split("Raises:")[0]
    entries = [" ".join(line.split()) for line in re.split(r"\n    (?=\w+: )", text)[1:]]
    return {
        m[1]: (float(m[2]), float(m[3]), float(m[4])) for e in entries if (m := _ENTRY.match(e))
    }


def test_the_families_have_their_names():
    assert list(SOLIDS) == ["chair", "table", "lamp", "plane", "sphere", "torus"]
    for name, family in SOLIDS.items():
        assert family().name == family.__name__ == name


@every
def test_every_member_fits_the_unit_cube_and_is_centered_in_height(name):
    draws = generator(0)
    for solid in [SOLIDS[name](), *(SOLIDS[name](generator=draws) for _ in range(50))]:
        low, high = solid.bounds
        assert min(low) >= -0.5 - 1e-9 and max(high) <= 0.5 + 1e-9
        assert low[1] + high[1] == pytest.approx(0, abs=1e-9)
        assert low[0] + high[0] == pytest.approx(0, abs=1e-9)
        assert max(b - a for a, b in zip(low, high, strict=True)) > 0.35


@every
def test_one_seed_gives_one_solid(name):
    family = SOLIDS[name]
    assert family(generator=generator(3)) == family(generator=generator(3))
    assert family(generator=generator(3)) != family(generator=generator(4))
    assert family() == family()


@every
def test_proportions_are_as_documented_and_others_are_refused(name):
    ranges = told(name)
    parameters = set(inspect.signature(SOLIDS[name]).parameters) - {"generator"}
    assert set(ranges) == parameters
    for parameter, (standard, low, high) in ranges.items():
        assert SOLIDS[name](**{parameter: standard}) == SOLIDS[name]()
        for value in (low, high):
            SOLIDS[name](**{parameter: value})
        for value in (low - 0.01, high + 0.01, float("nan")):
            with pytest.raises(ValueError, match=f"{parameter} is .*; expected a number from"):
                SOLIDS[name](**{parameter: value})


def test_fixing_one_proportion_leaves_the_other_draws_alone():
    free, fixed = table(generator=generator(5)), table(generator=generator(5), height=0.5)
    width = [solid.bounds[1][0] for solid in (free, fixed)]
    assert width[0] == width[1]
    assert fixed.bounds[1][1] == pytest.approx(0.25)


def test_proportions_do_what_they_say():
    assert sphere(radius=0.25).bounds[1] == (0.25, 0.25, 0.25)
    assert plane(span=0.8).bounds[1][0] == pytest.approx(0.4)
    low, high = chair(seat_height=0.4, back_height=0.4, width=0.45, tilt=0.0).bounds
    assert high[1] - low[1] == pytest.approx(0.8)
    assert high[0] - low[0] == pytest.approx(0.45)


def test_proportions_are_drawn_independently():
    draws = generator(6)
    sizes = torch.tensor([table(generator=draws).bounds[1] for _ in range(400)])
    correlation = torch.corrcoef(sizes.T)
    off_diagonal = correlation[~torch.eye(3, dtype=torch.bool)]
    assert float(off_diagonal.abs().max()) < 5 / 20
    # Each runs through its whole range: width 0.6 to 1, height 0.35 to 0.7, depth 0.45 to 0.8.
    expected = torch.tensor([[0.3, 0.175, 0.225], [0.5, 0.35, 0.4]])
    found = torch.stack((sizes.amin(dim=0), sizes.amax(dim=0)))
    torch.testing.assert_close(found, expected, atol=0.005, rtol=0)
