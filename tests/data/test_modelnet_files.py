"""ModelNet's folders, written small: read in order, and refused by name when something is wrong."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import modelnet

TRIANGLE = "3 1 0\n0 0 0\n1 0 0\n0 {y} 0\n3 0 1 2\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "ModelNet10"
    for name, count in (("night_stand", 1), ("bathtub", 3)):
        for split, more in (("train", 1), ("test", 0)):
            place = root / name / split
            place.mkdir(parents=True)
            for i in range(1, count + more + 1):
                # The first file of each folder has the counts glued to the word, as some there.
                head = "OFF" if i == 1 else "OFF\n"
                (place / f"{name}_{i:04}.off").write_text(head + TRIANGLE.format(y=i))
    (root / "README.txt").write_text("as it comes\n")
    (root / ".DS_Store").write_text("as it comes\n")
    (root / "bathtub" / "train" / ".DS_Store").write_text("as it comes\n")
    return root


def test_classes_are_in_alphabetical_order_and_files_in_that_of_their_names(folder):
    train, test = modelnet(folder, "train"), modelnet(str(folder), "test")
    assert train.classes == test.classes == ("bathtub", "night_stand")
    assert [path.name for path in test.files] == [
        *("bathtub_0001.off", "bathtub_0002.off", "bathtub_0003.off"),
        "night_stand_0001.off",
    ]
    assert test.labels == (0, 0, 0, 1) and train.labels == (0, 0, 0, 0, 1, 1)
    assert (len(train), len(test)) == (6, 4)


def test_meshes_come_with_their_labels_when_asked_for(folder):
    found = list(modelnet(folder, "test"))
    assert [label for _, label in found] == [0, 0, 0, 1]
    assert [float(mesh.vertices[2, 1]) for mesh, _ in found] == [1, 2, 3, 1]
    assert found[0][0].faces.equal(torch.tensor([[0, 1, 2]]))


def test_a_truncated_mesh_is_refused_by_name_when_it_is_read(folder):
    wrong = folder / "bathtub" / "test" / "bathtub_0002.off"
    wrong.write_text(wrong.read_text()[:-8])
    meshes = modelnet(folder, "test")
    assert len(meshes[0][0].faces) == 1
    with pytest.raises(ValueError, match="3 vertices and 1 faces are announced") as refusal:
        meshes[1]
    assert str(wrong) in str(refusal.value)


def test_a_missing_folder_is_told_by_name(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="ModelNet40 is no folder"):
        modelnet(tmp_path / "ModelNet40", "train")
    (folder / "sofa").mkdir()
    with pytest.raises(FileNotFoundError, match=r"sofa.train is missing"):
        modelnet(folder, "train")


def test_a_class_without_meshes_and_a_folder_without_classes_are_refused(folder, tmp_path):
    (folder / "sofa" / "train").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"sofa.train holds no mesh"):
        modelnet(folder, "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no folders"):
        modelnet(tmp_path / "empty", "train")


@pytest.mark.parametrize("name", ["chair_0001.off", "bathtub_0009.obj", "notes.txt"])
def test_a_file_that_does_not_belong_there_is_refused_by_name(folder, name):
    (folder / "bathtub" / "train" / name).write_text("OFF\n" + TRIANGLE.format(y=1))
    with pytest.raises(ValueError, match=f"{name} is misplaced; expected files bathtub_"):
        modelnet(folder, "train")


def test_an_unknown_split_is_refused(folder):
    with pytest.raises(ValueError, match="split is 'val'; expected one of 'train', 'test'"):
        modelnet(folder, "val")
