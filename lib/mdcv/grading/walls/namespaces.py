"""Namespaces: a machine of its own for one process, in two milliseconds.

Inside there are no other processes, no network, no files but the ones that were named, at the
paths where they are outside, and nothing to write to but a scratch folder in memory.

Source: namespaces(7), pivot_root(2), mount_setattr(2). An ordinary user enters through a user
namespace; root needs none, and gives its rights up afterwards.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from mdcv.grading.walls import syscalls
from mdcv.grading.walls.syscalls import call, prctl

_NEW_USER, _NEW_PID = 0x10000000, 0x20000000
#: Mounts, control groups, host name, System V objects, network.
_NEW_REST = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000

_NOSUID, _NODEV, _NOEXEC, _BIND, _RECURSIVE, _SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
_DETACH = 2
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

#: Devices that every program may expect.
DEVICES = ("null", "zero", "full", "random", "urandom")

#: May read and search whatever the owner may; kept only where Python itself is private.
CAP_DAC_READ_SEARCH = 2


def enter(*, as_user: bool) -> None:
    """Opens a new world without entering it: the next child of this process is process 1 in there.

    Args:
        as_user: go through a user namespace, which keeps user and group as they are.

    Raises:
        OSError: the system forbids it.
    """
    user, group = os.geteuid(), os.getegid()
    call("unshare", _NEW_PID | (_NEW_USER if as_user else 0))
    if as_user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def build_view(
    *,
    readable: Iterable[Path],
    hidden: Iterable[Path],
    scratch: Path,
    scratch_bytes: int,
    owner: tuple[int, int],
) -> None:
    """Makes `readable` and a fresh scratch folder all that there is, for process 1 to call.

    Args:
        readable: folders and files, kept where they are, read-only.
        hidden: what is empty although it lies in a readable folder; the longest path decides.
        scratch: an existing folder. Its place is taken by an empty one in memory.
        scratch_bytes: what fits into it, and again into /dev/shm.
        owner: user and group of the scratch folder.

    Raises:
        OSError: the system forbids it.
    """
    os.umask(0o022)
    call("unshare", _NEW_REST)
    call("sethostname", b"mdcv", 4)
    call("mount", None, b"/", None, _SLAVE | _RECURSIVE, None)
    ground = os.fsencode(scratch)
    call("mount", b"tmpfs", ground, b"tmpfs", _NOSUID | _NODEV, b"mode=0755,size=16m")
    os.mkdir(ground + b"/.old")
    call("pivot_root", ground, ground + b"/.old")
    os.chdir("/")
    Path("/.empty").touch(mode=0o444)
    covers = [Path("/")]
    shown = dict.fromkeys(hidden, False) | dict.fromkeys(readable, True)
    for path in sorted(shown, key=lambda path: len(path.parts)):
        around = next((shown[p] for p in path.parents if p in shown), False)
        if shown[path] and not around:
            _show(path)
        elif around and not shown[path]:
            covers += _hide(path)
    for name in DEVICES:
        _bind(Path("/.old/dev", name), Path("/dev", name), _ATTR_RDONLY | _ATTR_NOSUID)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    options = f"mode=0700,uid={owner[0]},gid={owner[1]},size={scratch_bytes},nr_inodes=20000"
    for folder in (scratch, Path("/dev/shm")):
        folder.mkdir(parents=True, exist_ok=True)
        flags = _NOSUID | _NODEV
        call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode())
    Path("/proc").mkdir(exist_ok=True)
    call("mount", b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)
    _set_attributes(Path("/proc"), _ATTR_RDONLY)
    call("umount2", b"/.old", _DETACH)
    os.rmdir("/.old")
    for cover in covers:
        _set_attributes(cover, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=False)


def _show(path: Path) -> None:
    """Binds a path of the old root at the same place in the new one, links on the way included.

    What is not there, or not for this user, is left out.
    """
    place, rest, links = Path("/"), list(path.parts[1:]), 0
    while rest:
        place /= rest.pop(0)
        outside = Path("/.old", *place.parts[1:])
        if outside.is_symlink():
            links += 1
            if links > 40:
                raise OSError(errno.ELOOP, f"too many links on the way to {path}")
            target = os.readlink(outside)
            with contextlib.suppress(FileExistsError):
                os.symlink(target, place)
            place, rest = Path("/"), [*_joined(place.parent, target).parts[1:], *rest]
        elif not os.access(outside, os.R_OK if not rest else os.X_OK):
            return
        elif rest and not place.is_dir():
            place.mkdir(mode=0o755)
    _bind(Path("/.old", *place.parts[1:]), place, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)


def _joined(folder: Path, target: str) -> Path:
    return Path(os.path.normpath(folder / target))


def _hide(path: Path) -> list[Path]:
    """Covers a path of the new root, if it is there, with nothing; returns what is still writable.

    A readable path below it is shown on top, so the cover has to wait with becoming read-only.
    """
    if path.is_dir():
        call("mount", b"tmpfs", os.fsencode(path), b"tmpfs", _NOSUID | _NODEV, b"mode=0755,size=1m")
        return [path]
    if path.is_file():
        _bind(Path("/.empty"), path, _ATTR_RDONLY)
    return []


def _bind(source: Path, place: Path, attributes: int) -> None:
    if source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    call("mount", os.fsencode(source), os.fsencode(place), None, _BIND | _RECURSIVE, None)
    _set_attributes(place, attributes)


def _set_attributes(place: Path, attributes: int, *, recursive: bool = True) -> None:
    wanted = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0), 32)
    flags = _AT_RECURSIVE if recursive else 0
    call("mount_setattr", _AT_FDCWD, os.fsencode(place), flags, wanted, 32)


def become(user: int, group: int, *, keep: Iterable[int] = ()) -> None:
    """Changes to a user without rights; of root's capabilities only `keep` remain."""
    kept = tuple(keep)
    if kept:
        prctl(syscalls.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    drop_capabilities(keep=kept)


def drop_capabilities(*, keep: Iterable[int] = ()) -> None:
    """Gives all capabilities up, for this process and all that it will ever run."""
    kept = tuple(keep)
    for capability in range(64):
        try:
            prctl(syscalls.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:
                break  # the last one this kernel knows was the one before
            if error.errno != errno.EPERM:
                raise
            break  # without rights there is nothing to drop
    bits = sum(1 << capability for capability in kept)
    _set_capabilities(bits)
    prctl(syscalls.PR_CAP_AMBIENT, 4)  # clear all
    for capability in kept:
        prctl(syscalls.PR_CAP_AMBIENT, 2, capability)  # raise


def _set_capabilities(bits: int) -> None:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, low, high, high, high), 24)
    call("capset", header, data)
