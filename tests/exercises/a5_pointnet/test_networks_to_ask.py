"""What questions about networks on sets bring along: maps for points, and a short training."""

from __future__ import annotations

import torch
from torch import nn

from mdcv.exercises.calling import attempt
from mdcv.exercises.cases import Draw, Made
from mdcv.seeds import generator


class Line(nn.Module):
    """A student's class: a line."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, dtype=torch.float64)

    def forward(self, x):
        return self.layer(x)

    def mark(self):
        return torch.tensor(self.training)


def fit(targets, *asks, steps=200, mode="eval"):
    x = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)
    sizes = (3, 1) if targets.is_floating_point() else (3, 4)
    first = ("@fit", (x, targets), {"steps": steps, "lr": 0.05})
    arguments = (sizes, [first, *asks])
    return attempt(Line, arguments, {"mode": mode}, None, "then_ask").values


def test_a_fit_to_numbers_lowers_the_mean_square():
    (losses,) = fit(torch.linspace(0, 2, 5, dtype=torch.float64)[:, None])
    assert losses.shape == (200,)
    assert losses[-1] < 0.05 * losses[0]


def test_a_fit_to_classes_lowers_the_cross_entropy_in_any_mode():
    for mode in ("train", "eval"):
        losses, training = fit(torch.tensor([0, 0, 3, 3, 3]), ("mark", (), {}), mode=mode)
        assert losses[-1] < 0.3 * losses[0]
        assert bool(training) == (mode == "train")


def test_gradients_reach_what_is_used_and_nothing_else():
    class Idle(Line):
        def __init__(self, inputs, outputs):
            super().__init__(inputs, outputs)
            self.idle = nn.Linear(2, 2)
            self.frozen = nn.Parameter(torch.eye(3), requires_grad=False)

    x, targets = torch.ones(5, 3).double(), torch.ones(5, 1).double()
    asks = [("@fit", (x, targets), {"steps": 2, "lr": 0.1}), ("@reach", (), {})]
    _, reach = attempt(Idle, ((3, 1), asks), {}, None, "then_ask").values
    assert [float(largest) > 0 for largest in reach] == [True, False]


def test_the_first_loss_is_that_of_the_untrained():
    x = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)
    targets = torch.ones(5, 1, dtype=torch.float64)
    asks = [("", (x,), {}), ("@fit", (x, targets), {"steps": 1, "lr": 0.1}), ("", (x,), {})]
    before, losses, after = attempt(Line, ((3, 1), asks), {}, None, "then_ask").values
    torch.testing.assert_close(losses[0], (before - 1).square().mean())
    assert not torch.equal(before, after)


def test_a_point_network_treats_every_point_by_itself():
    draw = Draw(0, "test")
    layers = [(draw.tensor(5, 3), draw.tensor(5)), (draw.tensor(4, 5), draw.tensor(4))]
    network = Made("point_network", layers=layers, activation="tanh")
    points = torch.rand(2, 7, 3, generator=generator(0), dtype=torch.float64)
    came = attempt(lambda h, x: h(x), (network, points), {}).value
    (w, b), (v, c) = layers
    torch.testing.assert_close(came[1, 4], v @ torch.tanh(w @ points[1, 4] + b) + c)
