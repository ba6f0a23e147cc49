"""What to do on a machine that cannot put the walls up, in words for its owner."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mdcv.grading.walls import landlock, syscalls

#: A switch of the kernel, the value that forbids, and the command that allows.
_SWITCHES = (
    ("user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def advice(root: Path = Path("/"), landlock_abi: Callable[[], int] = landlock.abi) -> list[str]:
    """Sentences that say what is missing for "full" isolation and how to get it.

    Args:
        root: where the system's files lie.
        landlock_abi: the version of Landlock in the kernel.
    """
    return list(_sentences(root, landlock_abi))


def _sentences(root: Path, landlock_abi: Callable[[], int]) -> Iterator[str]:
    if not syscalls.SUPPORTED:
        yield (
            f"The walls are made of Linux on x86_64 or aarch64, and this is {sys.platform} on "
            f"{syscalls.MACHINE}: grade in a virtual machine with Linux."
        )
        return
    if landlock_abi() == 0:
        yield (
            f"The kernel {os.uname().release} has no Landlock. It came with Linux 5.13; where it "
            "is compiled in but asleep, boot with lsm=landlock, followed by what "
            "/sys/kernel/security/lsm shows now."
        )
    contained = any((root / name).exists() for name in (".dockerenv", "run/.containerenv"))
    if contained:
        yield (
            "This is a container, and containers forbid namespaces within: grade on the machine "
            "itself, or start the container with --privileged."
        )
    if os.geteuid() != 0 or contained:
        for name, forbids, command in _SWITCHES:
            if _read(root / "proc/sys" / name) == forbids:
                yield (
                    f"Ordinary users may not open namespaces here: {command} (to keep it, write "
                    "the setting into a file below /etc/sysctl.d), or grade as root."
                )


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
