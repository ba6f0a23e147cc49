"""The state of a run in one file, so that it can go on as if it had never stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator


class HasState(Protocol):
    """A network, an optimizer, a schedule: anything that can say its state and take it back."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


Parts = Mapping[str, HasState | Generator]


def save_checkpoint(path: str | Path, parts: Parts, **extra: Any) -> None:
    """Writes the state of every part, and whatever else is named, into one file.

    The file is complete or not there: it is written under another name and then moved.

    >>> import tempfile, pathlib
    >>> layer = torch.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(pathlib.Path(folder) / "run.pt", {"layer": layer}, step=7)
    ...     load_checkpoint(pathlib.Path(folder) / "run.pt", {"layer": layer})
    {'step': 7}
    """
    states = {
        name: part.get_state() if isinstance(part, Generator) else part.state_dict()
        for name, part in parts.items()
    }
    path = Path(path)
    unfinished = path.with_name(path.name + ".part")
    torch.save({"parts": states, "extra": extra}, unfinished)
    os.replace(unfinished, path)


def load_checkpoint(path: str | Path, parts: Parts) -> dict[str, Any]:
    """Gives every part its saved state back, in place; returns what else was saved.

    A run saved on one device may go on on another, where its generator has another kind of
    state: that is refused, since it could not repeat the same numbers.

    Raises:
        ValueError: the file holds other parts than these, or a generator of another device.
    """
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if set(saved["parts"]) != set(parts):
        raise ValueError(
            f"{Path(path).name} holds {sorted(saved['parts'])}; expected {sorted(parts)}"
        )
    for name, part in parts.items():
        state = saved["parts"][name]
        if not isinstance(part, Generator):
            part.load_state_dict(state)
        elif state.shape == part.get_state().shape:
            part.set_state(state)
        else:
            raise ValueError(
                f"{Path(path).name} holds a generator {name!r} of another device; "
                f"expected one of {part.device}"
            )
    return saved["extra"]
