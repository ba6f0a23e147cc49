"""Seeds, devices and door checks: what the rest stands on."""

from __future__ import annotations

import pytest
import torch

from mdcv import errors
from mdcv.device import choose_device
from mdcv.seeds import generator


def test_same_seed_same_numbers_other_seed_other_numbers():
    draw = [torch.rand(5, generator=generator(seed)) for seed in (1, 1, 2)]
    torch.testing.assert_close(draw[0], draw[1], rtol=0, atol=0)
    assert not torch.equal(draw[0], draw[2])


def test_generator_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    torch.rand(3, generator=generator(5))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, None])
def test_a_seed_that_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed is"):
        generator(seed)


def test_device_is_the_one_asked_for(monkeypatch):
    assert choose_device("cpu").type == "cpu"
    monkeypatch.setenv("MDCV_DEVICE", "cpu")
    assert choose_device().type == "cpu"
    monkeypatch.delenv("MDCV_DEVICE")
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_unknown_or_missing_device_is_refused():
    with pytest.raises(ValueError, match="expected 'cpu'"):
        choose_device("gpu!")
    with pytest.raises(ValueError, match="CUDA devices are here"):
        choose_device(f"cuda:{torch.cuda.device_count()}")


def test_clouds_are_checked_axis_by_axis():
    x = torch.zeros(2, 4, 3)
    errors.check_clouds(x, torch.zeros(2, 7, 3))
    for wrong, words in [
        (torch.zeros(1, 4, 3), "axis B should be 2"),
        (torch.zeros(2, 4, 2), "axis D should be 3"),
        (torch.zeros(4, 3), r"expected \(B, M, D\)"),
        (torch.zeros(2, 4, 3).double(), "float64"),
        (torch.zeros(2, 4, 3).long(), "floating-point"),
        (torch.zeros(2, 0, 3), "empty set"),
        ([[1.0]], "list"),
    ]:
        with pytest.raises(ValueError, match=words):
            errors.check_clouds(x, wrong)
    errors.check_clouds(x, torch.zeros(2, 0, 3), allow_empty=True)


def test_options_are_compared_by_value_and_type():
    errors.check_option("reduction", "sum", ("sum", "mean"))
    for wrong in ("avg", None, 1, ["sum"]):
        with pytest.raises(ValueError, match="expected one of"):
            errors.check_option("reduction", wrong, ("sum", "mean"))
    with pytest.raises(ValueError):
        errors.check_option("squared", 1, (True, False))


def test_integers_are_integers():
    errors.check_integer("k", 3, low=1, high=3)
    for wrong in (0, 4, 2.0, True, "2"):
        with pytest.raises(ValueError, match="k is"):
            errors.check_integer("k", wrong, low=1, high=3)
