"""Checkpoints: whole or absent, and only for the run they came from."""

from __future__ import annotations

import pytest
import torch

from mdcv.seeds import generator
from mdcv.train import load_checkpoint, save_checkpoint


def test_every_part_gets_its_state_back(tmp_path):
    layer, source = torch.nn.Linear(2, 2), generator(1)
    weight = layer.weight.detach().clone()
    save_checkpoint(tmp_path / "a.pt", {"layer": layer, "source": source}, step=3)
    expected = torch.rand(4, generator=source)
    with torch.no_grad():
        layer.weight.zero_()
    assert load_checkpoint(tmp_path / "a.pt", {"layer": layer, "source": source}) == {"step": 3}
    assert layer.weight.equal(weight)
    assert torch.rand(4, generator=source).equal(expected)


def test_a_failed_saving_leaves_the_old_file(tmp_path, monkeypatch):
    layer, file = torch.nn.Linear(1, 1), tmp_path / "a.pt"
    save_checkpoint(file, {"layer": layer}, step=1)

    def broken(content, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(file, {"layer": layer}, step=2)
    assert load_checkpoint(file, {"layer": layer}) == {"step": 1}


def test_another_run_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", {"net": torch.nn.Linear(1, 1)})
    with pytest.raises(ValueError, match=r"a.pt holds \['net'\]; expected \['critic'\]"):
        load_checkpoint(tmp_path / "a.pt", {"critic": torch.nn.Linear(1, 1)})


def test_a_generator_of_another_device_is_refused(tmp_path):
    class Other(torch.Generator):
        def get_state(self):
            return torch.zeros(16, dtype=torch.uint8)

    save_checkpoint(tmp_path / "a.pt", {"source": Other()})
    with pytest.raises(ValueError, match="generator 'source' of another device"):
        load_checkpoint(tmp_path / "a.pt", {"source": generator(0)})
