"""Which points a PointNet has seen: the critical set, and the largest set that looks the same."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mdcv.errors import check_clouds, check_no_nan
from mdcv.pointnet.encoder import PointEncoder


@runtime_checkable
class HasPointFeatures(Protocol):
    """A model that says what its maximum is taken over."""

    def point_features(self, points: Tensor, /) -> Tensor: ...


@torch.no_grad()
def critical_points(model: HasPointFeatures, points: Float[Tensor, "b n d"]) -> Bool[Tensor, "b n"]:
    """True for the first point that attains the maximum of some feature.

    C = { x_i :  h_k(x_i) = max over j of h_k(x_j)  for some feature k,  i the first such index }

    The points of C alone have the global feature of the whole cloud, to the last bit in eval mode;
    so there are never more of them than features. A model with T-Nets takes maxima inside them
    too: their points count as critical, else C would be turned differently than the cloud.

    Args:
        model: a PointNet, or anything with `point_features(points) -> (B, N, K)`.
        points: the clouds.

    Raises:
        ValueError: the model does not take the maximum, or is in training mode with batch
            normalization, whose statistics change with the set; a cloud is empty, a feature NaN, or
            the model's own door refuses the points.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, theorem 2 and section 5.3.

    >>> class Extremes:
    ...     def point_features(self, points):
    ...         return torch.cat([points, -points], dim=-1)
    >>> critical_points(Extremes(), torch.tensor([[[1.0], [3.0], [2.0], [0.0], [3.0]]]))
    tensor([[False,  True, False,  True, False]])
    """
    _check_model(model)
    chosen = torch.zeros(points.shape[:2], dtype=torch.bool, device=points.device)
    for features in _pooled(model, points):
        chosen.scatter_(1, features.argmax(dim=1), True)
    return chosen


@torch.no_grad()
def upper_bound_set(
    model: HasPointFeatures, points: Float[Tensor, "b n d"], candidates: Float[Tensor, "b m d"]
) -> Bool[Tensor, "b m"]:
    """True for every candidate that could join the cloud and change nothing.

    N = { c :  h_k(c) <= max over j of h_k(x_j)  for every feature k }

    Any set between the critical points and this one has the same global feature. With T-Nets the
    candidates are seen through the cloud's own transforms, and must not change those either.

    Args:
        model: as for `critical_points`.
        points: the clouds.
        candidates: where to look, for example a grid around each cloud.

    Raises:
        ValueError: as `critical_points`, or candidates that do not fit the points.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, theorem 2 and appendix F.

    >>> class Extremes:
    ...     def point_features(self, points):
    ...         return torch.cat([points, -points], dim=-1)
    >>> ends, grid = torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[-1.0], [1.5], [3.0], [4.0]]])
    >>> upper_bound_set(Extremes(), ends, grid)
    tensor([[False,  True,  True, False]])
    """
    _check_model(model)
    check_clouds(points, candidates, names=("points", "candidates"))
    if isinstance(model, PointEncoder):
        encoding = model.encode(points)
        own, others = encoding.pooled, model.encode(candidates, encoding.matrices).pooled
    else:
        own, others = _pooled(model, points), _pooled(model, candidates)
    within = [
        (other <= features.amax(dim=1, keepdim=True)).all(dim=-1)
        for features, other in zip(own, others, strict=True)
    ]
    return torch.stack(within).all(dim=0)


def _pooled(model: HasPointFeatures, points: Tensor) -> tuple[Tensor, ...]:
    """Everything the model takes a maximum over."""
    if isinstance(model, PointEncoder):
        return model.encode(points).pooled
    features = model.point_features(points)
    if features.shape[1] == 0:
        raise ValueError(
            f"empty set: points has shape {tuple(points.shape)}; expected at least one point"
        )
    check_no_nan("features", features)
    return (features,)


def _check_model(model: HasPointFeatures) -> None:
    if getattr(model, "pooling", "max") != "max":
        raise ValueError(f"the model's pooling is {model.pooling!r}; expected 'max'")
    if isinstance(model, nn.Module) and any(
        isinstance(part, nn.BatchNorm1d) and part.training for part in model.modules()
    ):
        raise ValueError(
            "the model is in training mode, where batch statistics change with the set; "
            "expected model.eval()"
        )
