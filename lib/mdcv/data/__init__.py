"""Data that needs no download: solids, mesh files, a real stereo scene, handwritten digits."""

from mdcv.data.digits import digits
from mdcv.data.mesh import Mesh
from mdcv.data.mesh_files import read_mesh
from mdcv.data.shapes import SOLIDS, chair, lamp, plane, sphere, table, torus
from mdcv.data.solid import Solid
from mdcv.data.stereo import back_project, stereo_cloud

__all__ = [
    "SOLIDS",
    "Mesh",
    "Solid",
    "back_project",
    "chair",
    "digits",
    "lamp",
    "plane",
    "read_mesh",
    "sphere",
    "stereo_cloud",
    "table",
    "torus",
]
