"""What the template does once, so that no kernel forked from it has to.

It runs in the template, where of this library only what students may see is left.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mdcv.grading.shell import Shell

#: Imported for every notebook; what is not installed is passed over.
ALWAYS = (
    *("torch", "numpy", "scipy", "matplotlib", "matplotlib.pyplot", "matplotlib_inline"),
    *("matplotlib_inline.backend_inline", "PIL.PngImagePlugin", "torch.testing"),
    *("mdcv.seeds", "pexpect"),
)


def preload(modules: Iterable[str]) -> None:
    """Imports what will be asked for; what cannot be imported is the notebook's to find out."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def rehearse(shell: Shell, cells: list[str]) -> None:
    """Runs the cells that an assignment came with, and forgets what they defined.

    What they import, read from disk and draw for the first time is then there for every fork.
    """
    if not cells:
        return
    for source in cells:
        shell.run_one(source)
    shell.reset(new_session=True)


def seed(number: int) -> None:
    """Sets all global random states: no kernel knows what was rehearsed before it."""
    import numpy as np
    import torch

    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


def warm_up() -> None:
    """Runs once what is slow for the first time: a training step, a comparison, a figure.

    One submission alone does not earn back what this takes.
    """
    import torch

    leaf = torch.ones(3, requires_grad=True)
    (leaf * leaf).sum().backward()
    torch.optim.SGD([leaf], lr=0.0).step()
    torch.testing.assert_close(leaf, torch.ones(3, requires_grad=True))
    with contextlib.suppress(ImportError):
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1], label="warm")
        axes.legend()
        axes.set_title("$x^2$")
        figure.savefig(io.BytesIO(), bbox_inches="tight")
        plt.close(figure)
