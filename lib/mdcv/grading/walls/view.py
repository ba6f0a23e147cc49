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
    # By the real path, so that no link leads around a decision.
    decided = {os.path.realpath(path): False for path in hidden}
    ways: dict[str, list[Path]] = {}
    for path in readable:
        decided[os.path.realpath(path)] = True
        ways.setdefault(os.path.realpath(path), []).append(path)

    def shown_at(path: str) -> bool:
        around = (str(folder) for folder in (Path(path), *Path(path).parents))
        return next((decided[folder] for folder in around if folder in decided), False)

    steps: dict[Step, None] = {}
    for real in sorted(decided, key=lambda real: (real.count("/"), real)):
        around = shown_at(os.path.dirname(real))
        if decided[real]:
            for step in (step for way in ways[real] for step in _shown(way)):
                place = step.path if step.make == "folder" else os.path.dirname(step.path)
                if not shown_at(os.path.realpath(place)):
                    steps[step] = None
        elif around and os.path.isdir(real):
            steps[Step("cover", real)] = None
        elif around and os.path.isfile(real):
            steps[Step("show", real, os.devnull)] = None
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
