"""The plan of a small file system: what is shown in it, and where nothing is shown.

Paths are the same inside and outside, so that an interpreter finds its packages. Links on the way
are kept as links. The same plan is carried out by `namespaces` and by bubblewrap.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple


class Step(NamedTuple):
    """One thing to make: an empty folder, a link, a path from outside, or a cover over a path."""

    make: Literal["folder", "link", "show", "cover"]
    path: str
    target: str = ""


def plan(*, readable: Iterable[Path], hidden: Iterable[Path] = ()) -> list[Step]:
    """The steps that show `readable` without `hidden`, in the order in which they can be made.

    Of two paths the longer one decides. What is not there, or not for this user, is left out.

    >>> plan(readable=[Path("/dev/null")])
    [Step(make='folder', path='/dev', target=''), Step(make='show', path='/dev/null', target='')]
    """
    wanted = dict.fromkeys(hidden, False) | dict.fromkeys(readable, True)
    steps: dict[Step, None] = {}
    for path in sorted(wanted, key=lambda path: (len(path.parts), path)):
        around = next((wanted[other] for other in path.parents if other in wanted), False)
        if wanted[path] and not around:
            steps |= dict.fromkeys(_shown(path))
        elif around and not wanted[path] and path.is_dir():
            steps[Step("cover", os.path.realpath(path))] = None
        elif around and not wanted[path] and path.is_file():
            steps[Step("show", os.path.realpath(path), os.devnull)] = None
    return list(steps)


def _shown(path: Path) -> Iterator[Step]:
    """The folders and links that lead to a path, and the path itself."""
    if not os.access(path, os.R_OK):
        return
    place, rest = "/", list(path.parts[1:])
    while rest:
        place = os.path.join(place, rest.pop(0))
        if os.path.islink(place):
            target = os.readlink(place)
            yield Step("link", place, target)
            place, rest = _after_link(os.path.dirname(place), target, rest)
        elif rest:
            yield Step("folder", place)
    yield Step("show", place)


def _after_link(folder: str, target: str, rest: list[str]) -> tuple[str, list[str]]:
    """Where a walk goes on behind a link: from the top again, since links may lead anywhere."""
    whole = os.path.normpath(os.path.join(folder, target))
    return "/", [*whole.split("/")[1:], *rest]
