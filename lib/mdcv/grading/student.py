"""The student's side of a grading: runs cells, and answers questions about what they defined.

It runs inside the walls, beside the student's code, so nothing it says is believed. Each graded
question is answered by a fork of the kernel: what a function remembers, changes, hangs or kills
there is gone with it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

from mdcv.grading.shell import Shell
from mdcv.grading.tensors import from_bytes, to_bytes
from mdcv.grading.wire import Channel, Closed, Malformed


def serve(channel: Channel, shell: Shell, *, forks: bool) -> None:
    """Does what the grader asks, until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shell.outbox.connect(channel)
    asked = 0
    while True:
        message, payload, handles = channel.receive_with_handles()
        trouble = ""
        if message["do"] == "file":
            trouble = _write(message["name"], payload)
        elif message["do"] == "cell":
            shell.run_one(message["source"])
        elif message["do"] == "question":
            asked = _question(channel, shell, handles[0], message["symbol"], forks=forks)
        elif message["do"] == "drop" and asked:
            with contextlib.suppress(OSError):
                os.kill(asked, signal.SIGKILL)
                os.waitpid(asked, 0)
            asked = 0
        for handle in handles:
            os.close(handle)
        channel.send({"done": message["do"], "trouble": trouble})


def _write(name: str, content: bytes) -> str:
    """Lays a file beside the notebook; returns why it could not."""
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "odd name"
    return ""


def _question(channel: Channel, shell: Shell, handle: int, symbol: str, *, forks: bool) -> int:
    """Answers one question in a fork of this process, and returns its id; else here and now."""
    if forks:
        pid = os.fork()
        if pid:
            return pid
    try:
        if forks:
            channel.close()
        own = Channel(socket.socket(fileno=os.dup(handle)))
        with contextlib.suppress(Closed, Malformed):
            answer(own, shell, symbol)
        own.close()
    finally:
        if forks:
            os._exit(0)
    return 0


def answer(channel: Channel, shell: Shell, symbol: str) -> None:
    """Says what the symbol is, then what comes of each call of it."""
    quiet = shell.outbox.channel
    shell.outbox.channel = None  # what a graded function prints would be hidden cases
    try:
        thing = eval(symbol, shell.user_ns)
    except BaseException as error:
        channel.send({"missing": type(error).__name__, "words": _words(error)})
        return
    finally:
        shell.outbox.channel = quiet
    shell.outbox.channel = None
    try:
        channel.send({"callable": callable(thing), "type": type(thing).__name__})
        while True:
            message, payload = channel.receive()
            channel.send(*_reply(thing, message, payload))
    finally:
        shell.outbox.channel = quiet


def _words(error: BaseException) -> str:
    try:
        return str(error)[:1000]
    except BaseException:
        return ""


def _reply(thing: Any, message: dict, payload: bytes) -> tuple[dict, bytes]:
    """What comes of one call, packed; that it was late, when it was."""
    calling, packing = _exercises("calling"), _exercises("packing")
    asking = packing.unpack_call(message["call"], from_bytes(message["tensors"], payload))
    found = calling.answer_within(thing, asking, message["limit"])
    if found is None:
        return {"late": True}, b""
    answer, tensors = packing.pack_answer(found)
    listed, content = to_bytes(tensors)
    return {"answer": answer, "tensors": listed}, content


def _exercises(name: str) -> ModuleType:
    """A module of the student's own copy of `mdcv`."""
    return importlib.import_module(f"mdcv.exercises.{name}")
