"""The outer wall: the process that forks sees little, and the inner walls go up behind it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mdcv.grading.walls import (
    LIBRARY,
    WALLS,
    bubblewrap_obstacle,
    launch,
    outer,
    python_environment,
)

from .conftest import NOBODY, as_user, python_for, skip_without

#: Says what it sees, forks a confined child, and says what that one sees.
TEMPLATE = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from mdcv.grading.walls import WallError, WallLimits, confine
channel, targets = int(sys.argv[1]), json.loads(sys.argv[3])

def seen():
    found = {}
    for name, path in targets.items():
        try:
            os.close(os.open(path, os.O_RDONLY))
            found[name] = True
        except OSError:
            found[name] = False
    return found

def say(what):
    os.write(channel, json.dumps(what).encode() + b"\\n")

say({**seen(), "environment": sorted(os.environ), "folder": os.getcwd(),
     "network": os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else []})
Path("note").write_text("from inside")
os.mkdir("one")
if os.fork() == 0:
    try:
        confine(sys.argv[4], scratch=Path("one"), limits=WallLimits(), readable=[Path("/usr/lib")],
                keep_fds=[channel])
    except WallError as error:
        say(str(error))
        os._exit(1)
    say({**seen(), "processes": [n for n in range(1, 50) if os.path.exists(f"/proc/{n}")],
         "guarded": os.getpid()})
    os._exit(0)
os.wait()
say("waiting")
time.sleep(60)
"""


@pytest.fixture(params=["with bubblewrap", "without bubblewrap"])
def around(request, monkeypatch):
    """Whether bubblewrap is there."""
    skip_without("full")
    if request.param == "without bubblewrap":
        monkeypatch.setattr(outer, "bubblewrap", lambda: None)
    elif (reason := bubblewrap_obstacle()) is not None:
        pytest.skip(reason)
    return request.param == "with bubblewrap"


@pytest.fixture
def conversation(tmp_path, around):
    """A launched template, and a way to hear what it says next."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    targets = {
        "secret": str(secret),
        "users": "/etc/passwd",
        "answers": str(LIBRARY / "grading" / "doctor.py"),
        "walls": str(LIBRARY / "grading" / "walls" / "wall.py"),
        "python": os.path.realpath(sys.executable),
        "grader": f"/proc/{os.getpid()}/status",
    }
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", "-c", TEMPLATE, str(theirs.fileno())]
    process = launch(
        [*command, str(LIBRARY.parent), json.dumps(targets), "full"],
        isolation="full",
        readable=[*python_environment(), *WALLS],
        scratch=scratch,
        environment={"ONLY": "this"},
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    ours.settimeout(20)
    lines = ours.makefile()
    yield process, lambda: json.loads(lines.readline()), scratch
    process.kill()
    process.wait()
    lines.close()
    ours.close()


def test_the_template_sees_what_it_needs_and_its_forks_see_less(conversation, around):
    _, next_words, scratch = conversation
    template = next_words()
    assert template["python"] and template["walls"]
    assert not around or not (template["secret"] or template["users"] or template["answers"])
    assert not around or not template["grader"]
    assert template["folder"] == str(scratch)
    assert set(template["environment"]) - {"LC_CTYPE", "PWD"} == {"ONLY"}
    inside = next_words()
    assert isinstance(inside, dict), f"the inner walls did not go up: {inside}"
    assert not any(inside[name] for name in ("secret", "users", "answers", "walls", "grader"))
    assert next_words() == "waiting"
    assert (scratch / "note").read_text() == "from inside"
    assert list((scratch / "one").iterdir()) == []


def test_killing_it_leaves_nothing(conversation):
    process, next_words, scratch = conversation
    while next_words() != "waiting":
        pass
    process.kill()
    process.wait()
    deadline = time.monotonic() + 5
    while (left := processes_in(scratch)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose command line names a folder's parent, as the targets do."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder.parent).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            pass
    return found


def test_weaker_isolation_starts_without_bubblewrap(tmp_path, monkeypatch):
    monkeypatch.setattr(outer, "bubblewrap", lambda: pytest.fail("asked for bubblewrap"))
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.exit(3)"]
    for isolation in ("basic", "none"):
        process = launch(
            command, isolation=isolation, readable=[], scratch=tmp_path, environment={}
        )
        assert process.wait(20) == 3


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        launch(["/nowhere"], isolation="none", readable=[], scratch=tmp_path, environment={})


def test_a_missing_bubblewrap_is_named_with_what_to_do(monkeypatch):
    bubblewrap_obstacle.cache_clear()
    monkeypatch.setattr("shutil.which", lambda name: None)
    try:
        assert "apt install bubblewrap" in bubblewrap_obstacle()
        assert outer.bubblewrap() is None
    finally:
        bubblewrap_obstacle.cache_clear()


def test_both_walls_go_up_for_an_ordinary_user(tmp_path):
    skip_without("full")
    if (reason := bubblewrap_obstacle()) is not None:
        pytest.skip(reason)
    user = os.geteuid() or NOBODY
    if (python := python_for(user)) is None:
        pytest.skip("there is no Python 3.11 that an ordinary user can run")
    library = Path("/tmp", f"mdcv-outer-{os.getpid()}")
    try:
        for name in ("__init__.py", "grading/__init__.py"):
            (library / "mdcv" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(LIBRARY / name, library / "mdcv" / name)
        shutil.copytree(LIBRARY / "grading" / "walls", library / "mdcv" / "grading" / "walls")
        code = "from mdcv.grading.walls import *; print(best_isolation(), bubblewrap_obstacle())"
        done = subprocess.run(
            [python, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(library)!r}); {code}"],
            capture_output=True,
            text=True,
            cwd="/",
            check=True,
            **as_user(user),
        )
        assert done.stdout == "full None\n"
    finally:
        shutil.rmtree(library)
