"""Data that needs no download: solids, mesh files, a real stereo scene, handwritten digits."""

from mdcv.data.digits import digits
from mdcv.data.mesh import Mesh
from mdcv.data.mesh_files import read_mesh
from mdcv.data.mixtures import Mixture, grid_mixture, ring_mixture
from mdcv.data.shapes import SOLIDS, chair, lamp, plane, sphere, table, torus
from mdcv.data.solid import Solid
from mdcv.data.stereo import back_project, stereo_cloud

__all__ = [
    "SOLIDS",
    "Mesh",
    "Mixture",
    "Solid",
    "back_project",
    "chair",
    "digits",
    "grid_mixture",
    "lamp",
    "plane",
    "read_mesh",
    "ring_mixture",
    "sphere",
    "stereo_cloud",
    "table",
    "torus",
]
