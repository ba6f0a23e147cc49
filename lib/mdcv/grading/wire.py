"""Frames over a socket: a JSON object and raw bytes. Never pickle, never an unbounded length.

One side of such a socket may be a process in which a stranger's code runs. So whoever receives
decides how much is read and how long it may take, and takes nothing on trust.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Sequence
from time import monotonic

#: Bytes of JSON, bytes of payload.
HEAD = struct.Struct("!II")

#: A frame with more JSON or more payload than this is refused before it is read.
MOST_JSON = 32_000_000
MOST_PAYLOAD = 256_000_000

MOST_HANDLES = 4

_CHUNK = 1 << 20


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """Nothing whole came, or nothing was taken, in the time there was."""


class Malformed(Exception):
    """What came is no frame; nothing behind it can be read either."""


class Channel:
    """One end of a connection that carries frames.

    >>> here, there = Channel.pair()
    >>> here.send({"say": "hello"}, b"12")
    >>> there.receive(seconds=1)
    ({'say': 'hello'}, b'12')
    >>> here.close(), there.close()
    (None, None)
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self._held = bytearray()
        self._lock = threading.RLock()

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Two connected ends."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(here), cls(there)

    def fileno(self) -> int:
        """The descriptor, for `select`."""
        return self.socket.fileno()

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(OSError):
            self.socket.close()

    def send(
        self,
        message: dict,
        payload: bytes = b"",
        *,
        handles: Sequence[int] = (),
        seconds: float | None = None,
    ) -> None:
        """Sends one frame, with open descriptors if need be.

        Raises:
            Closed: nobody is there to take it.
            Late: it was not taken in time.
        """
        text = json.dumps(message, default=_plain).encode("ascii")
        frame = memoryview(b"".join((HEAD.pack(len(text), len(payload)), text, payload)))
        end = None if seconds is None else monotonic() + seconds
        with self._lock:
            if handles:
                self._wait(end, writing=True)
                with _closing():
                    socket.send_fds(self.socket, [frame[:1]], list(handles))
                frame = frame[1:]
            while frame:
                self._wait(end, writing=True)
                with _closing(), contextlib.suppress(BlockingIOError):
                    frame = frame[self.socket.send(frame[:_CHUNK]) :]

    def receive(
        self,
        *,
        seconds: float | None = None,
        most_json: int = MOST_JSON,
        most_payload: int = MOST_PAYLOAD,
    ) -> tuple[dict, bytes]:
        """The next frame. What came of one that is late is kept for the next call.

        Raises:
            Closed: the other side is gone.
            Late: no whole frame came in time.
            Malformed: it is no frame, or one that is too large.
        """
        end = None if seconds is None else monotonic() + seconds
        self._fill(HEAD.size, end)
        json_size, payload_size = HEAD.unpack_from(self._held)
        if json_size > most_json or payload_size > most_payload:
            raise Malformed(f"a frame of {json_size} + {payload_size} bytes")
        start, whole = HEAD.size + json_size, HEAD.size + json_size + payload_size
        self._fill(whole, end)
        try:
            message = json.loads(self._held[HEAD.size : start])
        except (ValueError, RecursionError) as error:
            raise Malformed("no JSON") from error
        payload = bytes(self._held[start:whole])
        del self._held[:whole]
        if not isinstance(message, dict):
            raise Malformed("no JSON object")
        return message, payload

    def receive_with_handles(self) -> tuple[dict, bytes, list[int]]:
        """The next frame and the descriptors that came with it; for trusted senders only."""
        self._wait(None, writing=False)
        with _closing():
            first, handles, _, _ = socket.recv_fds(self.socket, 1, MOST_HANDLES)
        if not first:
            raise Closed
        self._held += first
        return *self.receive(), handles

    def _fill(self, size: int, end: float | None) -> None:
        while len(self._held) < size:
            self._wait(end, writing=False)
            with _closing(), contextlib.suppress(BlockingIOError):
                came = self.socket.recv(min(_CHUNK, size - len(self._held)))
                if not came:
                    raise Closed
                self._held += came

    def _wait(self, end: float | None, *, writing: bool) -> None:
        left = None if end is None else max(end - monotonic(), 0.0)
        try:
            poll = select.poll()
            poll.register(self.socket, select.POLLOUT if writing else select.POLLIN)
            if not poll.poll(None if left is None else left * 1000):
                raise Late
        except (OSError, ValueError) as error:
            raise Closed from error


@contextlib.contextmanager
def _closing():
    """Turns every way in which a connection can be lost into `Closed`."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        raise Closed from error


def _plain(value: object) -> object:
    """What JSON has no word for, as text or a number."""
    for make in (getattr(value, "item", None), getattr(value, "tolist", None)):
        if callable(make):
            with contextlib.suppress(Exception):
                return make()
    return str(value)


def sender_of_next(connection: socket.socket, seconds: float) -> int:
    """The process id, as seen from here, of whoever sends the next byte; 0 if it is not told.

    The kernel vouches for it, whatever namespace the sender is in.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(seconds * 1000):
        raise Late
    with _closing():
        byte, control, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(struct.calcsize("3i")))
    if not byte:
        raise Closed
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, getattr(socket, "SCM_CREDENTIALS", None)):
            return struct.unpack("3i", data[:12])[0]
    return 0


def ask_for_sender(connection: socket.socket) -> None:
    """Lets the system say who sends here, where it can; see `sender_of_next`."""
    if hasattr(socket, "SO_PASSCRED"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def hello(connection: socket.socket) -> None:
    """Lets the other side know who is here: see `sender_of_next`."""
    os.write(connection.fileno(), b"!")
