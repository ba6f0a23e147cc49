"""One running kernel, as the grader holds it: a channel to talk through, and ways to end it."""

from __future__ import annotations

import contextlib
import os
import signal

from mdcv.grading.wire import Channel


class Kernel:
    """One running kernel, at the end of a channel."""

    def __init__(self, channel: Channel, pid: int) -> None:
        self.channel = channel
        self._pid = pid
        self._handle = os.pidfd_open(pid) if pid and hasattr(os, "pidfd_open") else None

    def interrupt(self) -> None:
        """What the stop button of a notebook does."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Ends the kernel at once. What it started is ended by its template."""
        self._signal(signal.SIGKILL)
        self.channel.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, number)
            elif self._pid and not hasattr(os, "pidfd_open"):
                os.kill(self._pid, number)
