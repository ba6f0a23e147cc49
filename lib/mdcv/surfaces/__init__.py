"""Surfaces of shapes given as a function of space."""

from mdcv.surfaces.isosurface import marching_cubes

__all__ = ["marching_cubes"]
