"""Kernels for strangers: each a fork of one warm template, or a fresh process where none may fork.

A template serves one submission at a time. It is kept for the next one, and ends with this
process at the latest, together with everything that was forked from it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator
from multiprocessing.util import Finalize

from mdcv.grading.forking import CannotStart, Template, may_fork
from mdcv.grading.walls import Isolation

__all__ = ["CannotStart", "Template", "end_templates", "warm_template"]

_idle: list[Template] = []
_lock = threading.Lock()
_owner = os.getpid()


@contextlib.contextmanager
def warm_template(isolation: Isolation) -> Iterator[Template]:
    """A template for one submission: one that is warm already, or a new one.

    Raises:
        CannotStart: none could be started.
    """
    forks = may_fork()
    template = _take(isolation, forks)
    try:
        yield template
    except BaseException:
        template.close()
        raise
    template.end_all()
    if template.alive and template.forks == forks:
        with _lock:
            _idle.append(template)
    else:
        template.close()


def _take(isolation: Isolation, forks: bool) -> Template:
    global _owner
    with _lock:
        if _owner != os.getpid():  # a fork of the grader must not use its parent's
            _idle.clear()
            _owner = os.getpid()
        fitting = [one for one in _idle if (one.isolation, one.forks) == (isolation, forks)]
        for template in fitting[:1]:
            _idle.remove(template)
            if template.alive:
                return template
            template.close()
    return Template(isolation, forks=forks)


@atexit.register
def end_templates() -> None:
    """Ends every template that waits; those at work end with their submission."""
    with _lock:
        if _owner == os.getpid():
            while _idle:
                _idle.pop().close()


# Processes that were started by multiprocessing end without `atexit`.
Finalize(None, end_templates, exitpriority=10)
