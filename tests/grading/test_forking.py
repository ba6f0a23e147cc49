"""Kernels come from one process, which does what was ordered before the next of them."""

from __future__ import annotations

import psutil
import pytest

from mdcv.grading.forking import _OWN_FILES, CannotStart
from mdcv.grading.student_view import imports_of
from mdcv.grading.walls import LIBRARY
from mdcv.grading.warm import end_templates, warm_template

pytestmark = pytest.mark.grading

DRAWS = """
import random, numpy, torch
print(torch.rand(1).item(), numpy.random.rand(), random.random())
"""


@pytest.fixture(scope="module")
def template():
    """A template that no other test has used."""
    end_templates()
    with warm_template("none") as template:
        yield template
    end_templates()


def run(template, source: str) -> str:
    """What a cell prints in a kernel of its own."""
    kernel = template.kernel(template.place())
    kernel.channel.send({"do": "cell", "source": source})
    frames = []
    while "done" not in (frame := kernel.channel.receive(seconds=60)[0]):
        frames.append(frame)
    kernel.kill()
    template.end_all()
    return "".join(frame["text"] for frame in frames if frame["out"] == "stream")


def test_only_a_second_submission_is_worth_a_full_warm_up(template, monkeypatch):
    orders, send = [], template._send
    monkeypatch.setattr(
        template, "_send", lambda order, **more: (orders.append(order["do"]), send(order, **more))
    )
    assert run(template, "print(1)") == "1\n" and run(template, "print(2)") == "2\n"
    assert orders == ["kernel", "end", "warm", "kernel", "end"]


def test_a_rehearsal_is_forgotten_but_for_what_it_imported(template):
    code = "import plistlib\nremembered = 1"
    template.preload(set(), (code, "1 / 0"))
    seen = "import sys\nprint('plistlib' in sys.modules, 'remembered' in globals())"
    assert run(template, seen) == "True False\n"


def test_every_kernel_begins_with_the_same_random_states_whatever_came_before(template):
    first = run(template, DRAWS)
    template._send({"do": "warm"})
    template.preload(set(), (DRAWS,))
    assert run(template, DRAWS) == first and len(first.split()) == 3


def test_a_process_with_a_second_thread_is_not_forked_any_more(template):
    first = template.pid
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()"
    template.preload(set(), (threads,))
    assert run(template, "print(6 * 7)") == "42\n"
    assert not template.forks and template.pid != first and not psutil.pid_exists(first)


def test_a_template_that_dies_while_it_warms_up_is_told_with_the_first_kernel():
    with pytest.raises(CannotStart, match="has died"), warm_template("none") as doomed:
        psutil.Process(doomed.pid).kill()
        doomed.preload({"plistlib"})
        doomed.kernel(doomed.scratch)
    assert not doomed.folder.exists()


def test_the_process_may_read_every_module_that_it_is_made_of():
    room, waiting, found = LIBRARY / "grading", ["template"], set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            used = imports_of((room / f"{name}.py").read_text(encoding="utf-8"))
            names = (one.removeprefix("mdcv.grading.") for one in used if "mdcv.grading." in one)
            waiting += [one for one in names if not one.startswith("walls")]
    assert found <= {path.stem for path in _OWN_FILES}
