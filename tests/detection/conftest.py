from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session")
def peer():
    """torchvision's operations on regions, where its compiled part can be loaded."""
    try:
        import torchvision

        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (ImportError, RuntimeError, NotImplementedError) as error:
        pytest.skip(f"torchvision's operations are not here: {type(error).__name__}")
    return torchvision.ops
