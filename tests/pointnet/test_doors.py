import pytest
import torch

from mdcv.pointnet.doors import check_points, check_sizes

BAD = {
    "a list": ([[[0.0, 0.0, 0.0]]], "list"),
    "one cloud without a batch": (torch.zeros(5, 3), "shape"),
    "integers": (torch.zeros(1, 5, 3, dtype=torch.int64), "int64"),
    "coordinates first": (torch.zeros(2, 3, 5), r"expected \(B, N, 3\)"),
    "no point": (torch.zeros(2, 0, 3), "empty set"),
    "NaN": (torch.full((1, 5, 3), float("nan")), "NaN"),
    "infinity": (torch.full((1, 5, 3), float("inf")), "infinity"),
    "another dtype than the network": (torch.zeros(1, 5, 3).double(), "the network"),
}


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("case", BAD)
def test_bad_clouds_are_refused(case):
    points, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        check_points("points", points, 3, like=torch.nn.Linear(3, 1))


def test_too_few_points_are_refused_with_the_number_wanted():
    with pytest.raises(ValueError, match="at least 8 points"):
        check_points("points", torch.zeros(1, 7, 3), 3, least=8)
    check_points("points", torch.zeros(1, 8, 3), 3, least=8)


def test_a_network_without_weights_takes_any_dtype():
    check_points("points", torch.zeros(1, 1, 3).double(), 3, like=torch.nn.ReLU())


@pytest.mark.parametrize("sizes", [[], [0], [2.0], [True], 3, "12", [4, -1]])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="expected integers >= 1"):
        check_sizes("widths", sizes)


def test_sizes_come_back_as_a_tuple():
    assert check_sizes("widths", [3, 4]) == (3, 4)
