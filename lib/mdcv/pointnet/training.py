"""Fits networks on sets: clouds with a label each or a label per point, and sets of matches."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from mdcv.errors import check_integer
from mdcv.pointnet.encoder import PointEncoder
from mdcv.pointnet.outliers import OutlierNet, outlier_loss
from mdcv.pointnet.transform import orthogonality_penalty
from mdcv.train import draw_batch, train

Change = Callable[[Tensor, Generator], Tensor]


def train_clouds(
    model: nn.Module,
    points: Float[Tensor, "s n d"],
    labels: Int[Tensor, "s ..."],
    *,
    steps: int = 300,
    batch_size: int = 32,
    subset: int | None = None,
    learning_rate: float = 2e-3,
    penalty: float | int = 1e-3,
    change: Change | None = None,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Loss and accuracy of every step's batch, by name; the network is trained in place.

    Cross-entropy and Adam, with a learning rate that falls to zero along a half cosine. Where the
    network has T-Nets, `penalty` times the orthogonality penalty of the last of them is added.

    Args:
        model: a classifier (labels (S,)) or a segmenter (labels (S, N)), on the points' device.
            It is left in eval mode.
        points: the clouds.
        labels: from 0 up.
        steps, batch_size, learning_rate: how long, on how many clouds at once, how fast.
        subset: how many points of each cloud a step sees, drawn anew for each step; `None` for
            all. Fewer is faster, and costs PointNet nothing; but PointNet++ with its balls of
            limited size is to be trained at the density at which it will be used.
        penalty: weight of the orthogonality penalty.
        change: applied to the points of a batch with the step's generator: noise, a turn, ...
        seed: of batches, subsets and changes. The starting weights are the caller's.
        progress: whether to show a line while it runs.

    Raises:
        ValueError: no clouds, labels that fit neither clouds nor points, or a size below 1.

    >>> from mdcv.pointnet import PointNetClassifier
    >>> points, labels = torch.rand(8, 32, 3), torch.arange(8) % 2
    >>> sorted(train_clouds(PointNetClassifier(2), points, labels, steps=2, progress=False))
    ['accuracy', 'loss']
    """
    if labels.shape not in (points.shape[:1], points.shape[:2]) or labels.dtype != torch.int64:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected "
            f"{tuple(points.shape[:1])} or {tuple(points.shape[:2])} and torch.int64"
        )
    seen = points.shape[1]
    if subset is not None:
        check_integer("subset", subset, low=1)
        seen = min(subset, seen)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()

    def step(_: int, generator: Generator) -> dict[str, Tensor]:
        x, wanted = draw_batch(batch_size, points, labels, generator=generator)
        order = torch.randperm(points.shape[1], generator=generator, device=points.device)[:seen]
        x, wanted = x[:, order], wanted[:, order] if wanted.ndim == 2 else wanted
        if change is not None:
            x = change(x, generator)
        logits = model(x)
        loss = F.cross_entropy(logits.flatten(0, -2), wanted.flatten())
        total = loss
        if isinstance(model, PointEncoder) and model.input_transform is not None:
            total = loss + penalty * orthogonality_penalty(model.point_transforms(x)[-1])
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()
        right = (logits.argmax(dim=-1) == wanted).float().mean()
        return {"loss": loss, "accuracy": right}

    history = train(
        step, steps, seed=seed, device=points.device, progress=progress, name="training on clouds"
    )
    model.eval()
    return history


def train_outlier_net(
    network: OutlierNet,
    pairs: Float[Tensor, "s m 4"],
    is_inlier: Bool[Tensor, "s m"],
    essential: Float[Tensor, "s 3 3"],
    *,
    steps: int = 500,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    geometry: float | int = 0.1,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Both terms of `outlier_loss` for every step's batch, by name; trained in place.

    The geometry joins after the first half: before that its gradient comes from weights that mean
    nothing yet.

    Args:
        network: left in eval mode; on the device of the pairs.
        pairs, is_inlier, essential: the sets of matches and the truth about them.
        steps, batch_size, learning_rate: how long, on how many sets at once, how fast.
        geometry: weight of the second term.
        seed: of the batches. The starting weights are the caller's.
        progress: whether to show a line while it runs.

    Raises:
        ValueError: no sets, or tensors with unequal numbers of sets.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    network.train()

    def step(k: int, generator: Generator) -> dict[str, Tensor]:
        x, good, truth = draw_batch(batch_size, pairs, is_inlier, essential, generator=generator)
        terms = outlier_loss(network(x), x, good, truth)
        weight = geometry if 2 * k >= steps else 0.0
        optimizer.zero_grad()
        (terms.classification + weight * terms.geometry).backward()
        optimizer.step()
        schedule.step()
        return terms._asdict()

    history = train(
        step, steps, seed=seed, device=pairs.device, progress=progress, name="training on matches"
    )
    network.eval()
    return history
