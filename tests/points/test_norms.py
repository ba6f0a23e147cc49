import torch

from mdcv.points.norms import zero_safe_root


def test_root_of_squares():
    torch.testing.assert_close(zero_safe_root(torch.tensor([9.0, 0.0])), torch.tensor([3.0, 0.0]))


def test_all_derivatives_are_zero_where_the_length_is():
    difference = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    length = zero_safe_root(difference.square().sum())
    (first,) = torch.autograd.grad(length, difference, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), difference)
    assert first.tolist() == second.tolist() == [0.0, 0.0, 0.0]


def test_nan_and_infinity_come_through():
    root = zero_safe_root(torch.tensor([float("nan"), float("inf")]))
    assert root[0].isnan() and root[1].isinf()


def test_derivatives_away_from_zero():
    squared = torch.tensor([0.3, 4.0, 1e-6], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(zero_safe_root, squared, eps=1e-9, rtol=1e-3)
    assert torch.autograd.gradgradcheck(zero_safe_root, squared[:2].detach().requires_grad_())
