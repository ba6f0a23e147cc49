"""The walls themselves: how a process gets behind them, and what stands where."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

from mdcv.grading.walls import guard, landlock, limits, namespaces, seccomp, syscalls, view
from mdcv.grading.walls.limits import WallLimits
from mdcv.grading.walls.readable import LIBRARY

Isolation = Literal["full", "basic", "none"]

#: Where users without name or rights begin. No system gives numbers like these to people.
_STRANGERS = 1_000_000_000

#: Of the files in /proc, what programs ask for and what is theirs to know.
_OWN_PROC = (
    *("cpuinfo", "meminfo", "stat", "self/fd", "self/status", "self/stat", "self/statm"),
    *("self/maps", "self/smaps", "self/cmdline", "self/comm", "self/limits"),
)


class WallError(RuntimeError):
    """A wall could not be put up; the message says which, and why. Nothing may run behind it."""


def confine(
    isolation: Isolation,
    *,
    scratch: Path,
    limits: WallLimits,
    readable: Iterable[Path],
    hidden: Iterable[Path] = (),
    keep_fds: Sequence[int] = (),
) -> None:
    """Locks the rest of this process in, for good. Call it in a fresh fork of one thread.

    It returns in another process, a child: what has called it stays outside as a guard, and ends
    with the exit code of what is inside: 128 + the signal if one killed it, 251 for too much
    memory, 252 for too much disk, 253 for too much processor time. Send the guard SIGINT to
    interrupt the process inside, SIGTERM to end it with all its children.

    Args:
        isolation: "full" or "basic"; "none" only changes into the scratch folder.
        scratch: an existing folder, the working directory from then on. Behind "full" walls an
            empty folder in memory stands in its place: bring files in after this call.
        limits: what the process may use.
        readable: folders and files it may read and run; `python_environment()` are most of them.
        hidden: what it may not, although it lies in a readable folder. This library always does;
            the longer path wins, so parts of it can be named in `readable`.
        keep_fds: open files that it may keep. All others are closed, and the standard streams lead
            nowhere unless they are named here.

    Raises:
        WallError: the walls cannot be put up. The caller says so to whoever waits, and exits; it
            may be the child that finds out.
    """
    if isolation == "none":
        os.chdir(scratch)
        return
    if isolation not in ("full", "basic"):
        raise ValueError(f"isolation is {isolation!r}; expected 'full', 'basic' or 'none'")
    if not syscalls.SUPPORTED:
        raise WallError("there are walls on 64-bit Linux only (x86_64 and aarch64)")
    inside = _Inside(isolation, scratch, limits, readable, hidden, keep_fds)
    try:
        inside.go()
    except OSError as error:
        raise WallError(f"{inside.step} failed: {error}") from error


#: So many processes may have memory in common that counts once.
_POOL = 32


class _Inside:
    """The steps on the way in, in their order."""

    def __init__(
        self,
        isolation: Isolation,
        scratch: Path,
        wall_limits: WallLimits,
        readable: Iterable[Path],
        hidden: Iterable[Path],
        keep_fds: Sequence[int],
    ):
        self.full = isolation == "full"
        self.scratch = Path(os.path.realpath(scratch))
        self.limits = wall_limits
        self.readable = [Path(os.path.abspath(path)) for path in readable]
        self.hidden = [LIBRARY, *(Path(os.path.abspath(path)) for path in hidden)]
        self.keep_fds = set(keep_fds)
        self.stranger = _stranger()
        self.parent = os.getppid()
        self.step = "to begin"

    def go(self) -> None:
        self.step = "closing files"
        close_all_but(self.keep_fds)
        with contextlib.suppress(OSError):  # the first to go when the machine's memory ends
            Path("/proc/self/oom_score_adj").write_text("1000")
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        mask = guard.block_events()
        if self.full:
            self._into_namespaces()
        else:
            self._beside_a_guard()
        self._lock()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask - set(guard.EVENTS))

    def _into_namespaces(self) -> None:
        self.step = "entering namespaces"
        namespaces.enter(as_user=self.stranger is None)
        lifeline, held = os.pipe()
        if (first := os.fork()) != 0:
            _stand_guard(first, parent=self.parent, keep=held)
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.close(held)
        os.set_blocking(lifeline, False)
        with contextlib.suppress(BlockingIOError):
            if os.read(lifeline, 1) == b"":
                os._exit(1)  # the guard is gone already, and its death sends no signal any more
        os.close(lifeline)
        self.step = "building the view"
        namespaces.build_view(
            view.plan(readable=self.readable, hidden=self.hidden),
            scratch=self.scratch,
            scratch_bytes=self.limits.scratch_bytes,
            owner=self._owner(),
        )
        before = guard.memory_of({os.getpid()})
        if (second := os.fork()) != 0:
            overuse = partial(self._overuse, _everybody_else, before)
            _stand_guard(second, every=0.1, overuse=overuse)

    def _beside_a_guard(self) -> None:
        self.step = "starting the guard"
        if self.stranger is not None:
            os.chown(self.scratch, *self._owner())
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        before = guard.memory_of({os.getpid()})
        if (child := os.fork()) != 0:
            descendants = partial(guard.descendants, os.getpid())
            overuse = partial(self._overuse, descendants, before)
            _stand_guard(child, parent=self.parent, orphans=True, every=0.25, overuse=overuse)

    def _overuse(self, members: Callable[[], set[int]], memory_before: int) -> int:
        """The code with which the guard ends everything, or 0."""
        pids = members()
        most = memory_before + self.limits.memory_bytes
        if guard.memory_of(pids) > most:
            # More processes than a pool has are a bomb, and leave no place for those that answer.
            if len(pids) > _POOL or guard.memory_of(pids, shared=True) > most:
                return guard.TOO_MUCH_MEMORY
        if guard.seconds_of(pids) > self.limits.cpu_seconds:
            return guard.TOO_MUCH_TIME
        if not self.full:  # a folder in memory has its own limit
            most_files = self.limits.scratch_bytes // namespaces.BYTES_A_FILE
            if guard.bytes_below(self.scratch, most_files=most_files) > self.limits.scratch_bytes:
                return guard.TOO_MUCH_DISK
        return 0

    def _owner(self) -> tuple[int, int]:
        if self.stranger is not None:
            return self.stranger, self.stranger
        return os.geteuid(), os.getegid()

    def _lock(self) -> None:
        self.step = "giving up rights"
        os.setsid()
        # Counted before /proc closes. Strangers and user namespaces start from nothing.
        tasks = 2 if self.full or self.stranger is not None else _tasks_of(os.geteuid())
        if self.stranger is None:
            namespaces.drop_capabilities()
        else:
            namespaces.become(self.stranger, self.stranger, keep=self._capabilities())
            syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # or its own /proc belongs to root
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(self.scratch)
        home = str(self.scratch)
        os.environ.update(HOME=home, TMPDIR=home, IPYTHONDIR=f"{home}/.ipython")
        os.environ.update(USER="student", LOGNAME="student")
        tempfile.tempdir = None
        self.step = "setting limits"
        limits.apply(self.limits, tasks=tasks)
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        self.step = "Landlock"
        devices = [Path("/dev", name) for name in namespaces.DEVICES]
        landlock.restrict(
            readable=[*self.readable, *(Path("/proc", name) for name in _OWN_PROC)],
            writable=[self.scratch, *devices, *([Path("/dev/shm")] if self.full else [])],
            hidden=self.hidden,
            # An import lists the folders it searches. Behind a view, all names may be seen.
            listable=[Path("/") if self.full else LIBRARY],
            network=self.full,
        )
        self.step = "seccomp"
        seccomp.install(alone=not self.full)

    def _capabilities(self) -> tuple[int, ...]:
        """Root's Python may lie where only root can read; Landlock still says what is read."""
        places = set(self.readable)
        if not self.full:
            places |= {parent for path in places for parent in path.parents}
        for path in places:
            with contextlib.suppress(OSError):
                needed = 0o005 if path.is_dir() else 0o004
                if path.stat().st_mode & needed != needed:
                    return (namespaces.CAP_DAC_READ_SEARCH,)
        return ()


def close_all_but(keep: set[int]) -> None:
    """Closes every open file but these, and lets the standard streams lead nowhere."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in keep | {0, 1, 2}:
            with contextlib.suppress(OSError):
                os.close(int(name))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in {0, 1, 2} - keep:
        os.dup2(nowhere, stream, inheritable=True)
    if nowhere > 2:
        os.close(nowhere)


def _stand_guard(
    child: int,
    *,
    parent: int | None = None,
    keep: int | None = None,
    orphans: bool = False,
    **watch: Any,
) -> NoReturn:
    """Waits for the child and ends this process with the child's code.

    Args:
        child: the process to wait for.
        parent: whose death ends the child as well.
        keep: an open file to hold until the end.
        orphans: also end what the child leaves behind; the end of a namespace does so by itself.
        watch: see `guard.wait_for`.
    """
    code = 1
    try:
        close_all_but(set() if keep is None else {keep})
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
        os.chdir("/")
        if parent is not None:
            syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it has died already
                os.kill(os.getpid(), signal.SIGTERM)
        code = guard.wait_for(child, **watch)
        if orphans:
            guard.end_descendants()
    finally:
        os._exit(code)  # as process 1 of a namespace: everything in it dies with it


def _everybody_else() -> set[int]:
    """All processes of a namespace but its first, which this one is."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1}


def _stranger() -> int | None:
    """A user number for root to change to, another one each time; None for ordinary users."""
    if os.geteuid() != 0:
        return None
    # Drawn, since process numbers are small and alike behind several outer walls.
    drawn = int.from_bytes(os.urandom(4), "big")
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, length = map(int, line.split())
        if first + length > _STRANGERS + (1 << 30):
            return _STRANGERS + drawn % (1 << 30)
        if length >= 1 << 16:  # root of a container: the upper half of its numbers
            return first + length // 2 + drawn % (length // 2)
    return None


def _tasks_of(user: int) -> int:
    """The processes and threads of a user, which the kernel counts against NPROC."""
    tasks = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                if os.stat(f"/proc/{name}").st_uid == user:
                    fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                    tasks += int(fields[17])
    return tasks
