"""A template is warm, has one thread, is used again, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil
import pytest

from mdcv.grading import warm
from mdcv.grading.warm import PREFIX, end_templates, remove_forgotten, warm_template

pytestmark = pytest.mark.grading


@pytest.fixture(autouse=True)
def no_other_template():
    end_templates()
    yield
    end_templates()


def test_a_template_has_one_thread_serves_again_and_leaves_nothing_behind():
    with warm_template("none") as template:
        folder, process = template.folder, psutil.Process(template.pid)
        assert template.forks and process.num_threads() == 1
    with warm_template("none") as again:
        assert again is template
        with warm_template("none") as another:  # while one is at work
            assert another is not template
    end_templates()
    assert not folder.exists() and not process.is_running()


def test_a_submission_that_breaks_the_grader_costs_its_template():
    with pytest.raises(ZeroDivisionError), warm_template("none") as template:
        1 / 0  # noqa: B018
    assert not template.folder.exists() and warm._idle == []


def test_the_folder_of_a_killed_grader_is_removed_and_that_of_a_live_one_is_not():
    forgotten = Path(tempfile.mkdtemp(prefix=PREFIX))
    (forgotten / "lock").touch()
    with warm_template("none") as template:
        remove_forgotten()
        assert template.folder.exists()
    assert not forgotten.exists()


def test_without_forks_each_kernel_is_a_fresh_process(monkeypatch, tmp_path):
    monkeypatch.setenv(warm.NO_FORK, "1")
    with warm_template("none") as template:
        assert not template.forks
        first = template.kernel(template.place(), {})
        one = template.pid
        first.kill()
        second = template.kernel(template.place(), {})
        assert template.pid != one
        second.kill()
    assert not psutil.pid_exists(one)


def test_a_rehearsal_is_forgotten_but_for_what_it_imported():
    code = "import plistlib\nremembered = 1"
    with warm_template("none") as template:
        template.preload(set(), (code, "1 / 0"))
        kernel = template.kernel(template.place(), {})
        seen = "import sys\nprint('plistlib' in sys.modules, 'remembered' in globals())"
        kernel.channel.send({"do": "cell", "source": seen})
        frames = []
        while "done" not in (frame := kernel.channel.receive(seconds=60)[0]):
            frames.append(frame)
        kernel.kill()
    assert [frame["text"] for frame in frames if frame["out"] == "stream"] == ["True False\n"]
