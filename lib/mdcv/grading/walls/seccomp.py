"""Seccomp: system calls that students' code has no use for and attackers do.

A deny list, as a small program that the kernel runs at every call. It takes away the
ways into other processes, the ways to new namespaces, and the corners of the kernel where holes
are found. Calls newer than this file do not exist. What remains is what numerical Python uses.

Source: seccomp(2). The list follows the defaults of container engines, and goes on where Landlock
alone must hold (`alone`): there, Landlock's gaps are closed as well.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from mdcv.grading.walls import syscalls
from mdcv.grading.walls.syscalls import number

#: Refused for everybody, with EPERM.
REFUSED = (
    # other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"),
    *("kcmp", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    # mounts and namespaces
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig"),
    *("fsmount", "fspick", "mount_setattr", "statmount", "listmount", "unshare", "setns"),
    # the machine
    *("swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load", "init_module"),
    *("finit_module", "delete_module", "acct", "syslog", "settimeofday", "clock_settime"),
    *("clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "quotactl"),
    *("quotactl_fd", "vhangup", "nfsservctl", "sysfs", "ustat", "_sysctl", "uselib"),
    # where holes are found
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter"),
    *("io_uring_register", "keyctl", "add_key", "request_key", "modify_ldt", "personality"),
    *("lookup_dcookie", "name_to_handle_at", "open_by_handle_at", "fanotify_init"),
    *("fanotify_mark", "migrate_pages", "move_pages"),
    # memory that no limit counts
    *("shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop"),
    *("semtimedop", "semctl", "mq_open", "mq_unlink", "memfd_create", "memfd_secret"),
)

#: Without namespaces: sockets, signals of every kind to processes of the same user, and watching
#: folders, which Landlock lets anybody do.
REFUSED_ALONE = (
    *("socket", "connect", "bind", "listen", "accept", "accept4"),
    *("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sched_setscheduler", "sched_setparam"),
    *("sched_setattr", "ioprio_set", "truncate"),
    *("inotify_init", "inotify_init1", "inotify_add_watch"),
)

#: Landlock does not guard a file's mode, owner, times and attributes. Without namespaces, changing
#: them does nothing and says it did: a plain copy of a file sets the mode, and has to work.
IDLE_ALONE = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr"),
)

# Instructions: code, jump if true, jump if false, operand.
_LOAD, _AND, _EQUAL, _ABOVE, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

Instruction = tuple[int, int, int, int]

_NEW_NAMESPACES = 0x7E020000  # the seven CLONE_NEW* that clone takes
_CLONE_PARENT = 0x8000
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal
_SIGNAL_OWNERS = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP: a signal to anybody, sent by the kernel
_FCNTL_OWNERS = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, in an empty network
_O_ACCMODE, _O_TRUNC = 0x3, 0x200


def program(*, alone: bool, own_pid: int = 0) -> list[Instruction]:
    """The filter: one instruction a line, in the order in which the kernel runs it.

    Args:
        alone: no namespaces stand around the process, so sockets, signals and file modes must be
            held here.
        own_pid: with `alone`, the only process that may be signalled.
    """
    code: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _AUDIT_ARCH[syscalls.MACHINE]),
        (_RETURN, 0, 0, _KILL),  # 32-bit calls have other numbers
        (_LOAD, 0, 0, 0),
        (_ABOVE, 0, 1, syscalls.NEWEST),  # and so have those of x32, above 2³⁰
        _refuse(errno.ENOSYS),
    ]
    for name in REFUSED:
        code += _whole(name, errno.EPERM)
    # Its flags lie in memory, where no filter can look. The C library falls back on clone.
    code += _whole("clone3", errno.ENOSYS)
    code += _when("clone", _any_bit(0, _NEW_NAMESPACES | _CLONE_PARENT))
    code += _when("ioctl", _one_of(1, (*_TERMINAL_INPUT, *_SIGNAL_OWNERS)))
    code += _when("fcntl", _one_of(1, _FCNTL_OWNERS))
    # Connected pairs only: a datagram socket could still be aimed elsewhere.
    code += _when("socketpair", [*_none_of(0, (1,)), *_none_of(1, (1, 5), mask=0xF)])
    if not alone:
        code += _when("socket", _none_of(0, _FAMILIES))
        return [*code, (_RETURN, 0, 0, _ALLOW)]
    for name in REFUSED_ALONE:
        code += _whole(name, errno.EPERM)
    for name in IDLE_ALONE:
        code += _whole(name, 0)
    code += _whole("openat2", errno.ENOSYS)
    code += _when("kill", _none_of(0, (0, own_pid)))
    code += _when("tgkill", _none_of(0, (own_pid,)))
    code += _when("prlimit64", _none_of(0, (0, own_pid)))
    code += _when("sched_setaffinity", _none_of(0, (0, own_pid)))
    code += _when("setpriority", [*_none_of(0, (0,)), *_none_of(1, (0, own_pid))])
    # Reading with O_TRUNC empties the file, and old Landlocks see only the reading.
    truncating = _one_of(2, (_O_TRUNC,), mask=_O_ACCMODE | _O_TRUNC)
    code += _when("openat", truncating)
    code += _when("open", _one_of(1, (_O_TRUNC,), mask=_O_ACCMODE | _O_TRUNC))
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _refuse(code: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | code)


def _argument(index: int) -> Instruction:
    """Loads the lower half of an argument; all that are looked at are ints."""
    return (_LOAD, 0, 0, 16 + 8 * index)


def _whole(name: str, code: int) -> list[Instruction]:
    nr = number(name)
    return [] if nr is None else [(_EQUAL, 0, 1, nr), _refuse(code)]


def _when(name: str, tests: list[Instruction]) -> list[Instruction]:
    """Runs the tests at one call, and lets it pass if none refused it."""
    nr = number(name)
    if nr is None:
        return []
    return [(_EQUAL, 0, len(tests) + 1, nr), *tests, (_RETURN, 0, 0, _ALLOW)]


def _any_bit(index: int, mask: int) -> list[Instruction]:
    return [
        _argument(index),
        (_AND, 0, 0, mask),
        (_EQUAL, 1, 0, 0),
        _refuse(errno.EPERM),
    ]


def _one_of(index: int, values: tuple[int, ...], *, mask: int = 0xFFFFFFFF) -> list[Instruction]:
    tests = [_argument(index), (_AND, 0, 0, mask)]
    for value in values:
        tests += [(_EQUAL, 0, 1, value), _refuse(errno.EPERM)]
    return tests


def _none_of(index: int, values: tuple[int, ...], *, mask: int = 0xFFFFFFFF) -> list[Instruction]:
    tests = [_argument(index), (_AND, 0, 0, mask)]
    for place, value in enumerate(values):
        tests.append((_EQUAL, len(values) - place, 0, value))
    return [*tests, _refuse(errno.EPERM)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def install(*, alone: bool) -> None:
    """Puts the filter over this process, its threads and all its children, for good.

    Raises:
        OSError: the kernel refused.
    """
    code = program(alone=alone, own_pid=os.getpid())
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    whole = _Program(len(code), ctypes.addressof(buffer))
    syscalls.call("seccomp", 1, 1, whole)  # SECCOMP_SET_MODE_FILTER, for all threads
