"""A notebook inside an archive is found; nothing of an archive leaves its folder."""

from __future__ import annotations

import os
import zipfile

import pytest

from mdcv.grading.handed_in import find_notebook
from mdcv.grading.unzipped import unzipped


def archive(path, **members: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as inside:
        for name, content in members.items():
            inside.writestr(name, content)


def names(place) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@pytest.mark.parametrize("place", ["toy/toy.zip", "mine.ZIP"])
def test_a_notebook_in_an_archive_is_found_and_nothing_is_written_beside_it(tmp_path, place):
    archive(tmp_path / place, **{"toy/toy.ipynb": b"{}", "toy/data.csv": b"1"})
    with unzipped(tmp_path, "toy") as (folder, problems):
        path, _ = find_notebook(folder, "toy")
        assert path.read_bytes() == b"{}" and (path.parent / "data.csv").exists()
    assert problems == [f"{place.split('/')[-1]} was unpacked"]
    assert not folder.exists() and names(tmp_path) == [place]


def test_beside_a_notebook_an_archive_is_a_file_like_any_other(tmp_path):
    archive(tmp_path / "toy/toy.zip", **{"toy.ipynb": b"{}"})
    (tmp_path / "toy/toy.ipynb").write_text("{}")
    with unzipped(tmp_path, "toy") as found:
        assert found == (tmp_path, [])


def test_nothing_leaves_the_folder_and_links_stay_inside(tmp_path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = 0o120777 << 16
    odd = {"../out.ipynb": b"1", "/tmp/out.ipynb": b"1", "a/../../out": b"1", "..\\out": b"1"}
    archive(tmp_path / "ada/a.zip", **odd, **{"x" * 300: b"1", "toy.ipynb": b"{}"})
    with zipfile.ZipFile(tmp_path / "ada/a.zip", "a") as inside:
        inside.writestr(link, "/etc/passwd")
    with unzipped(tmp_path / "ada", "toy") as (folder, _):
        assert names(folder) == ["toy/toy.ipynb"]
    assert names(tmp_path) == ["ada/a.zip"]


def test_of_a_bomb_only_so_much_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("mdcv.grading.unzipped.MAX_UNPACKED_BYTES", 100_000)
    archive(tmp_path / "a.zip", **{"toy.ipynb": b"{}", "bomb": b"0" * 10_000_000, "more": b"1"})
    with unzipped(tmp_path, "toy") as (folder, _):
        assert names(folder) == ["toy/toy.ipynb"]


@pytest.mark.parametrize("damage", ["cut", "empty", "no archive", "link", "flipped"])
def test_an_archive_that_cannot_be_read_is_as_good_as_none(tmp_path, damage):
    path = tmp_path / "ada/a.zip"
    archive(path, **{"toy.ipynb": os.urandom(5000)})
    whole = path.read_bytes()
    flipped = whole[:60] + bytes(100) + whole[160:]
    content = {"cut": whole[:2000], "empty": b"", "no archive": b"PK words", "flipped": flipped}
    path.write_bytes(content.get(damage, whole))
    if damage == "link":
        path.rename(tmp_path / "other.zip")
        path.symlink_to(tmp_path / "other.zip")
    with unzipped(tmp_path / "ada", "toy") as (folder, _):
        assert [name for name in names(folder) if name.endswith(".ipynb")] == []


def test_what_goes_wrong_with_the_content_is_not_hidden(tmp_path):
    archive(tmp_path / "a.zip", **{"toy.ipynb": b"{}"})
    with pytest.raises(ValueError, match="mine"), unzipped(tmp_path, "toy"):
        raise ValueError("mine")
