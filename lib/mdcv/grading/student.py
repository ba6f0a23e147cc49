"""The student's side of a grading: runs cells, and answers questions about what they defined.

It runs inside the walls, beside the student's code, so nothing it says is believed. Each graded
question is answered by a fork of the kernel: what a function remembers, changes, hangs or kills
there is gone with it. The kernel may go on meanwhile.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
from collections import deque
from pathlib import Path
from typing import Any

import torch

from mdcv.grading.shell import Shell
from mdcv.grading.tensors import from_bytes, to_bytes
from mdcv.grading.wire import Channel, Closed, Malformed


def serve(channel: Channel, shell: Shell, asker: Asker, *, forks: bool) -> None:
    """Does what the grader asks, until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shell.outbox.connect(channel)
    answering: deque[int] = deque()
    here, before = os.getcwd(), None
    while True:
        message, payload, handles = channel.receive_with_handles()
        done = {"done": message["do"]}
        if message["do"] == "file":
            done["trouble"] = _write(message["name"], payload)
        elif before is None:
            before = traces(here)
        if message["do"] == "cell":
            shell.run_one(message["source"])
        elif message["do"] == "drop":
            _end(answering, most=0)
            done["wrote"] = traces(here) != before
        elif message["do"] == "question" and forks:
            _end(answering, most=message["among"] - 1)
            answering.append(os.fork())
            if not answering[-1]:
                _answer_and_end(channel, handles[0], shell, asker, message["symbol"])
        channel.send(done)
        if message["do"] == "question" and not forks:
            answer(handles[0], shell, asker, message["symbol"])
        for handle in handles:
            os.close(handle)


def traces(folder: str) -> set[tuple[str, int, int]]:
    """What lies in a folder, at any depth, with sizes and times: whoever writes there shows."""
    found, waiting = set(), [folder]
    with contextlib.suppress(OSError):
        while waiting:
            place = waiting.pop()
            found.add((place, 0, os.stat(place).st_mtime_ns))
            for entry in os.scandir(place):
                seen = entry.stat(follow_symlinks=False)
                found.add((entry.path, seen.st_size, seen.st_mtime_ns))
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return found


def _end(answering: deque[int], *, most: int) -> None:
    """Ends those forks that were asked first, until there are no more than `most`."""
    while len(answering) > most:
        asked = answering.popleft()
        with contextlib.suppress(OSError):
            os.kill(asked, signal.SIGKILL)
            os.waitpid(asked, 0)


def _answer_and_end(channel: Channel, handle: int, shell: Shell, asker: Asker, symbol: str) -> None:
    """Turns this fork of the kernel into what answers one question; never returns."""
    try:
        channel.close()
        answer(handle, shell, asker, symbol)
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


def answer(handle: int, shell: Shell, asker: Asker, symbol: str) -> None:
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
                channel.send(*asker.reply(thing, message, payload))
    finally:
        channel.close()
        shell.outbox.channel = shown


def _words(error: BaseException) -> str:
    try:
        return str(error)[:1000]
    except BaseException:
        return ""


class Asker:
    """What calls a graded function and packs what comes, out of the way of the student's code.

    The modules are taken off the list of those that are loaded: who imports and patches them
    patches other ones.
    """

    def __init__(self) -> None:
        self._calling = importlib.import_module("mdcv.exercises.calling")
        self._packing = importlib.import_module("mdcv.exercises.packing")
        self._ask_once()
        importlib.import_module("mdcv.exercises.isolation").end_idle_threads()
        for name in [name for name in sys.modules if name.startswith("mdcv.exercises")]:
            del sys.modules[name]

    def reply(self, thing: Any, message: dict, payload: bytes) -> tuple[dict, bytes]:
        """What comes of one call, packed; that it was late, when it was."""
        tensors = from_bytes(message["tensors"], payload)
        asking = self._packing.unpack_call(message["call"], tensors)
        found = self._calling.answer_within(thing, asking, message["limit"])
        if found is None:
            return {"late": True}, b""
        answer, tensors = self._packing.pack_answer(found)
        listed, content = to_bytes(tensors)
        return {"answer": answer, "tensors": listed}, content

    def _ask_once(self) -> None:
        """The first time is slow: it imports, and it builds what PyTorch builds once."""
        asking = self._calling.Asking((torch.ones(2, 3, dtype=torch.float64),), cotangent_seed=1)
        call, tensors = self._packing.pack_call(asking)
        listed, content = to_bytes(tensors)
        message = {"call": call, "tensors": listed, "limit": 60.0}
        self.reply(torch.square, message, content)
        self.reply(_refuse, message, content)


def _refuse(x: object) -> None:
    raise ValueError("no")
