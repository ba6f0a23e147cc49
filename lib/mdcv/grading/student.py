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
        done = {"done": message["do"]}
        if message["do"] == "file":
            done["trouble"] = _write(message["name"], payload)
        elif message["do"] == "cell":
            shell.run_one(message["source"])
        elif message["do"] == "drop" and asked:
            with contextlib.suppress(OSError):
                os.kill(asked, signal.SIGKILL)
                os.waitpid(asked, 0)
            asked = 0
        elif message["do"] == "question" and forks:
            asked = os.fork()
            if not asked:
                _answer_and_end(channel, handles[0], shell, message["symbol"])
        channel.send(done)
        if message["do"] == "question" and not forks:
            answer(handles[0], shell, message["symbol"])
        for handle in handles:
            os.close(handle)


def _answer_and_end(channel: Channel, handle: int, shell: Shell, symbol: str) -> None:
    """Turns this fork of the kernel into what answers one question; never returns."""
    try:
        channel.close()
        answer(handle, shell, symbol)
    finally:
        os._exit(0)


def _write(name: str, content: bytes) -> str:
    """Lays a file beside the notebook; returns why it could not."""
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "odd name"
    return ""


def answer(handle: int, shell: Shell, symbol: str) -> None:
    """Says whether the symbol is there, then what comes of each call of it."""
    channel = Channel(socket.socket(fileno=os.dup(handle)))
    shown, shell.outbox.channel = shell.outbox.channel, None  # it would be hidden cases
    try:
        thing = eval(symbol, shell.user_ns)
    except BaseException as error:
        with contextlib.suppress(Closed):
            channel.send({"missing": type(error).__name__, "words": _words(error)})
    else:
        with contextlib.suppress(Closed, Malformed):
            channel.send({"ready": True})
            while True:
                message, payload = channel.receive()
                channel.send(*_reply(thing, message, payload))
    finally:
        channel.close()
        shell.outbox.channel = shown


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
