"""Copied a test cell by accident; two right answers, and one by the expanded square."""

DAMAGE = "test cell copied"


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3 or x.shape[::2] != y.shape[::2]:
        raise ValueError(f"{tuple(x.shape)} and {tuple(y.shape)} do not fit together")
    xx = x.square().sum(2)[:, :, None]
    yy = y.square().sum(2)[:, None, :]
    return (xx + yy - 2 * x @ y.transpose(1, 2)).clamp(min=0).sqrt()


def density_sensitivity(distance, reference, even, uneven):
    noise = distance(reference, even)
    if (noise == 0).any():
        raise ValueError("without noise there is no unit")
    return distance(reference, uneven) / noise
