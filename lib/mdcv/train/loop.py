"""The loop that every training run of the course shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Generator, Tensor

from mdcv.errors import check_integer
from mdcv.seeds import generator
from mdcv.train.checkpoint import Parts, load_checkpoint, save_checkpoint
from mdcv.train.progress import ProgressLine

Number = Tensor | float
#: Does one step, drawing all its random numbers from the generator; returns what to write down.
Step = Callable[[int, Generator], Number | Mapping[str, Number]]


def train(
    step: Step,
    steps: int,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: bool = True,
    name: str = "training",
    checkpoint: str | Path | None = None,
    keep: Parts | None = None,
    save_every: int = 100,
) -> dict[str, Tensor]:
    """What each step returned, by name: one float64 tensor (steps,) each, on the CPU.

    The loop calls `step(k, generator)` for k = 0, 1, ..., steps − 1. What a step is (which
    network, which optimizer, how many of them) is the step's own affair. A single number it
    returns is called "loss".

    With a `checkpoint` file the run can be interrupted at any time and started again: it goes on
    after the last saved step, and ends with the same numbers as a run that was never interrupted,
    if the step draws from its generator only and everything that changes is in `keep`.

    Args:
        step: one step; see above.
        steps: how many there are in all, those of an interrupted run included.
        seed: of the generator that every step is given.
        device: where that generator draws.
        progress: whether to show a line with the newest numbers.
        name: what that line begins with.
        checkpoint: where to save, and to go on from where it is there already.
        keep: what belongs into the checkpoint: networks, optimizers, generators, by name.
        save_every: steps between two savings; the last step always saves.

    Raises:
        ValueError: steps or save_every is below 1, a checkpoint with nothing to keep or of other
            things, or a step that returns other names than the first one did.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> optimizer = torch.optim.SGD([x], lr=0.25)
    >>> def step(k, generator):
    ...     optimizer.zero_grad()
    ...     loss = x**2
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> train(step, 3, progress=False)
    {'loss': tensor([9.0000, 2.2500, 0.5625], dtype=torch.float64)}
    """
    check_integer("steps", steps, low=1)
    check_integer("save_every", save_every, low=1)
    if checkpoint is not None and not keep:
        raise ValueError("checkpoint is given and keep is empty; expected what is to be saved")
    source = generator(seed, device)
    parts: Parts = {**(keep or {}), "the generator of the loop": source}
    history: list[dict[str, Number]] = []
    before: dict[str, Tensor] = {}
    if checkpoint is not None and Path(checkpoint).exists():
        before = load_checkpoint(checkpoint, parts)["history"]
    first = len(next(iter(before.values()), ()))

    with ProgressLine(name, steps, shown=progress) as line:
        for k in range(first, steps):
            values = _named(step(k, source))
            known = before or (history[0] if history else values)
            if set(values) != set(known):
                raise ValueError(f"step {k} returned {sorted(values)}; expected {sorted(known)}")
            history.append(values)
            line.update(k + 1, values)
            if checkpoint is not None and ((k + 1) % save_every == 0 or k + 1 == steps):
                save_checkpoint(checkpoint, parts, history=_joined(before, history))
    return _joined(before, history)


def _named(returned: Number | Mapping[str, Number]) -> dict[str, Number]:
    """The numbers of one step by name, cut from their graph but still on their device."""
    values = returned if isinstance(returned, Mapping) else {"loss": returned}
    named: dict[str, Number] = {}
    for name, value in values.items():
        if isinstance(value, Tensor) and value.numel() == 1:
            named[name] = value.detach().clone().reshape(())
        elif isinstance(value, int | float):
            named[name] = float(value)
        else:
            raise ValueError(
                f"a step returned {type(value).__name__} as {name!r}; expected a number"
            )
    return named


def _joined(before: Mapping[str, Tensor], history: list[dict[str, Number]]) -> dict[str, Tensor]:
    """The numbers of an interrupted run, and those that came after."""
    joined = dict(before)
    for name in history[0] if history else ():
        new = torch.stack([torch.as_tensor(values[name]).double().cpu() for values in history])
        joined[name] = torch.cat([before[name], new]) if before else new
    return joined
