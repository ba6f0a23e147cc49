"""What a student's process may read, short of its own files: Python, and what Python needs."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import mdcv

#: This library. Nothing in it is readable unless it is named, wherever it is installed.
LIBRARY = Path(mdcv.__file__).resolve().parent
#: What a process must be able to import that is to put up walls itself.
WALLS = (LIBRARY / "__init__.py", LIBRARY / "grading/__init__.py", LIBRARY / "grading/walls")

#: Shared libraries, programs, fonts, time zones; nothing that tells who lives on this machine.
_SYSTEM = (
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/lib", "/lib32", "/lib64"),
    *("/usr/bin", "/bin", "/usr/share/fonts", "/usr/share/fontconfig", "/usr/share/zoneinfo"),
    *("/usr/share/locale", "/usr/share/i18n", "/usr/share/terminfo", "/usr/local/share/fonts"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/localtime"),
    *("/etc/timezone", "/etc/mime.types", "/etc/alternatives", "/etc/locale.alias"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/nix/store", "/gnu/store"),
)


@cache
def python_environment() -> tuple[Path, ...]:
    """The folders and files of this Python with all installed packages, and the system's libraries.

    Without this library itself, which walls hide unless a path of it is named.
    """
    interpreter = Path(os.path.realpath(sys.executable))
    found = [Path(path) for path in _SYSTEM]
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix):
        # Of a Python in the system's own places only its folders are meant, not all of /usr.
        if prefix in ("/usr", "/usr/local"):
            found += [Path(prefix, "lib"), Path(prefix, "bin")]
        else:
            found.append(Path(prefix))
    found += [interpreter, Path(sys.executable)]
    found += [
        Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")
    ]
    unique = dict.fromkeys(path for path in found if path.is_absolute() and os.path.lexists(path))
    return tuple(path for path in unique if not any(parent in unique for parent in path.parents))
