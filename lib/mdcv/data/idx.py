"""Reading IDX files, in which MNIST and its relatives come, strictly."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

#: The third byte of a file says what its entries are; all of them big-endian.
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

#: MD5 of the four files of MNIST once unpacked. It guards against damage, not against malice.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def read_idx(path: str | Path, *, md5: str | None = None) -> Shaped[Tensor, "*shape"]:
    """The array of an IDX file, with the shape and the type that its head announces.

    Two zero bytes, one for the type, one for the number of axes, then the length of each axis as
    four bytes, then the entries, the last axis fastest. A file that begins as gzip files do is
    unpacked first, whatever its name.

    Args:
        path: the file.
        md5: the checksum of the unpacked content in hexadecimal digits, if it is known.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the content has another checksum, does not begin as an IDX file does, or has
            fewer or more bytes than its head announces.

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits".

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([0, 0, 8, 1]) + bytes([0, 0, 0, 3]) + bytes([7, 2, 1]))
    ...     file.flush()
    ...     read_idx(file.name)
    tensor([7, 2, 1], dtype=torch.uint8)
    """
    content = _unpacked(Path(path))
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 is not None and found != md5.lower():
        raise ValueError(f"{path} has the checksum {found}; expected {md5}")
    try:
        return _parse(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def mnist(
    folder: str | Path, *, held_out: bool = False, verify: bool = True
) -> tuple[Float[Tensor, "n 1 h w"], Int[Tensor, " n"]]:
    """Images in [0, 1] with white ink, float32, and the digit that each shows, int64.

    Args:
        folder: holds the four files under their own names, packed (.gz) or not.
        held_out: the 10,000 images for judging instead of the 60,000 for training.
        verify: refuse files that are not those of MNIST, by their checksums. Files of other sets
            in this format (Fashion-MNIST, or a few images of your own) need False.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is damaged, images and labels are not as many, or labels are no digits.
    """
    part = "t10k" if held_out else "train"
    images, labels = (
        read_idx(_find(Path(folder), name), md5=MNIST_MD5[name] if verify else None)
        for name in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    )
    if images.ndim != 3 or images.dtype != torch.uint8:
        raise ValueError(
            f"images has shape {tuple(images.shape)} and dtype {images.dtype}; expected (N, H, W) "
            "and torch.uint8"
        )
    if labels.shape != images.shape[:1] or labels.dtype != torch.uint8:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected "
            f"({len(images)},) and torch.uint8, one label per image"
        )
    if len(labels) and int(labels.max()) > 9:
        raise ValueError(f"labels holds {int(labels.max())}; expected digits from 0 to 9")
    return images.unsqueeze(1).float() / 255, labels.long()


def _find(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder} holds neither {name}.gz nor {name}")


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from error


def _parse(content: bytes) -> Tensor:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES or not content[3]:
        raise ValueError(
            f"the file begins with {content[:4].hex(' ') or 'nothing'}; expected 00 00, a type "
            f"({', '.join(f'{code:02x}' for code in TYPES)}) and a number of axes"
        )
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(f"the head stops after {len(content)} bytes; expected {start}")
    shape = np.frombuffer(content, ">u4", count=axes, offset=4).tolist()
    kind = np.dtype(TYPES[content[2]])
    expected = math.prod(shape) * kind.itemsize
    if len(content) - start != expected:
        raise ValueError(
            f"{len(content) - start} bytes follow the head; expected {expected} for the shape "
            f"{tuple(shape)}"
        )
    entries = np.frombuffer(content, kind, offset=start).reshape(shape)
    return torch.from_numpy(entries.astype(kind.newbyteorder("=")))
