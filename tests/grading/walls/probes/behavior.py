"""What goes on inside when nobody tries to get out."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def exit_with_seven(inside):
    os._exit(7)


def kill_itself(inside):
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(5)


def wait_to_be_interrupted(inside):
    try:
        time.sleep(5)
    except KeyboardInterrupt:
        return "interrupted"


def ignore_interrupts(inside):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Path(inside["readable"])
    time.sleep(5)


def share_memory_with_many_processes(inside):
    block = bytearray(b"x") * (100 << 20)
    children = []
    for _ in range(5):
        children.append(os.fork())
        if children[-1] == 0:
            time.sleep(0.8)
            os._exit(len(block) == 0)
    return [os.waitpid(child, 0)[1] for child in children] == [0] * 5


def leave_daemons_behind(inside):
    """Three ways to get away from one's parent; they mark themselves by their name."""
    code = f"import time; time.sleep(60)  # {inside['marker']}-daemon"
    command = [inside["python"], "-I", "-S", "-c", code]
    subprocess.Popen(command)
    subprocess.Popen(command, start_new_session=True, env={})
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(command[0], command)
        os._exit(0)
    os.wait()
    time.sleep(0.2)
    return "they run"


def leave_daemons_behind_and_hang(inside):
    leave_daemons_behind(inside)
    time.sleep(30)


def look_around(inside):
    return {
        "folder": os.getcwd(),
        "home": os.path.expanduser("~"),
        "temporary": tempfile.gettempdir(),
        "files": os.listdir(),
        "open": sorted(map(int, os.listdir("/proc/self/fd")))[:4],
        "streams": [os.readlink(f"/proc/self/fd/{n}") for n in range(3)],
        "user": os.getuid(),
        "session": os.getsid(0) == os.getpid(),
    }


def work_as_students_do(inside):
    Path("notes").write_text("mine")
    os.makedirs("folder/below")
    os.rename("notes", "folder/below/notes")
    assert Path("folder/below/notes").read_text() == "mine"
    with tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(1000))
    assert Path(inside["readable"], "package.py").read_text() == "import this"
    sys.path.insert(0, inside["readable"])
    import package  # noqa: F401

    done = subprocess.run(
        [inside["python"], "-I", "-S", "-c", "print(6 * 7)"], stdout=subprocess.PIPE, check=True
    )
    assert done.stdout == b"42\n"
    found = []
    thread = threading.Thread(target=found.append, args=(1,))
    thread.start()
    thread.join()
    assert found == [1] and len(bytearray(20 << 20)) == 20 << 20
    with open("copy", "w") as file:
        os.fchmod(file.fileno(), 0o600)
    os.utime("copy")
    os.kill(os.getpid(), 0)
    return "all of it"


def use_several_processes(inside):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, [-1, -2])
