"""One line that says how far a run is."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

#: Seconds between two looks at the numbers. Reading them waits for a GPU, so it is not done often.
TERMINAL, NOTEBOOK, PLAIN = 0.1, 0.5, 10.0
WIDTH = 24


class ProgressLine:
    """A bar with the newest numbers: redrawn in place where a person watches, else now and then.

    In a terminal the line is overwritten. In a notebook it is one output that changes, so a saved
    page shows only how the run ended. Anywhere else (a log file, a grader) a new line comes every
    ten seconds and at the end. No thread runs beside it, and nothing is needed but Python.

    Args:
        name: what stands in front.
        total: how many steps there will be.
        shown: nothing is written unless this is true.
        stream: where to write outside of notebooks; standard output by default.

    >>> with ProgressLine("counting", 4) as line:
    ...     for done in range(1, 5):
    ...         line.update(done, {"loss": 1 / done})
    counting ━━━━━━━━━━━━━━━━━━━━━━━━ 4/4  0.0 s  loss 0.25
    """

    def __init__(
        self, name: str, total: int, *, shown: bool = True, stream: TextIO | None = None
    ) -> None:
        self._name, self._total, self._shown = name, total, shown
        self._stream = stream or sys.stdout
        self._output = _notebook_output() if shown and stream is None else None
        self._in_place = self._output is not None or self._stream.isatty()
        self._pause = NOTEBOOK if self._output else TERMINAL if self._in_place else PLAIN
        self._begun = self._drawn = time.monotonic()
        self._done, self._values, self._length = 0, {}, 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._done:
            self._draw()
            if self._in_place and self._output is None:
                self._stream.write("\n")

    def update(self, done: int, values: Mapping[str, Any]) -> None:
        """Notes that `done` steps are done; draws when it is time."""
        self._done, self._values = done, values
        now = time.monotonic()
        if self._shown and now - self._drawn >= self._pause:
            self._drawn = now
            self._draw()

    def _draw(self) -> None:
        filled = round(WIDTH * self._done / max(self._total, 1))
        bar = "━" * filled + "╌" * (WIDTH - filled)
        seconds = time.monotonic() - self._begun
        numbers = "".join(f"  {name} {float(value):.4g}" for name, value in self._values.items())
        line = f"{self._name} {bar} {self._done}/{self._total}  {seconds:.1f} s{numbers}"
        if self._output is not None:
            self._output.update({"text/plain": line}, raw=True)
        elif self._in_place:
            # Blanks cover what is left of a longer line.
            self._stream.write("\r" + line.ljust(self._length))
            self._length = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()


def _notebook_output() -> Any | None:
    """An output of the running notebook cell that can be changed; None outside of notebooks."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display

    return display({"text/plain": ""}, raw=True, display_id=True)
