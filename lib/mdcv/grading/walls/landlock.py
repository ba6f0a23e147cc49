"""Landlock: a process gives up, for good, all files but those it names.

No privilege is needed, and there is no way back for the process or its children. What is allowed is
a list of folders and files; what is not on it cannot be opened, listed, run, made or removed,
whoever owns it.

Source: the kernel's documentation, userspace-api/landlock. ABI 1 came with Linux 5.13;
2 allows renames across folders, 3 guards truncation, 4 TCP, 5 ioctl on devices, 6 abstract
sockets and signals.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from mdcv.grading.walls import syscalls

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15

READ = EXECUTE | READ_FILE | READ_DIR
#: The rights that a rule on a single file may carry.
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many bits of rights each ABI handles
_BIND_AND_CONNECT_TCP = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3
SCOPES_SIGNALS = 6  # from this ABI on


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock in the running kernel; 0 where there is none."""
    if not syscalls.SUPPORTED:
        return 0
    try:
        return syscalls.call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def restrict(
    *,
    readable: Iterable[Path],
    writable: Iterable[Path],
    hidden: Iterable[Path] = (),
    listable: Iterable[Path] = (),
    network: bool = False,
) -> None:
    """Leaves this process nothing but these files, for good.

    Args:
        readable: folders and files that may be read and run.
        writable: folders and files that may be changed as well.
        hidden: what is not to be read although it lies in a readable folder. The names in there
            can still be listed. The longest path decides.
        listable: folders in which names may be seen, all the way down.
        network: whether TCP is left alone (a network namespace then holds it).

    Raises:
        OSError: the kernel has no Landlock or refused.
    """
    version = abi()
    if version == 0:
        raise OSError("this kernel has no Landlock")
    files = (1 << _RIGHTS.get(version, 16)) - 1
    ruleset = syscalls.call(
        "landlock_create_ruleset",
        _Ruleset(
            files,
            _BIND_AND_CONNECT_TCP if version >= 4 and not network else 0,
            _ABSTRACT_SOCKETS_AND_SIGNALS if version >= SCOPES_SIGNALS else 0,
        ),
        24 if version >= SCOPES_SIGNALS else 16 if version >= 4 else 8,
        0,
    )
    try:
        for path, rights in spread(readable, hidden):
            _allow(ruleset, path, rights & files)
        for path in listable:
            _allow(ruleset, path, READ_DIR)
        for path in writable:
            _allow(ruleset, path, files & ~(MAKE_CHAR | MAKE_BLOCK))
        syscalls.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return  # what is not there needs no rule
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= OF_A_FILE
        if rights:
            syscalls.call("landlock_add_rule", ruleset, 1, _Beneath(rights, handle), 0)
    finally:
        os.close(handle)


def spread(readable: Iterable[Path], hidden: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Rules that allow `readable` without `hidden`, in a language that knows no "but".

    A folder with something hidden in it is opened entry by entry; of the folder itself, only the
    names may be seen (an import lists the folders it searches). Links in it are passed over, since
    they might lead to what is hidden: a link needs no right, only its target does.
    """
    allowed = {Path(os.path.realpath(path)) for path in readable}
    secret = {Path(os.path.realpath(path)) for path in hidden}

    def open_up(path: Path) -> Iterator[tuple[Path, int]]:
        if not any(path in other.parents for other in secret) or not path.is_dir():
            yield path, READ
            return
        yield path, READ_DIR
        for entry in path.iterdir():
            if entry not in secret and entry not in allowed and not entry.is_symlink():
                yield from open_up(entry)

    for path in sorted(allowed):
        yield from open_up(path)
