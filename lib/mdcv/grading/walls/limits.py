"""What one confined process may use up: numbers that the kernel itself keeps."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

#: Address space beside the data: stacks of threads, and what allocators reserve and never touch.
_RESERVED = 1 << 30


@dataclass(frozen=True)
class WallLimits:
    """What a submission may use; the clock on the wall is the grader's to keep."""

    #: Processor time in seconds, of all processes together. A single one is killed on the second.
    cpu_seconds: int = 900
    #: Memory beyond what the process has when the walls go up, all its children together.
    memory_bytes: int = 2 << 30
    #: Processes and threads at the same time.
    processes: int = 64
    #: The size of one file.
    file_bytes: int = 64 << 20
    #: All files in the scratch folder together.
    scratch_bytes: int = 64 << 20
    #: Open files of one process.
    open_files: int = 256


def apply(limits: WallLimits, *, tasks: int) -> None:
    """Sets the limits for this process and its children; nobody without privilege can raise them.

    Args:
        limits: what may be used.
        tasks: how many processes and threads the user has already, where the kernel counts them in.
    """
    used = _used_bytes()
    wanted = {
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if used is not None:  # Linux
        size, data = used
        wanted |= {
            resource.RLIMIT_DATA: data + limits.memory_bytes,
            # Shared memory is not data, and would have no limit without this one.
            resource.RLIMIT_AS: size + limits.memory_bytes + _RESERVED,
            resource.RLIMIT_NPROC: tasks + limits.processes,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
            resource.RLIMIT_SIGPENDING: 1024,
        }
    for which, value in wanted.items():
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def _used_bytes() -> tuple[int, int] | None:
    """This process's address space and data now; None where the system does not tell."""
    try:
        fields = status("self")
    except OSError:
        return None
    return fields["VmSize"], fields["VmData"]


def status(process: int | str, file: str = "status") -> dict[str, int]:
    """The memory lines of a process's status file, or of another one, in bytes."""
    found = {}
    for line in Path(f"/proc/{process}/{file}").read_text().splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            found[name] = int(value[:-3]) << 10
    return found
