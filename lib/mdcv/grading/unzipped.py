"""A submission inside an archive: unpacked into a scratch folder, as far as it is harmless."""

from __future__ import annotations

import contextlib
import errno
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mdcv.grading.handed_in import Several, Unreadable, find_notebook
from mdcv.grading.text import sentence

#: Of an archive so many bytes and files are unpacked; what follows stays inside.
MAX_UNPACKED_BYTES, MAX_UNPACKED_FILES = 100_000_000, 2_000


@contextlib.contextmanager
def unzipped(folder: Path, assignment: str) -> Iterator[tuple[Path, list[str]]]:
    """The student's folder, or what a single archive in it holds where there is no notebook.

    Args:
        folder: the student's folder; it is only read.
    """
    archive = _archive(folder, assignment)
    if archive is None:
        yield folder, []
        return
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        # Broken, locked by a password, or packed in a way that nobody knows: what came out counts.
        with contextlib.suppress(
            zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError
        ):
            _unpack(archive, Path(scratch) / assignment)
        yield Path(scratch), [f"{sentence(archive.name)[:100]} was unpacked"]


def _archive(folder: Path, assignment: str) -> Path | None:
    """The one archive of a folder without notebooks."""
    try:
        find_notebook(folder, assignment)
        return None
    except Several:
        return None
    except Unreadable:
        places = [one for one in (folder / assignment, folder) if not one.is_symlink()]
    found = []
    for place in places:
        with contextlib.suppress(OSError):
            found += [path for path in place.glob("*.[zZ][iI][pP]") if _is_ordinary(path)]
    return found[0] if len(found) == 1 and not folder.is_symlink() else None


def _is_ordinary(path: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and path.stat().st_size <= MAX_UNPACKED_BYTES


def _unpack(archive: Path, target: Path) -> None:
    """Writes the ordinary files of an archive; a member never says how large it really is."""
    room = MAX_UNPACKED_BYTES
    with zipfile.ZipFile(archive) as inside:
        for member in inside.infolist()[:MAX_UNPACKED_FILES]:
            path = PurePosixPath(member.filename.replace("\\", "/"))
            is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
            if member.is_dir() or is_link or path.is_absolute() or ".." in path.parts:
                continue
            with inside.open(member) as stream:
                content = stream.read(room + 1)
            if (room := room - len(content)) < 0:
                return
            destination = target.joinpath(*path.parts)
            try:
                destination.parent.mkdir(parents=True, exist_ok=True)
                destination.write_bytes(content)
            except OSError as error:  # a name that does not fit here costs that file only
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
