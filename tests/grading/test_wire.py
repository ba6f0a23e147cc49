"""Frames arrive whole, in order and in time, or it is said why not."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from mdcv.grading.wire import (
    HEAD,
    Channel,
    Closed,
    Late,
    Malformed,
    ask_for_sender,
    hello,
    sender_of_next,
)


@pytest.fixture
def ends():
    here, there = Channel.pair()
    yield here, there
    here.close()
    there.close()


def test_frames_arrive_in_order_with_their_payload(ends):
    here, there = ends
    big = os.urandom(3_000_000)
    sender = threading.Thread(target=lambda: [here.send({"n": n}, big) for n in range(3)])
    sender.start()
    came = [there.receive(seconds=20) for _ in range(3)]
    sender.join()
    assert [message["n"] for message, _ in came] == [0, 1, 2]
    assert all(payload == big for _, payload in came)


def test_what_came_of_a_late_frame_is_kept(ends):
    here, there = ends
    frame = HEAD.pack(8, 2) + b'{"a": 1}' + b"xy"
    here.socket.send(frame[:11])
    with pytest.raises(Late):
        there.receive(seconds=0.01)
    here.socket.send(frame[11:])
    assert there.receive(seconds=1) == ({"a": 1}, b"xy")


def test_a_lost_connection_is_said_to_reader_and_writer(ends):
    here, there = ends
    here.socket.send(b"\0\0")
    here.close()
    with pytest.raises(Closed):
        there.receive(seconds=1)
    with pytest.raises(Closed):
        there.send({"x": "y" * 1_000_000}, seconds=1)


def test_a_reader_that_sleeps_does_not_hold_the_writer(ends):
    with pytest.raises(Late):
        ends[0].send({}, bytes(50_000_000), seconds=0.1)


@pytest.mark.parametrize(
    "frame",
    [
        HEAD.pack(4_000_000_000, 0),
        HEAD.pack(2, 4_000_000_000) + b"{}",
        HEAD.pack(3, 0) + b"[1]",
        HEAD.pack(3, 0) + b"{a}",
        HEAD.pack(2, 0) + b"\xff\xfe",
        HEAD.pack(100_000, 0) + b"[" * 100_000,
    ],
)
def test_what_is_no_frame_is_refused_without_being_read(ends, frame):
    here, there = ends
    here.socket.send(frame)
    with pytest.raises(Malformed):
        there.receive(seconds=1)


def test_open_files_travel_to_those_who_take_them(ends, tmp_path):
    here, there = ends
    path = tmp_path / "a"
    path.write_text("inside")
    with open(path) as file:
        here.send({"take": 1}, b"p", handles=[file.fileno()])
    message, payload, [handle] = there.receive_with_handles()
    with open(handle) as file:
        assert (message, payload, file.read()) == ({"take": 1}, b"p", "inside")


@pytest.mark.skipif(not hasattr(socket, "SO_PASSCRED"), reason="the system names no senders")
def test_the_kernel_says_who_is_there():
    here, there = socket.socketpair()
    ask_for_sender(here)
    with here, there:
        with pytest.raises(Late):
            sender_of_next(here, 0.01)
        hello(there)
        assert sender_of_next(here, 1) == os.getpid()
        there.close()
        with pytest.raises(Closed):
            sender_of_next(here, 1)


def test_where_nobody_says_it_the_greeting_is_taken_all_the_same():
    here, there = socket.socketpair()
    with here, there:
        hello(there)
        assert sender_of_next(here, 1) == 0
        Channel(there).send({"next": 1})
        assert Channel(here).receive(seconds=1)[0] == {"next": 1}
