"""Dense tensors as raw bytes, and back, with every length checked before it is trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

#: The dtypes that travel, by name.
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.bool),
        *(torch.uint64, torch.uint32, torch.uint16, torch.uint8, torch.complex64, torch.complex128),
    )
}

MOST_AXES = 16
MOST_TENSORS = 20_000

#: The sizes of a shape, zeros aside, multiply to no more: an empty tensor of shape (0, 10^9) would
#: travel for nothing, and its mean over the first axis would fill the memory.
MOST_NUMBERS = 2**28


def to_bytes(tensors: Sequence[Tensor]) -> tuple[list[list[Any]], bytes]:
    """Dtype and shape of each tensor, and the values of all of them one behind the other.

    >>> to_bytes([torch.tensor([1, 2], dtype=torch.uint8)])
    ([['uint8', [2]]], b'\\x01\\x02')
    """
    listed = [[str(one.dtype).removeprefix("torch."), list(one.shape)] for one in tensors]
    pieces = (
        one.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        for one in tensors
    )
    return listed, b"".join(pieces)


def from_bytes(listed: Any, content: bytes) -> list[Tensor]:
    """The tensors again; each has memory of its own.

    Raises:
        ValueError: the list is not as `to_bytes` makes it, or the bytes are not as many.

    >>> from_bytes([["uint8", [2]]], b"\\x01\\x02")
    [tensor([1, 2], dtype=torch.uint8)]
    """
    if type(listed) is not list or len(listed) > MOST_TENSORS:
        raise ValueError(f"expected a list of at most {MOST_TENSORS} tensors")
    tensors, start = [], 0
    for item in listed:
        dtype, shape = _checked(item)
        size = math.prod(shape) * dtype.itemsize
        if start + size > len(content):
            raise ValueError(f"{len(content)} bytes came; a tensor ends at {start + size}")
        piece = bytearray(content[start : start + size])
        flat = torch.frombuffer(piece, dtype=torch.uint8) if size else torch.empty(0)
        values = flat.view(dtype) if size else flat.to(dtype)
        tensors.append(values.reshape(shape))
        start += size
    if start != len(content):
        raise ValueError(f"{len(content)} bytes came; the tensors have {start}")
    for tensor in tensors:
        if tensor.dtype == torch.bool and bool((tensor.view(torch.uint8) > 1).any()):
            raise ValueError("a tensor of truth values holds something else")
    return tensors


def _checked(item: Any) -> tuple[torch.dtype, list[int]]:
    if type(item) is not list or len(item) != 2 or type(item[0]) is not str:
        raise ValueError("expected dtype and shape of a tensor")
    dtype, shape = DTYPES.get(item[0]), item[1]
    if dtype is None:
        raise ValueError(f"a tensor is of dtype {item[0][:40]!r}")
    if type(shape) is not list or len(shape) > MOST_AXES:
        raise ValueError(f"a tensor's shape is no list of at most {MOST_AXES} sizes")
    if not all(type(size) is int and 0 <= size < 2**40 for size in shape):
        raise ValueError("a tensor's shape holds something that is no size")
    if math.prod(size for size in shape if size) > MOST_NUMBERS:
        raise ValueError(f"a tensor's shape has room for more than {MOST_NUMBERS} numbers")
    return dtype, shape
