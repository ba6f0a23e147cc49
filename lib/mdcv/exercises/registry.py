"""Every exercise by its name."""

from __future__ import annotations

from mdcv.exercises.a1_distances import EXERCISES as A1_DISTANCES
from mdcv.exercises.a2_vae import EXERCISES as A2_VAE
from mdcv.exercises.a3_gan import EXERCISES as A3_GAN
from mdcv.exercises.a4_point_sets import EXERCISES as A4_POINT_SETS
from mdcv.exercises.a5_pointnet import EXERCISES as A5_POINTNET
from mdcv.exercises.a7_detection import EXERCISES as A7_DETECTION
from mdcv.exercises.exercise import Exercise

_BY_NAME: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (*A1_DISTANCES, *A2_VAE, *A3_GAN, *A4_POINT_SETS, *A5_POINTNET, *A7_DETECTION)
}


def names() -> tuple[str, ...]:
    """The names of all exercises, in the order of the course.

    >>> "chamfer_distance" in names()
    True
    """
    return tuple(_BY_NAME)


def get(name: str) -> Exercise:
    """The exercise of that name.

    Raises:
        ValueError: there is none; the message lists the names.

    >>> get("chamfer_distance").name
    'chamfer_distance'
    """
    if not isinstance(name, str) or name not in _BY_NAME:
        raise ValueError(f"there is no exercise {name!r}; expected one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]
