"""Data that needs no download: solids, mesh files, a real stereo scene, handwritten digits."""

from mdcv.data.digits import digits
from mdcv.data.idx import mnist, read_idx
from mdcv.data.mesh import Mesh
from mdcv.data.mesh_files import read_mesh
from mdcv.data.mixtures import Mixture, grid_mixture, ring_mixture
from mdcv.data.shapes import SOLIDS, chair, lamp, plane, sphere, table, torus
from mdcv.data.solid import Solid
from mdcv.data.stereo import back_project, stereo_cloud
from mdcv.data.strokes import stroke_digits

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
    "mnist",
    "plane",
    "read_idx",
    "read_mesh",
    "ring_mixture",
    "sphere",
    "stereo_cloud",
    "stroke_digits",
    "table",
    "torus",
]
