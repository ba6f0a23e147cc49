"""Ways to use up the machine. Each returns something when it got more than its share."""

import mmap
import os
import signal
import socket
import threading
import time
from pathlib import Path

MEGABYTE = 1 << 20


def wait_for_the_guard(wall):
    """A guard looks now and then; there is none without walls."""
    if wall != "none":
        time.sleep(5)


def take_much_memory(world):
    block = bytearray(b"x") * (600 * MEGABYTE)
    return len(block)


def take_much_shared_memory(world):
    # Not more than address space beyond the limit is reserved for stacks: 1 GB.
    blocks = [mmap.mmap(-1, 200 * MEGABYTE) for _ in range(12)]
    return len(blocks)


def touch_much_shared_memory(world):
    block = mmap.mmap(-1, 600 * MEGABYTE)
    for page in range(0, len(block), 4096):
        block[page] = 1
    wait_for_the_guard(world["wall"])
    return len(block)


def take_memory_in_many_processes(world):
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            block = bytearray(b"x") * (100 * MEGABYTE)
            wait_for_the_guard(world["wall"])
            os._exit(len(block) == 0)
        children.append(child)
    return [os.waitpid(child, 0)[1] for child in children] == [0] * 6


def start_many_processes(world):
    children = []
    try:
        for _ in range(40):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        if world["wall"] == "none":
            for child in children:
                os.kill(child, 9)
                os.waitpid(child, 0)
    return len(children)


def start_many_threads(world):
    done = threading.Event()
    threads = [threading.Thread(target=done.wait, daemon=True) for _ in range(40)]
    try:
        for thread in threads:
            thread.start()
    finally:
        done.set()
    return len(threads)


def compute_for_long(world):
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while time.process_time() < 1.3:
        pass
    return True


def compute_in_two_processes(world):
    """Each of them stays within what one may."""
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            while time.process_time() < 0.7:
                pass
            os._exit(0)
        children.append(child)
    ended = [os.waitpid(child, 0)[1] for child in children]
    wait_for_the_guard(world["wall"])
    return ended == [0, 0]


def write_a_large_file(world):
    with open("large", "wb") as file:
        for _ in range(3):
            file.write(bytes(MEGABYTE))
    return os.stat("large").st_size


def write_a_large_file_with_holes(world):
    with open("large", "wb") as file:
        file.truncate(1 << 30)
    return True


def write_many_files(world):
    for count in range(12):
        Path(f"file-{count}").write_bytes(bytes(1000 * 1000))
    wait_for_the_guard(world["wall"])
    return True


def make_very_many_files(world):
    for count in range(2_100):
        os.close(os.open(f"file-{count}", os.O_CREAT | os.O_WRONLY))
    wait_for_the_guard(world["wall"])
    return True


def open_many_files(world):
    handles = [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
    for handle in handles:
        os.close(handle)
    return len(handles)


def fill_many_sockets(world):
    pairs = [socket.socketpair() for _ in range(50)]
    return len(pairs)
