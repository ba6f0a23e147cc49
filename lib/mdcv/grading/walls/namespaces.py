"""Namespaces: a machine of its own for one process, in two milliseconds.

Inside there are no other processes, no network, no files but the ones that were named, at the
paths where they are outside, and nothing to write to but a scratch folder in memory.

Source: namespaces(7), pivot_root(2), mount_setattr(2). An ordinary user enters through a user
namespace; root needs none, and gives its rights up afterwards.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from mdcv.grading.walls import syscalls
from mdcv.grading.walls.syscalls import call, prctl
from mdcv.grading.walls.view import Step

_NEW_USER, _NEW_PID = 0x10000000, 0x20000000
#: Mounts, control groups, host name, System V objects, network.
_NEW_REST = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000

_NOSUID, _NODEV, _NOEXEC, _BIND, _RECURSIVE, _SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
_DETACH = 2
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

#: Devices that every program may expect.
DEVICES = ("null", "zero", "full", "random", "urandom")

#: One file at most for so many bytes of scratch.
BYTES_A_FILE = 4096

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
    steps: Iterable[Step], *, scratch: Path, scratch_bytes: int, owner: tuple[int, int]
) -> None:
    """Makes the planned view and a fresh scratch folder all that there is, for process 1 to call.

    Args:
        steps: the plan.
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
    # The old root moves below the new one, and goes when everything is taken from it.
    ground = os.fspath(scratch)
    _mount_memory(ground, "mode=0755,size=16m")
    os.mkdir(f"{ground}/.old")
    call("pivot_root", ground.encode(), f"{ground}/.old".encode())
    os.chdir("/")
    covers = ["/"]
    for step in steps:
        if step.make == "folder":
            os.makedirs(step.path, exist_ok=True)
        elif step.make == "link":
            if not os.path.lexists(step.path):
                os.symlink(step.target, step.path)
        elif step.make == "show":
            _show(step.target or step.path, step.path)
        else:
            _mount_memory(step.path, "mode=0755,size=1m")
            covers.append(step.path)
    for name in DEVICES:
        _show(f"/dev/{name}", f"/dev/{name}", _ATTR_RDONLY | _ATTR_NOSUID)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    for folder in (ground, "/dev/shm"):
        os.makedirs(folder, exist_ok=True)
        size = f"size={scratch_bytes},nr_inodes={scratch_bytes // BYTES_A_FILE}"
        _mount_memory(folder, f"mode=0700,uid={owner[0]},gid={owner[1]},{size}")
    os.makedirs("/proc", exist_ok=True)
    call("mount", b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None)
    _set_attributes("/proc", _ATTR_RDONLY)
    call("umount2", b"/.old", _DETACH)
    os.rmdir("/.old")
    for cover in covers:
        _set_attributes(cover, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=False)


def _mount_memory(place: str, options: str) -> None:
    flags = _NOSUID | _NODEV
    call("mount", b"tmpfs", place.encode(), b"tmpfs", flags, options.encode())


def _show(
    path: str, place: str, attributes: int = _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV
) -> None:
    """Binds a path of the old root at a place in the new one, read-only."""
    source = f"/.old{path}"
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    elif not os.path.lexists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    call("mount", source.encode(), place.encode(), None, _BIND | _RECURSIVE, None)
    _set_attributes(place, attributes)


def _set_attributes(place: str, attributes: int, *, recursive: bool = True) -> None:
    wanted = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0), 32)
    flags = _AT_RECURSIVE if recursive else 0
    call("mount_setattr", _AT_FDCWD, place.encode(), flags, wanted, 32)


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
