"""Where a measurement was made: processor, memory, system, versions, how busy it was."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

#: What has a say in the times, by its name in the package index.
PACKAGES = (
    *("mdcv", "torch", "numpy", "numba", "scipy", "POT", "geomloss", "fpsample", "torchmetrics"),
    *("scikit-image", "torchvision", "pytorch3d", "torch-cluster", "triton"),
)


def describe(device: str) -> dict:
    """The machine, the device on it and the versions, as they go into the results."""
    import torch

    gpu = None if device == "cpu" else torch.cuda.get_device_name(device)
    return {
        "processor": processor(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "gpu": gpu,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: _version(name) for name in PACKAGES},
    }


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    cpu = {key.strip(): value.strip() for key, value in fields.items()}
    name = cpu.get("model name") or platform.machine()
    return f"{name} (family {cpu['cpu family']})" if "cpu family" in cpu else name


def _memory_gib() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError):
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
