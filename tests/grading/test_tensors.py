"""Tensors travel as bytes, and no list of lengths is believed."""

from __future__ import annotations

import pytest
import torch

from mdcv.grading.tensors import DTYPES, from_bytes, to_bytes


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_every_dtype_and_shape_arrives_as_it_was(dtype):
    sent = [
        (torch.arange(6) % 2).to(dtype).reshape(2, 3),
        torch.ones((), dtype=dtype),
        torch.zeros(0, 4, dtype=dtype),
        torch.arange(12).to(dtype).reshape(3, 4).T,
    ]
    for one, other in zip(from_bytes(*to_bytes(sent)), sent, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
        assert one.is_contiguous()


def test_gradients_and_special_values_are_just_values():
    values = torch.tensor([float("nan"), float("inf"), -0.0], requires_grad=True)
    [came] = from_bytes(*to_bytes([values]))
    assert not came.requires_grad
    assert came.tolist()[1:] == [float("inf"), 0.0] and bool(came[0].isnan())


@pytest.mark.parametrize(
    ("listed", "content", "reason"),
    [
        (None, b"", "a list"),
        ([["uint8", [1]]] * 30_000, b"", "at most 20000"),
        ([["uint8"]], b"", "dtype and shape"),
        ([["object", [1]]], b"\0", "dtype 'object'"),
        ([["uint8", [2**50]]], b"\0", "no size"),
        ([["uint8", [-1]]], b"", "no size"),
        ([["uint8", [True]]], b"\0", "no size"),
        ([["uint8", [1.0]]], b"\0", "no size"),
        ([["uint8", [1] * 17]], b"\0", "at most 16"),
        ([["uint8", [2]]], b"\0", "ends at 2"),
        ([["uint8", [2**39, 2**39]]], b"\0", "more than 268435456"),
        ([["float32", [2**39, 2**39, 0]]], b"", "more than 268435456"),
        ([["float32", [0, 10**9]]], b"", "more than 268435456"),
        ([["uint8", [1]]], b"\0\0", "2 bytes came"),
        ([["bool", [1]]], b"\7", "truth values"),
    ],
)
def test_a_list_that_lies_is_refused(listed, content, reason):
    with pytest.raises(ValueError, match=reason):
        from_bytes(listed, content)
