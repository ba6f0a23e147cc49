"""Whether this machine can run the course, in plain words."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun, Course

if TYPE_CHECKING:
    from packaging.markers import Marker

#: The package itself and the extras a running course needs; development is not looked at.
ITSELF = ""
EXTRAS = (ITSELF, "data", "plot", "grading", "lab")

#: What some courses want on top, and what for.
OPTIONAL = {
    "cluster": "grading on a cluster (--cluster)",
    "postgres": "a gradebook in PostgreSQL (--db postgresql://...)",
}

GOOD, NOTE, BROKEN = "good", "note", "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: good, worth knowing, or broken."""

    state: str
    what: str
    words: str


def examine(course: Course | None) -> Iterator[Finding]:
    """The findings, one after the other; whatever raises on the way is a finding too."""
    looks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("torch", _torch),
        ("kernels", _kernels),
        ("programs", _programs),
        ("gradebook", _gradebook),
        ("course", lambda: _course(course)),
        ("isolation", _isolation),
    ]
    for what, look in looks:
        try:
            yield from look()
        except Exception as error:
            yield Finding(BROKEN, what, f"{type(error).__name__}: {error}")


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding(
        GOOD if good else BROKEN,
        "Python",
        f"{version} at {sys.executable}" + ("" if good else "; 3.11 or newer is needed"),
    )


def _packages() -> Iterator[Finding]:
    """Every package of the course against the lower bound in pyproject.toml."""
    asked, troubles = _wanting(EXTRAS)
    for trouble in troubles:
        yield Finding(BROKEN, "packages", f"{trouble}; run: pip install -e '.[course]'")
    if not troubles:
        yield Finding(GOOD, "packages", f"all {asked} are there and new enough")
    for extra, use in OPTIONAL.items():
        _, troubles = _wanting((extra,))
        if troubles:
            words = f"{use} is not possible: {'; '.join(troubles)}; pip install -e '.[{extra}]'"
            yield Finding(NOTE, extra, words)
        else:
            yield Finding(GOOD, extra, f"{use} is possible")


def _wanting(extras: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many packages some extras ask for, and a sentence for each that is not as asked."""
    from packaging.requirements import Requirement

    asked = [
        need
        for need in map(Requirement, metadata.requires("mdcv") or [])
        if need.name != "mdcv" and _is_in(need.marker, extras)
    ]
    troubles = []
    for need in asked:
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            troubles.append(f"{need.name} is missing ({need.specifier} is needed)")
            continue
        if not need.specifier.contains(version, prereleases=True):
            troubles.append(f"{need.name} is {version} ({need.specifier} is needed)")
    return len(asked), troubles


def _is_in(marker: Marker | None, extras: tuple[str, ...]) -> bool:
    """Whether a requirement belongs to one of some extras."""
    if marker is None:
        return ITSELF in extras
    return any(marker.evaluate({"extra": extra}) for extra in extras)


def _torch() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        yield Finding(GOOD, "torch", f"{torch.__version__}, on {torch.cuda.get_device_name()}")
    else:
        yield Finding(GOOD, "torch", f"{torch.__version__}, on the CPU; everything runs there too")


def _kernels() -> Iterator[Finding]:
    import torch

    from mdcv.points import chamfer_distance

    begin = monotonic()
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    value = float(chamfer_distance(x, x + torch.tensor([0.0, 2.0])))
    seconds = monotonic() - begin
    if abs(value - 16) < 1e-4:  # 4 + 4 + 1 one way, 1 + 2 + 4 the other
        yield Finding(GOOD, "kernels", f"compiled and right, {seconds:.1f} s")
    else:
        yield Finding(BROKEN, "kernels", f"a Chamfer distance of 16 came out as {value:g}")


def _programs() -> Iterator[Finding]:
    place = str(Path(sys.executable).parent)
    for name, use in (
        ("jupyter", "mdcv lab"),
        ("nbgrader", "its own commands"),
        ("alembic", "a new gradebook"),
    ):
        found = shutil.which(name, path=place) or shutil.which(name)
        if found is None:
            yield Finding(BROKEN, name, f"the program is not there; {use} needs it")
        else:
            yield Finding(GOOD, name, found)


def _gradebook() -> Iterator[Finding]:
    """Makes a gradebook in a scratch folder, as the first grading does."""
    from nbgrader.api import Gradebook

    from mdcv.grading.gradebook import alembic_on_path

    alembic_on_path()
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        Gradebook(f"sqlite:///{scratch}/gradebook.db").close()
    yield Finding(GOOD, "gradebook", "a new one can be made")


def _course(course: Course | None) -> Iterator[Finding]:
    if course is None:
        yield Finding(NOTE, "course", "none here; `mdcv check` works, the other commands need one")
        return
    names = course.assignments()
    yield Finding(
        GOOD if names else NOTE,
        "course",
        f"{course.root}, assignments: {', '.join(names) or 'none yet'}",
    )
    try:
        with tempfile.TemporaryFile(dir=course.root):
            pass
    except OSError as error:
        yield Finding(BROKEN, "course", f"{course.root} cannot be written to: {error.strerror}")
    free = shutil.disk_usage(course.root).free / 1e9
    yield Finding(
        GOOD if free > 1 else BROKEN,
        "disk",
        f"{free:.0f} GB free" + ("" if free > 1 else "; 1 GB is needed"),
    )


def _isolation() -> Iterator[Finding]:
    """Which walls go up here, why not better ones, and how to get those."""
    from mdcv.grading.walls import advice, best_isolation, bubblewrap_obstacle, obstacle

    best = best_isolation()
    words = {
        "full": "full: students' code sees no files, processes or network but its own",
        "basic": "basic: students' code reads and writes its own files only, without network; it "
        "can still tell whether a file exists. `mdcv grade` asks you to say that this is enough",
        "none": "none: the code of students runs as you, with your files and your network. Grade "
        "only what you would run yourself",
    }[best]
    if best == "full":
        yield Finding(GOOD, "isolation", words)
        if (missing := bubblewrap_obstacle()) is not None:
            yield Finding(NOTE, "bubblewrap", f"no second wall round the first: {missing}")
        return
    yield Finding(NOTE, "isolation", words)
    for better in ("full", "basic"):
        if better != best and (why := obstacle(better)) is not None:
            yield Finding(NOTE, "isolation", f"not {better}: {why}")
    for sentence in advice():
        yield Finding(NOTE, "isolation", sentence)


def find_course_or_none(folder: Path | None) -> Course | None:
    """The course to look at, if there is one."""
    from mdcv.grading.course import find_course

    try:
        return find_course(folder)
    except CannotRun:
        if folder is not None:
            raise
        return None
