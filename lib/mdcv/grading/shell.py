"""The kernel of a student's cells: IPython without Jupyter's sockets, at the end of one channel.

It runs inside the walls and imports nothing of the course. What a cell prints, shows, returns
and raises goes out as frames that say what a notebook would hold.
"""

from __future__ import annotations

import base64
import builtins
import getpass
import io
import os
import signal
import subprocess
import sys
from time import monotonic
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from mdcv.grading.wire import Channel, Closed

#: Text is sent on when there is this much of it, or when this many seconds have gone by.
FULL, SOON = 8_192, 0.2

#: One frame of text carries no more than this.
MOST_TEXT = 1_000_000


class Outbox:
    """Where everything that a cell leaves behind goes."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.owner = 0

    def connect(self, channel: Channel) -> None:
        """From now on things go to this channel, from this process alone."""
        self.channel, self.owner = channel, os.getpid()

    def post(self, message: dict) -> None:
        """Sends one thing. What a forked child of the student's shows goes nowhere."""
        if self.channel is None or os.getpid() != self.owner:
            return
        try:
            self.channel.send(message)
        except Closed:
            os._exit(0)  # nobody grades any more


class Stream(io.TextIOBase):
    """stdout or stderr of a cell."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, name: str, number: int, outbox: Outbox) -> None:
        self.name, self._number, self._outbox = name, number, outbox
        self._held: list[str] = []
        self._size, self._sent = 0, monotonic()

    def write(self, text: str) -> int:
        """Takes text in, and sends it on when there is enough of it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._held.append(text)
        self._size += len(text)
        if self._size > FULL or monotonic() - self._sent > SOON:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Sends what is held."""
        held, self._held, self._size = "".join(self._held), [], 0
        self._sent = monotonic()
        for start in range(0, len(held), MOST_TEXT):
            piece = held[start : start + MOST_TEXT]
            self._outbox.post({"out": "stream", "name": self.name, "text": piece})

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number


class _Publisher(DisplayPublisher):
    """Sends what `display` shows."""

    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **more):
        """Sends one bundle, or a new version of one that was shown before."""
        self._validate_data(data, metadata)
        self.shell.flush_streams()
        self.shell.outbox.post(
            {
                "out": "update_display_data" if update else "display_data",
                "data": _without_bytes(data),
                "metadata": metadata or {},
                "display_id": (transient or {}).get("display_id"),
            }
        )

    def clear_output(self, wait=False):
        """Asks for the cell's outputs to be dropped, at once or when the next one comes."""
        self.shell.flush_streams()
        self.shell.outbox.post({"out": "clear_output", "wait": bool(wait)})


class _Hook(DisplayHook):
    """Sends the value of a cell."""

    def start_displayhook(self) -> None:
        super().start_displayhook()
        self._bundle: tuple[dict, dict] | None = None

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self._bundle = format_dict, md_dict or {}

    def finish_displayhook(self) -> None:
        self.shell.flush_streams()
        if self._bundle and self._bundle[0]:
            data, metadata = self._bundle
            self.shell.outbox.post(
                {"out": "execute_result", "data": _without_bytes(data), "metadata": metadata}
            )
        self._bundle = None
        self._is_active = False


class Shell(InteractiveShell):
    """IPython as a notebook knows it, with everything it shows sent to an outbox."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)

    def __init__(self, **options: Any) -> None:
        self.outbox = Outbox()
        super().__init__(**options)
        #: What asks whether it is in a notebook looks for a kernel.
        self.kernel = _Kernel()

    def init_io(self) -> None:
        self.streams = Stream("stdout", 1, self.outbox), Stream("stderr", 2, self.outbox)

    def flush_streams(self) -> None:
        """Sends what was printed."""
        for stream in self.streams:
            stream.flush()

    def init_user_ns(self) -> None:
        """Fills the names that a notebook begins with, those that `multiprocessing` needs too."""
        super().init_user_ns()
        self.user_ns["__spec__"] = None

    def enable_gui(self, gui: str | None = None) -> None:
        """Does nothing: there is no screen here."""

    def enable_matplotlib(self, gui: str | None = None) -> tuple:
        """Whatever screen a notebook asks for, its pictures come on the page."""
        return super().enable_matplotlib("inline")

    def system(self, cmd: str) -> None:
        """Runs a command of the system and shows what it says; there are no terminals here."""
        command = self.var_expand(cmd, depth=1)
        said = subprocess.run(
            command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        sys.stdout.write(said.stdout.decode(errors="replace"))
        self.user_ns["_exit_code"] = said.returncode

    def _showtraceback(self, etype, evalue, stb) -> None:
        self.flush_streams()
        try:
            words = str(evalue)
        except BaseException:
            words = "an exception without words"
        self.outbox.post(
            {
                "out": "error",
                "ename": str(getattr(etype, "__name__", etype)),
                "evalue": words,
                "traceback": [str(line) for line in stb],
            }
        )

    def run_one(self, source: str) -> None:
        """Runs a cell; an interrupt ends it and nothing else."""
        sys.stdout, sys.stderr = self.streams
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                self.run_cell(source, store_history=True)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm may not ring between two cells
        except KeyboardInterrupt as error:
            self._showtraceback(KeyboardInterrupt, error, ["KeyboardInterrupt"])
        except BaseException as error:  # IPython itself was broken from inside
            self._showtraceback(type(error), error, [f"{type(error).__name__}"])
        self.flush_streams()


class _Kernel:
    """What a notebook's code may expect of `get_ipython().kernel`."""

    def do_shutdown(self, restart: bool = False) -> dict:
        os._exit(0)


def make_shell() -> Shell:
    """The one shell of this process: no history file, no startup files, no questions."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.banner1 = ""
    config.InteractiveShell.colors = "linux"
    shell = Shell.instance(config=config)
    shell.db = {}  # what `%cd` and `%store` write to lies in a folder that is not the student's
    shell.register_magic_function(_nothing, magic_name="autosave")
    builtins.input = getpass.getpass = _no_input
    return shell


def _nothing(line: str) -> None:
    """What the magics of Jupyter itself do here."""


def _no_input(prompt: object = "", *more: object) -> str:
    raise StdinNotImplementedError("input() was called, and nobody is there to answer")


def _without_bytes(data: dict) -> dict:
    """Pictures that came as bytes, as base64."""
    return {
        str(mime): base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for mime, value in data.items()
    }
