"""A small world to break out into, and a process that confines whoever tries."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path

import pytest

import mdcv
from mdcv.grading.walls import obstacle

HERE = Path(__file__).parent

#: Programs for other processes, with imports that lead nowhere in this one.
collect_ignore = ["probes", "prison.py"]

#: An ordinary user that no system has.
NOBODY = 1_234_567

LIMITS = {
    "cpu_seconds": 1,
    "memory_bytes": 256 << 20,
    "processes": 16,
    "file_bytes": 2 << 20,
    "scratch_bytes": 8 << 20,
    "open_files": 64,
}

VICTIM = """
import ctypes, sys, time
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)  # let anybody trace it
block = ctypes.create_string_buffer(b"secret")
print(ctypes.addressof(block), flush=True)
time.sleep(600)
"""


def python_for(user: int) -> str | None:
    """A Python that this user can run: this one, or the system's."""
    test = "import sys, ctypes, json; sys.exit(sys.version_info < (3, 11))"
    for python in (os.path.realpath(sys.executable), shutil.which("python3", path="/usr/bin")):
        with contextlib.suppress(OSError, TypeError):
            done = subprocess.run([python, "-I", "-S", "-c", test], cwd="/", **as_user(user))
            if done.returncode == 0:
                return python
    return None


def as_user(user: int) -> dict:
    """How subprocess starts a process as this user."""
    if user == os.geteuid():
        return {}
    return {"user": user, "group": user, "extra_groups": []}


class Prison:
    """One user's world, with a process that asks the probes."""

    def __init__(self, user: int, python: str):
        self.user, self.python = user, python
        self.folder = Path(tempfile.mkdtemp(prefix="mdcv-walls-"))
        self.stack = contextlib.ExitStack()
        self.asked: dict[tuple, dict] = {}
        self.world = {"marker": f"marker-{uuid.uuid4().hex}", "python": python}
        self._files()
        self._servers()
        self._victim()
        self._template()

    def _files(self) -> None:
        self.folder.chmod(0o755)
        course, readable = self.folder / "course", self.folder / "readable"
        hidden, library = readable / "lib" / "hidden", self.folder / "library"
        for folder in (course, hidden, library, self.folder / "scratch"):
            folder.mkdir(parents=True)
        # As in a virtual environment, and as on a disk that has moved.
        (readable / "lib64").symlink_to("lib")
        (self.folder / "link").symlink_to("readable")
        (course / "solution.py").write_text("secret solution")
        (course / "gradebook").write_text("secret marks")
        (course / "program").write_text("#!/bin/sh\necho secret\n")
        (course / "program").chmod(0o755)
        (readable / "package.py").write_text("import this")
        (hidden / "answer.py").write_text("secret answer")
        # A copy: the repository may lie where this user cannot go.
        source = Path(mdcv.__file__).parent
        for name in ("__init__.py", "grading/__init__.py"):
            (library / "mdcv" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, library / "mdcv" / name)
        (library / "mdcv" / "answers.py").write_text("chamfer = 'secret answer'")
        shutil.copytree(source / "grading" / "walls", library / "mdcv" / "grading" / "walls")
        shutil.copytree(HERE / "probes", self.folder / "probes")
        shared = Path("/dev/shm", self.world["marker"])
        shared.write_text("secret message")
        self.stack.callback(shared.unlink)
        for root, _, names in os.walk(self.folder):
            os.chown(root, self.user, self.user)
            for name in names:
                os.chown(Path(root, name), self.user, self.user)
        os.chown(shared, self.user, self.user)
        self.world |= {
            "course": str(course),
            "solution": str(course / "solution.py"),
            "gradebook": str(course / "gradebook"),
            "program": str(course / "program"),
            "readable": str(readable),
            "hidden": str(hidden),
            "library": str(library / "mdcv"),
            "scratch": str(self.folder / "scratch"),
            "shared": str(shared),
        }

    def _servers(self) -> None:
        """Servers that say "secret" to everybody."""
        for name, kind, address in (
            ("tcp", socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("udp", socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.SOCK_STREAM, str(self.folder / "course" / "socket")),
            ("unix_datagram", socket.SOCK_DGRAM, str(self.folder / "readable" / "socket")),
            ("abstract", socket.SOCK_STREAM, "\0" + self.world["marker"]),
        ):
            family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
            server = self.stack.enter_context(socket.socket(family, kind))
            server.bind(address)
            if family == socket.AF_UNIX and address[0] == "/":
                os.chmod(address, 0o777)
            self.world[name] = address if family == socket.AF_UNIX else server.getsockname()[1]
            threading.Thread(target=serve, args=(server, kind), daemon=True).start()

    def _victim(self) -> None:
        environment = {"MARKER": self.world["marker"]}
        victim = self._start(
            [self.python, "-I", "-S", "-c", VICTIM, self.world["marker"]], environment
        )
        self.world["victim"] = victim.pid
        self.world["victim_name"] = self.world["marker"]
        self.world["victim_address"] = int(victim.stdout.readline())

    def _template(self) -> None:
        environment = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        # One more open file, as an imprudent grader would leave it to its children.
        solution = os.open(self.world["solution"], os.O_RDONLY)
        folder = os.open(self.world["course"], os.O_RDONLY)
        self.template = self._start(
            [
                self.python,
                "-I",
                HERE / "prison.py",
                self.folder / "library",
                self.folder / "probes",
            ],
            environment,
            pass_fds=(solution, folder),
        )
        os.close(solution)
        os.close(folder)
        prefixes = subprocess.run(
            [self.python, "-I", "-S", "-c", "import sys; print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=True,
            **as_user(self.user),
            cwd="/",
        ).stdout.split()
        system = ["/usr/lib", "/usr/bin", "/lib", "/lib64", "/bin"]
        self.world["readables"] = [
            *system,
            *(p for p in prefixes if p != "/usr"),
            str(self.folder / "link"),
        ]

    def _start(self, command: list, environment: dict, **options) -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            **as_user(self.user),
            **options,
        )
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process

    def ask(self, module: str, probe: str | list[str], wall: str, **more) -> dict:
        """What the probe says behind this wall; of several, what each of them says."""
        self.tell(module, probe, wall, **more)
        return json.loads(self.template.stdout.readline())

    def tell(self, module: str, probe: str, wall: str, **more) -> None:
        """Starts a probe."""
        question = {"module": module, "probe": probe, "wall": wall, "world": self.world}
        self.template.stdin.write(json.dumps({**question, "limits": LIMITS, **more}) + "\n")
        self.template.stdin.flush()

    def ask_once(self, module: str, probe: str, wall: str) -> dict:
        """The same; asked again, it is what it was."""
        key = (module, probe, wall)
        if key not in self.asked:
            self.asked[key] = self.ask(*key)
        return self.asked[key]

    def tear_down(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)


def serve(server: socket.socket, kind: int) -> None:
    with contextlib.suppress(OSError):
        if kind == socket.SOCK_STREAM:
            server.listen()
            while True:
                with server.accept()[0] as client:
                    client.sendall(b"secret")
        while True:
            _, sender = server.recvfrom(100)
            if sender:
                server.sendto(b"secret", sender)


@pytest.fixture(scope="session", params=["as root", "as an ordinary user"])
def prison(request):
    """A prison for root, where the tests are run by root, and one for an ordinary user."""
    if request.param == "as root":
        if os.geteuid() != 0:
            pytest.skip("the tests are not run by root")
        user = 0
    else:
        user = NOBODY if os.geteuid() == 0 else os.geteuid()
    python = python_for(user)
    if python is None:
        pytest.skip("there is no Python 3.11 that an ordinary user can run")
    prison = Prison(user, python)
    yield prison
    prison.tear_down()


@pytest.fixture(params=["full", "basic"])
def wall(request):
    """Each isolation that works on this machine."""
    return skip_without(request.param)


def skip_without(isolation: str) -> str:
    """The isolation, where it works."""
    if (reason := obstacle(isolation)) is not None:
        pytest.skip(f"no {isolation} isolation here: {reason}")
    return isolation
