"""The folders of ModelNet10 and ModelNet40: one for each class, in it train and test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mdcv.data.mesh import Mesh
from mdcv.data.mesh_files import read_mesh
from mdcv.errors import check_option


class LabeledMeshes(Sequence):
    """Meshes with their class labels; a mesh is read when it is asked for.

    Attributes:
        classes: the names, in alphabetical order; a label is a place in it.
        files: the file of every mesh, class by class, by name within one.
        labels: one for each file.
    """

    def __init__(self, classes: Sequence[str], files: Sequence[Path], labels: Sequence[int]):
        self.classes = tuple(classes)
        self.files = tuple(files)
        self.labels = tuple(labels)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Mesh, int]:
        """The mesh as `read_mesh` reads it, and its label."""
        return read_mesh(self.files[index]), self.labels[index]


def modelnet(folder: str | Path, split: str) -> LabeledMeshes:
    """The meshes of one half of ModelNet, `folder/<class>/<split>/<class>_<number>.off`.

    The folders are looked through at once, so that what is missing or misplaced is told before
    anything is trained; the meshes are read one by one later, strictly: `read_mesh` refuses a
    damaged file by its name. Files and folders whose name begins with a dot are passed over.

    Args:
        folder: as it is unpacked, ModelNet10 or ModelNet40 or another set in this layout.
        split: "train" or "test".

    Raises:
        FileNotFoundError: there is no such folder, or a class has no folder of that split.
        ValueError: the split is neither, there is no class, a class has no mesh, or a file in a
            class's folder is not a mesh of that class by its name.

    Source: Wu and others 2015, "3D ShapeNets: a deep representation for volumetric shapes", whose
    files these are.
    """
    check_option("split", split, ("train", "test"))
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder")
    classes = sorted(path.name for path in _shown(folder) if path.is_dir())
    if not classes:
        raise ValueError(f"{folder} holds no folders; expected one for each class")
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        place = folder / name / split
        if not place.is_dir():
            raise FileNotFoundError(f"{place} is missing; expected a folder of .off files")
        found = sorted(_shown(place))
        for path in found:
            if path.suffix.lower() != ".off" or not path.name.startswith(f"{name}_"):
                raise ValueError(f"{path} is misplaced; expected files {name}_<number>.off")
        if not found:
            raise ValueError(f"{place} holds no mesh; expected {name}_<number>.off")
        files += found
        labels += [label] * len(found)
    return LabeledMeshes(classes, files, labels)


def _shown(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
