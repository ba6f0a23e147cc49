"""System calls by their number, for probes that Python has no function for."""

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
MACHINE = 0 if os.uname().machine == "x86_64" else 1


def syscall(numbers, *arguments):
    """A call by its number on x86_64 and aarch64; arguments are ints, bytes or buffers."""
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = LIBC.syscall(ctypes.c_long(numbers[MACHINE]), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {numbers[MACHINE]}")
    return result
