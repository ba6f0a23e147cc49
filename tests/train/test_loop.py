"""The loop: what it hands over, what it returns, and that a resumed run is the same run."""

from __future__ import annotations

import pytest
import torch

from mdcv.seeds import generator
from mdcv.train import draw_batch, train


class Run:
    """A small network with dropout-like noise, and an optimizer with a memory."""

    def __init__(self, device: str = "cpu") -> None:
        rng = generator(3)
        self.x = torch.randn(50, 3, generator=rng).to(device)
        self.y = self.x @ torch.tensor([1.0, -2.0, 0.5], device=device)
        self.net = torch.nn.Linear(3, 1).to(device)
        with torch.no_grad():
            for parameter in self.net.parameters():
                parameter.fill_(0.1)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.05)
        self.keep = {"net": self.net, "optimizer": self.optimizer}
        self.indices: list[int] = []

    def step(self, k: int, source: torch.Generator):
        self.indices.append(k)
        x, y = draw_batch(8, self.x, self.y, generator=source)
        noise = 0.1 * torch.randn(8, generator=source, device=source.device)
        self.optimizer.zero_grad()
        loss = (self.net(x)[:, 0] + noise - y).square().mean()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss, "step": k}

    @property
    def weights(self) -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in self.net.parameters()])


def test_a_run_learns_and_returns_every_number(device):
    run = Run(device)
    history = train(run.step, 200, device=device, progress=False)
    assert run.indices == list(range(200))
    assert history["step"].tolist() == list(range(200))
    assert history["loss"].shape == (200,) and history["loss"].dtype == torch.float64
    assert history["loss"].device.type == "cpu"
    assert history["loss"][-20:].mean() < 0.2 * history["loss"][:20].mean()


def test_the_seed_decides_everything(device):
    runs = [Run(device) for _ in range(3)]
    losses = [
        train(run.step, 20, seed=seed, device=device, progress=False)["loss"]
        for run, seed in zip(runs, (5, 5, 6), strict=True)
    ]
    assert losses[0].equal(losses[1]) and runs[0].weights.equal(runs[1].weights)
    assert not losses[0].equal(losses[2])


def test_the_global_generator_is_left_alone():
    run = Run()
    state = torch.default_generator.get_state()
    train(run.step, 3, progress=False)
    assert torch.default_generator.get_state().equal(state)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("stop", [1, 7, 10, 24])
def test_a_resumed_run_equals_an_uninterrupted_one(device, stop, tmp_path):
    whole = Run(device)
    expected = train(whole.step, 25, seed=2, device=device, progress=False)

    def until(k, source):
        if k == stop:
            raise Interrupted
        return first.step(k, source)

    first, second, file = Run(device), Run(device), tmp_path / "run.pt"
    options = {"seed": 2, "device": device, "progress": False, "checkpoint": file, "save_every": 5}
    with pytest.raises(Interrupted):
        train(until, 25, keep=first.keep, **options)
    history = train(second.step, 25, keep=second.keep, **options)
    assert second.indices == list(range(stop - stop % 5, 25))
    assert second.weights.equal(whole.weights)
    assert history["loss"].equal(expected["loss"]) and history["step"].equal(expected["step"])


def test_a_finished_run_is_not_run_again_and_can_be_made_longer(tmp_path):
    run, file = Run(), tmp_path / "run.pt"
    train(run.step, 12, keep=run.keep, checkpoint=file, progress=False)
    again = Run()
    history = train(again.step, 12, keep=again.keep, checkpoint=file, progress=False)
    assert again.indices == [] and len(history["loss"]) == 12
    assert again.weights.equal(run.weights)
    longer = train(again.step, 15, keep=again.keep, checkpoint=file, progress=False)
    assert again.indices == [12, 13, 14] and len(longer["loss"]) == 15


def test_one_number_is_called_loss():
    history = train(lambda k, source: 0.5 * k, 3, progress=False)
    assert history["loss"].tolist() == [0.0, 0.5, 1.0]


def test_a_number_that_changes_later_is_written_down_as_it_was():
    value = torch.zeros(())
    history = train(lambda k, source: value.add_(1), 3, progress=False)
    assert history["loss"].tolist() == [1.0, 2.0, 3.0]


def test_no_graph_is_kept():
    x = torch.ones((), requires_grad=True)
    assert not train(lambda k, source: x * 2, 2, progress=False)["loss"].requires_grad


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(ValueError, match="steps is 0; expected an integer >= 1"):
        train(lambda k, source: 0.0, 0)
    with pytest.raises(ValueError, match="checkpoint is given and keep is empty"):
        train(lambda k, source: 0.0, 1, checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match="returned NoneType as 'loss'; expected a number"):
        train(lambda k, source: None, 1, progress=False)
    with pytest.raises(ValueError, match=r"step 1 returned \['b'\]; expected \['a'\]"):
        train(lambda k, source: {"ab"[k]: 0.0}, 2, progress=False)
