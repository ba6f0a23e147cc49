"""Data that needs no download, seeded and with exact truth; and readers for the sets of others."""

from mdcv.data.clouds import CLASS_PARTS, PART_NAMES, Clouds, shape_clouds
from mdcv.data.coco_files import read_coco
from mdcv.data.corruption import noisy_cloud, outlier_cloud, rotated_cloud, thinned_cloud
from mdcv.data.digits import digits
from mdcv.data.idx import mnist, read_idx
from mdcv.data.mesh import Mesh
from mdcv.data.mesh_files import read_mesh
from mdcv.data.mixtures import Mixture, grid_mixture, ring_mixture
from mdcv.data.modelnet_files import modelnet
from mdcv.data.pedestrians import penn_fudan
from mdcv.data.scenes import SCENE_CLASSES, Scene, mask_boxes, shape_scenes
from mdcv.data.shapes import SOLIDS, chair, lamp, plane, sphere, table, torus
from mdcv.data.solid import Solid
from mdcv.data.solid_scenes import SolidScene, solid_scene
from mdcv.data.stereo import back_project, stereo_cloud
from mdcv.data.strokes import stroke_digits
from mdcv.data.two_views import Matches, correspondences, epipolar_distance

__all__ = [
    "CLASS_PARTS",
    "PART_NAMES",
    "SCENE_CLASSES",
    "SOLIDS",
    "Clouds",
    "Matches",
    "Mesh",
    "Mixture",
    "Scene",
    "Solid",
    "SolidScene",
    "back_project",
    "chair",
    "correspondences",
    "digits",
    "epipolar_distance",
    "grid_mixture",
    "lamp",
    "mask_boxes",
    "mnist",
    "modelnet",
    "noisy_cloud",
    "outlier_cloud",
    "penn_fudan",
    "plane",
    "read_coco",
    "read_idx",
    "read_mesh",
    "ring_mixture",
    "rotated_cloud",
    "shape_clouds",
    "shape_scenes",
    "solid_scene",
    "sphere",
    "stereo_cloud",
    "stroke_digits",
    "table",
    "thinned_cloud",
    "torus",
]
