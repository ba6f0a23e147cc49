"""The network whose features FID is measured on, from a file of weights that you have."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mdcv.errors import check_tensor
from mdcv.fidelity.inception_blocks import (
    BasicConv2d,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)

#: Pixels per side that every image is brought to.
SIDE = 299


class InceptionNetwork(nn.Module):
    """Inception-v3 as the FID papers use it: images in, 2048 pooled features out.

    The layers carry the names of the file `pt_inception-2015-12-05-6726825d.pth`, the PyTorch
    port of the TensorFlow graph of 2015 on which published scores rest. It differs from other
    Inception-v3 networks in its weights, in average pooling that does not count the border, and
    in a maximum where its last block should average. Scores from any other network, or from
    other resizing, are other numbers and must not be compared.

    Bilinear resizing without smoothing is part of the convention: a large image is sampled, not
    averaged, so **shrink large images yourself, with a good filter, before you hand them in**.

    Args:
        classes: outputs of the last layer, which is in the file and not used for features.

    Source: Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500; the
    names and the three differences: M. Seitzer, pytorch-fid. On resizing: Parmar, Zhang and Zhu
    2022, arXiv:2104.11222.
    """

    def __init__(self, classes: int = 1008) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048, max_pool=True)
        self.fc = nn.Linear(2048, classes)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048"]:
        """The pooled features of images with values in [0, 1], of any size.

        Raises:
            ValueError: not three channels (repeat a gray image three times), or a value outside
                [0, 1], such as in images of bytes or in those scaled to [-1, 1].
        """
        _check_images(images)
        size = (SIDE, SIDE)
        x = functional.interpolate(images, size, mode="bilinear", align_corners=False)
        x = 2 * x - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, 2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, 3, 2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


def load_inception(path: str | Path) -> InceptionNetwork:
    """The network with the weights of a file, ready to compute features, without gradients.

    The library ships no weights and downloads none. The standard file is
    `pt_inception-2015-12-05-6726825d.pth` from the releases of pytorch-fid, some 90 MB.

    Args:
        path: a state dict saved by PyTorch. Only tensors are read from it: a file that would run
            code is refused.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no state dict, or a weight is missing, too much, or of another shape.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; expected a file of Inception weights")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as a state dict: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"{path} holds no state dict; expected tensors by name")
    with torch.device("meta"):
        network = InceptionNetwork()
    network.load_state_dict(_checked(state, network, path), assign=True)
    return network.eval().requires_grad_(False)


def _checked(state: dict[str, Tensor], network: nn.Module, path: Path) -> dict[str, Tensor]:
    """The state with counters added where an old file has none, or a refusal that names names."""
    expected = network.state_dict()
    # Counters of batches were added to PyTorch after the file was made; they have no influence.
    state = {
        **{k: torch.tensor(0) for k in expected if k.endswith("num_batches_tracked")},
        **{k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
    }
    missing, surplus = sorted(expected.keys() - state), sorted(state.keys() - expected)
    if missing or surplus:
        raise ValueError(
            f"{path} has {len(missing)} weights too few ({_some(missing)}) and {len(surplus)} too "
            f"many ({_some(surplus)}); expected the layout of pt_inception-2015-12-05"
        )
    for name, weight in state.items():
        if weight.shape != expected[name].shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(weight.shape)}; expected "
                f"{tuple(expected[name].shape)}"
            )
    return state


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (", ..." if len(names) > 2 else "") if names else "none"


def _check_images(images: Tensor) -> None:
    check_tensor("images", images, ndim=4, layout="(B, 3, H, W)")
    if images.shape[1] != 3:
        raise ValueError(
            f"images has shape {tuple(images.shape)}; axis C should be 3, not {images.shape[1]}: "
            "repeat a gray image three times"
        )
    if images.numel():
        low, high = (bound.item() for bound in images.detach().aminmax())
        if not (low >= 0 and high <= 1):
            raise ValueError(f"images reach from {low:.4g} to {high:.4g}; expected [0, 1]")
