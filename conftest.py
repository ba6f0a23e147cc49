"""For tests and doctests alike: shapes are enforced, devices chosen, random numbers seeded.

Shapes in signatures are enforced for every room but the kernels, which numba cannot have wrapped.
"""

from __future__ import annotations

import importlib.util
import os

os.environ.setdefault("MPLBACKEND", "Agg")

import jaxtyping
import pytest
import torch

# Triton looks at this when it is first imported: without a GPU its interpreter runs the bodies.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

CHECKED_ROOMS = [
    *("mdcv.claims", "mdcv.seeds", "mdcv.device", "mdcv.data"),
    *("mdcv.divergence", "mdcv.embedding", "mdcv.points", "mdcv.surfaces", "mdcv.boxes"),
    "mdcv.fidelity",
    *("mdcv.autoregressive", "mdcv.detection", "mdcv.gan", "mdcv.pointnet", "mdcv.vae"),
    "mdcv.results",
]

# GPU bodies import Triton, which comes with PyTorch's CUDA builds only.
collect_ignore_glob = [] if importlib.util.find_spec("triton") else ["lib/mdcv/kernels/*_gpu.py"]

_hook = jaxtyping.install_import_hook(CHECKED_ROOMS, "beartype.beartype")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        default=None,
        help="run the tests that take a device on this one only (cpu, cuda)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `device` runs on every device there is."""
    if "device" not in metafunc.fixturenames:
        return
    asked = metafunc.config.getoption("--device")
    devices = [asked] if asked else ["cpu", "cuda"]
    no_gpu = pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device on this machine"
    )
    marks = {"cuda": [no_gpu]}
    metafunc.parametrize("device", [pytest.param(d, marks=marks.get(d, [])) for d in devices])


@pytest.fixture
def at_the_door():
    """Shape annotations off: a wrong shape reaches the door, as it does for users."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture(scope="session")
def peer():
    """torchvision's operations on boxes and regions, where its compiled part can be loaded."""
    try:
        import torchvision

        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (ImportError, RuntimeError, NotImplementedError) as error:
        pytest.skip(f"torchvision's operations are not here: {type(error).__name__}")
    return torchvision.ops


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict) -> None:
    """Doctests know `torch` and start from one seed."""
    doctest_namespace["torch"] = torch
    torch.manual_seed(0)
