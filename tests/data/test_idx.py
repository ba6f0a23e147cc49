"""IDX files: read as written, and refused when they are not what they say."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from mdcv.data import idx, mnist, read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def as_idx(array: np.ndarray) -> bytes:
    """The file format, written from its description and not with the reader."""
    head = struct.pack(">BBBB", 0, 0, CODES[array.dtype.str[1:]], array.ndim)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return head + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def some_digits(n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    return draw.integers(0, 256, (n, 4, 6), dtype="u1"), draw.integers(0, 10, n, dtype="u1")


def write_mnist(folder: Path, *, packed: bool, part: str = "train", n: int = 5) -> None:
    images, labels = some_digits(n)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        content = as_idx(array)
        path = folder / f"{part}-{name}-ubyte"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
        else:
            path.write_bytes(content)


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("packed", [False, True])
def test_an_array_comes_back_as_it_was_written(tmp_path, kind, packed):
    array = (np.random.default_rng(1).normal(size=(3, 2, 5)) * 50).astype(kind)
    content = as_idx(array)
    (tmp_path / "file").write_bytes(gzip.compress(content) if packed else content)
    found = read_idx(tmp_path / "file")
    assert torch.equal(found, torch.from_numpy(array)) and found.dtype == torch.tensor(array).dtype


def test_an_array_without_entries_keeps_its_shape(tmp_path):
    (tmp_path / "file").write_bytes(as_idx(np.zeros((0, 4), "u1")))
    assert read_idx(tmp_path / "file").shape == (0, 4)


def test_what_is_read_can_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(as_idx(np.zeros(3, "u1")))
    read_idx(tmp_path / "file").add_(1)


GOOD = as_idx(some_digits()[0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file begins with nothing; expected 00 00, a type"),
        (b"\0\0\x08", "the file begins with 00 00 08"),
        (b"\x01" + GOOD[1:], "the file begins with 01 00 08 03"),
        (GOOD[:2] + b"\x0a" + GOOD[3:], "the file begins with 00 00 0a 03"),
        (GOOD[:3] + b"\0" + GOOD[4:], "the file begins with 00 00 08 00"),
        (GOOD[:9], "the head stops after 9 bytes; expected 16"),
        (GOOD[:-1], r"119 bytes follow the head; expected 120 for the shape \(5, 4, 6\)"),
        (GOOD + b"\0", "121 bytes follow the head; expected 120"),
        (GOOD[:4] + b"\xff" * 12 + GOOD[16:], "120 bytes follow the head; expected"),
        (gzip.compress(GOOD)[:-9], "cannot be unpacked"),
        (gzip.compress(GOOD)[:20] + b"\xff" * 9 + gzip.compress(GOOD)[29:], "cannot be unpacked"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path, content, words):
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_the_checksum_is_that_of_the_unpacked_content(tmp_path):
    md5 = hashlib.md5(GOOD).hexdigest()
    for content in (GOOD, gzip.compress(GOOD)):
        (tmp_path / "file").write_bytes(content)
        assert read_idx(tmp_path / "file", md5=md5.upper()).shape == (5, 4, 6)
        with pytest.raises(ValueError, match=f"has the checksum {md5}; expected 00"):
            read_idx(tmp_path / "file", md5="00")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("part", ["train", "t10k"])
def test_images_and_labels_are_scaled_and_typed(tmp_path, packed, part):
    write_mnist(tmp_path, packed=packed, part=part)
    images, labels = mnist(tmp_path, held_out=part == "t10k", verify=False)
    written, digits = some_digits()
    assert images.shape == (5, 1, 4, 6) and images.dtype == torch.float32
    torch.testing.assert_close(images[:, 0], torch.from_numpy(written).float() / 255)
    assert labels.dtype == torch.int64 and labels.tolist() == digits.tolist()


def test_other_files_under_the_names_of_mnist_are_refused_unless_asked_for(tmp_path, monkeypatch):
    write_mnist(tmp_path, packed=True)
    with pytest.raises(ValueError, match="expected 6bbc9ace898e44ae57da46a324031adb"):
        mnist(tmp_path)
    sums = {
        path.stem: hashlib.md5(gzip.decompress(path.read_bytes())).hexdigest()
        for path in tmp_path.glob("*.gz")
    }
    monkeypatch.setattr(idx, "MNIST_MD5", sums)
    assert len(mnist(tmp_path)[0]) == 5


def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path):
    write_mnist(tmp_path, packed=False)
    images, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    for path, array, words in [
        (labels, np.zeros(4, "u1"), r"labels has shape \(4,\) .* expected \(5,\)"),
        (labels, np.zeros(5, "i4"), "labels .* dtype torch.int32"),
        (labels, np.full(5, 10, "u1"), "labels holds 10; expected digits"),
        (images, np.zeros((5, 24), "u1"), r"images has shape \(5, 24\)"),
        (images, np.zeros((5, 4, 6), "f4"), "images .* dtype torch.float32"),
    ]:
        before = path.read_bytes()
        path.write_bytes(as_idx(array))
        with pytest.raises(ValueError, match=words):
            mnist(tmp_path, verify=False)
        path.write_bytes(before)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither train-images-idx3-ubyte.gz nor"):
        mnist(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
