"""A template is warm, has one thread, is used again, and leaves nothing behind."""

from __future__ import annotations

import psutil
import pytest

from mdcv.grading import warm
from mdcv.grading.forking import NO_FORK
from mdcv.grading.warm import end_templates, warm_template

pytestmark = pytest.mark.grading


@pytest.fixture(autouse=True)
def no_other_template():
    end_templates()
    yield
    end_templates()


def test_a_template_has_one_thread_serves_again_and_leaves_nothing_behind():
    with warm_template("none") as template:
        template.kernel(template.place()).kill()
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


def test_without_forks_each_kernel_is_a_fresh_process(monkeypatch):
    monkeypatch.setenv(NO_FORK, "1")
    with warm_template("none") as template:
        assert not template.forks
        first = template.kernel(template.place())
        one = template.pid
        first.kill()
        second = template.kernel(template.place())
        assert template.pid != one
        second.kill()
    assert not psutil.pid_exists(one)
