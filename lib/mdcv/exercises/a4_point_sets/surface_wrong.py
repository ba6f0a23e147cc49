"""Wrong ways to write `sample_surface`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from mdcv.exercises.blunders import changing_its_input, returning_nothing
from mdcv.exercises.exercise import Mistake

# Wrong: one sampler with every step that can be taken wrongly

Corners = tuple[Tensor, Tensor, Tensor]


def _area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.linalg.cross(b - a, c - a).norm(dim=1)


def _by_area(weight: Tensor, n: int, generator: Generator | None) -> Tensor:
    return torch.multinomial(weight, n, replacement=True, generator=generator)


def _even(n: int, generator: Generator | None) -> Tensor:
    """(n, 3) corner weights, uniform over the triangle."""
    u, v = torch.rand(2, n, dtype=torch.float64, generator=generator)
    return torch.stack([1 - u.sqrt(), u.sqrt() * (1 - v), u.sqrt() * v], dim=1)


def _sample(
    vertices: Tensor,
    faces: Tensor,
    n: int,
    generator: Generator | None,
    *,
    weigh: Callable[[Tensor, Tensor, Tensor], Tensor] = _area,
    pick: Callable[[Tensor, int, Generator | None], Tensor] = _by_area,
    spread: Callable[[int, Generator | None], Tensor] = _even,
) -> Tensor:
    """A sampler with its steps as arguments; the defaults are right."""
    corners = vertices[faces]
    drawn = pick(weigh(*corners.unbind(1)), n, generator)
    weights = spread(n, generator).to(vertices.dtype)
    return (weights[:, :, None] * corners[drawn]).sum(1)


def _right(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _sample(vertices, faces, n, generator)


def _door(
    function: Callable[..., Tensor],
    *,
    area: bool = True,
    high: bool = True,
    low: bool = True,
    shapes: bool = True,
    nan: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a door; what is turned off is let through."""

    def guarded(
        vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
    ) -> Tensor:
        if shapes and not (vertices.shape[1:] == (3,) and faces.shape[1:] == (3,)):
            raise ValueError("expected (V, 3) and (F, 3)")
        if low and bool((faces < 0).any()):
            raise ValueError("negative index")
        if high and bool((faces >= vertices.shape[-2]).any()):
            raise ValueError("index beyond the vertices")
        if nan and bool(vertices.isnan().any()):
            raise ValueError("NaN")
        known = vertices.reshape(-1, 3)[faces[:, :3].clamp(max=vertices.shape[-2] - 1)]
        if area and not _area(*known.unbind(1)).sum() > 0:
            raise ValueError("no area")
        return function(vertices, faces, n, generator=generator)

    return guarded


def _wrong(**steps) -> Callable[..., Tensor]:
    return _door(lambda v, f, n, *, generator=None: _sample(v, f, n, generator, **steps))


def _two(n: int, generator: Generator | None) -> tuple[Tensor, Tensor]:
    u, v = torch.rand(2, n, dtype=torch.float64, generator=generator)
    return u, v


def _no_root(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    return torch.stack([1 - u, u * (1 - v), u * v], dim=1)


def _halved(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    return torch.stack([1 - u / 2 - v / 2, u / 2, v / 2], dim=1)


def _unfolded(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    return torch.stack([1 - u - v, u, v], dim=1)


def _folded_once(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    v = torch.where(u + v > 1, 1 - u, v)
    return torch.stack([1 - u - v, u, v], dim=1)


def _normalized(n: int, generator: Generator | None) -> Tensor:
    weights = torch.rand(n, 3, dtype=torch.float64, generator=generator)
    return weights / weights.sum(1, keepdim=True)


def _second_root(n: int, generator: Generator | None) -> Tensor:
    u, v = (value.sqrt() for value in _two(n, generator))
    return torch.stack([1 - u, u * (1 - v), u * v], dim=1)


def _squared_number(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    u = u.square()
    return torch.stack([1 - u, u * (1 - v), u * v], dim=1)


def _softmax(n: int, generator: Generator | None) -> Tensor:
    return torch.randn(n, 3, dtype=torch.float64, generator=generator).softmax(dim=1)


def _on_edges(n: int, generator: Generator | None) -> Tensor:
    u, v = _two(n, generator)
    weights = torch.stack([u, 1 - u, torch.zeros_like(u)], dim=1)
    turn = (3 * v).long()[:, None] + torch.arange(3)
    return weights.gather(1, turn % 3)


def _at_centers(n: int, generator: Generator | None) -> Tensor:
    torch.rand(2, n, generator=generator)
    return torch.full((n, 3), 1 / 3, dtype=torch.float64)


def _at_corners(n: int, generator: Generator | None) -> Tensor:
    corner = torch.randint(3, (n,), generator=generator)
    return torch.nn.functional.one_hot(corner, 3).double()


def _one_place(n: int, generator: Generator | None) -> Tensor:
    return _even(1, generator).expand(n, 3)


def _on_a_line(n: int, generator: Generator | None) -> Tensor:
    u = torch.rand(n, dtype=torch.float64, generator=generator)
    return torch.stack([1 - u.sqrt(), u.sqrt() * (1 - u), u.sqrt() * u], dim=1)


def _on_a_grid(n: int, generator: Generator | None) -> Tensor:
    weights = torch.randint(1, 7, (n, 3), generator=generator).double()
    return weights / weights.sum(1, keepdim=True)


def _uniform(weight: Tensor, n: int, generator: Generator | None) -> Tensor:
    real = (weight > 0).nonzero()[:, 0]
    return real[torch.randint(len(real), (n,), generator=generator)]


def _by_largest(weight: Tensor, n: int, generator: Generator | None) -> Tensor:
    """The cumulative sum is divided by the largest weight, not by the whole."""
    until = weight.cumsum(0) / weight.max()
    spot = torch.rand(n, dtype=weight.dtype, generator=generator)
    return torch.searchsorted(until, spot).clamp(max=len(weight) - 1)


def _by_its_index(weight: Tensor, n: int, generator: Generator | None) -> Tensor:
    """One face too far: the search is shifted by one."""
    real = (weight > 0).nonzero()[:, 0]
    drawn = torch.multinomial(weight[real], n, replacement=True, generator=generator)
    return real[(drawn + 1) % len(real)]


def _perimeter(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    around = (b - a).norm(dim=1) + (c - b).norm(dim=1) + (a - c).norm(dim=1)
    return torch.where(_area(a, b, c) > 0, around, 0.0)


def _longest_side(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    sides = torch.stack([(b - a).norm(dim=1), (c - b).norm(dim=1), (a - c).norm(dim=1)])
    return torch.where(_area(a, b, c) > 0, sides.amax(0), 0.0)


def _flat_area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.linalg.cross(b - a, c - a)[:, 2].abs()


def _vertices(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return vertices[torch.randint(len(vertices), (n,), generator=generator)]


def _one_number(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    """The number that picks the triangle is used again for the place in it."""
    corners = vertices[faces]
    area = _area(*corners.unbind(1)).double()
    u, v = torch.rand(2, n, dtype=torch.float64, generator=generator)
    drawn = torch.searchsorted(area.cumsum(0), u * area.sum(), right=True)
    weights = torch.stack([1 - u.sqrt(), u.sqrt() * (1 - v), u.sqrt() * v], dim=1)
    return (weights[:, :, None].to(vertices.dtype) * corners[drawn]).sum(1)


def _own_randomness(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _sample(vertices, faces, n, None)


def _own_seed(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _sample(vertices, faces, n, Generator().manual_seed(0))


def _seeds_the_global_one(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    return _sample(vertices, faces, n, None)


def _with_a_floor(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _sample(
        vertices, faces, n, generator, weigh=lambda a, b, c: _area(a, b, c).clamp(min=0.05)
    )


def _half_as_exact(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _right(vertices, faces, n, generator=generator).float()


def _in_a_batch(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _right(vertices, faces, n, generator=generator)[None]


def _as_numpy(vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None):
    return _right(vertices, faces, n, generator=generator).numpy()


def _any_area(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    if len(faces) == 0:
        return vertices.new_zeros(n, 3)
    area = _area(*vertices[faces].unbind(1))
    weigh = _area if area.sum() > 0 else lambda a, b, c: torch.ones(len(a))
    return _sample(vertices, faces, n, generator, weigh=weigh)


def _clamped(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    return _sample(vertices, faces.clamp(max=len(vertices) - 1), n, generator)


def _first_three(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    """Takes three corners of whatever comes: the first of a longer face."""
    return _sample(vertices.reshape(-1, 3), faces[:, :3], n, generator)


WRONG = (
    Mistake(
        "uniform_faces",
        _wrong(pick=_uniform),
        "Every triangle gets as many points, whatever its size: draw triangles by their area.",
    ),
    Mistake(
        "vertices_sampled",
        _door(_vertices),
        "Your points are vertices of the mesh: a surface is more than its corners.",
    ),
    Mistake(
        "area_squared",
        _wrong(weigh=lambda a, b, c: _area(a, b, c).square()),
        "Triangles are drawn by the square of their area: large ones get too many points. The "
        "root of the cross product's sum of squares is missing.",
    ),
    Mistake(
        "area_root",
        _wrong(weigh=lambda a, b, c: _area(a, b, c).sqrt()),
        "Triangles are drawn by the root of their area: small ones get too many points.",
    ),
    Mistake(
        "by_perimeter",
        _wrong(weigh=_perimeter),
        "Triangles are drawn by their perimeter: splinters get too many points.",
    ),
    Mistake(
        "by_longest_side",
        _wrong(weigh=_longest_side),
        "Triangles are drawn by their longest side: splinters get too many points.",
    ),
    Mistake(
        "area_seen_from_above",
        _wrong(weigh=_flat_area),
        "Triangles are drawn by the area of their shadow on a plane: use all three entries of the "
        "cross product.",
    ),
    Mistake(
        "divided_by_the_largest",
        _wrong(pick=_by_largest),
        "The areas are divided by the largest one; divide by their sum, so that they add up to 1.",
    ),
    Mistake(
        "one_face_too_far",
        _wrong(pick=_by_its_index),
        "Each triangle gets the points of the one before it: an index is off by one.",
    ),
    Mistake(
        "no_root",
        _wrong(spread=_no_root),
        "Samples crowd at one corner, whose mean weight is 1/2: the root of u is missing.",
    ),
    Mistake(
        "halved",
        _wrong(spread=_halved),
        "Half of each triangle is never sampled: u/2 and v/2 fill a smaller parallelogram.",
    ),
    Mistake(
        "unfolded",
        _wrong(spread=_unfolded),
        "Half of the points lie outside their triangle: fold those with u + v > 1 back.",
    ),
    Mistake(
        "folded_once",
        _wrong(spread=_folded_once),
        "Points with u + v > 1 are moved onto an edge: fold both numbers, u to 1 − u and v to "
        "1 − v.",
    ),
    Mistake(
        "normalized_numbers",
        _wrong(spread=_normalized),
        "Samples crowd in the middle: three uniform numbers divided by their sum are not even "
        "over a triangle.",
    ),
    Mistake(
        "root_of_both",
        _wrong(spread=_second_root),
        "Samples crowd at one corner: only the first of the two numbers takes a root.",
    ),
    Mistake(
        "square_for_root",
        _wrong(spread=_squared_number),
        "Samples crowd at one corner: u takes a root, not a square.",
    ),
    Mistake(
        "softmax_of_noise",
        _wrong(spread=_softmax),
        "Samples crowd in the middle: a softmax of normal numbers is not even over a triangle.",
    ),
    Mistake(
        "edges_only",
        _wrong(spread=_on_edges),
        "All points lie on the edges of the triangles; the inside belongs to the surface.",
    ),
    Mistake(
        "centers_only",
        _wrong(spread=_at_centers),
        "All points are centers of triangles; every place inside is equally likely.",
    ),
    Mistake(
        "corners_only",
        _wrong(spread=_at_corners),
        "All points are corners of the drawn triangles; every place inside is equally likely.",
    ),
    Mistake(
        "one_place_for_all",
        _wrong(spread=_one_place),
        "All triangles are hit at one and the same place: draw new numbers for each point.",
    ),
    Mistake(
        "one_number_for_both",
        _wrong(spread=_on_a_line),
        "All points of a triangle lie on one curve: u and v must be two numbers.",
    ),
    Mistake(
        "on_a_grid",
        _wrong(spread=_on_a_grid),
        "Few different places are ever hit: the numbers are drawn from a coarse grid.",
    ),
    Mistake(
        "reuses_the_number",
        _door(_one_number),
        "The number that picks the triangle is used again for the place in it: draw a new one.",
    ),
    Mistake(
        "ignores_generator",
        _door(_own_randomness),
        "Two generators of the same seed gave different points: hand `generator` to every random "
        "call.",
    ),
    Mistake(
        "reseeds_itself",
        _door(_own_seed),
        "Generators of different seeds gave the same points: your function sets its own seed.",
    ),
    Mistake("touches_global_randomness", _door(_seeds_the_global_one)),
    Mistake(
        "draws_faces_without_area",
        _door(_with_a_floor),
        "Triangles without any area are drawn: their weight must be exactly 0.",
    ),
    Mistake("returns_float32", _door(_half_as_exact)),
    Mistake("extra_axis", _door(_in_a_batch)),
    Mistake("changes_its_input", _door(changing_its_input(_right))),
    Mistake("returns_numpy", _door(_as_numpy)),
    Mistake("returns_nothing", _door(returning_nothing(_right))),
    Mistake(
        "accepts_no_area",
        _door(_any_area, area=False),
        "A mesh without any area was accepted; there is nothing to draw from. Raise a ValueError.",
    ),
    Mistake(
        "accepts_index_beyond",
        _door(_clamped, high=False),
        "A face that names a vertex beyond the last was accepted; raise a ValueError.",
    ),
    Mistake(
        "accepts_negative_index",
        _door(_right, low=False),
        "A negative vertex index was accepted: PyTorch counts it from the end. Raise a ValueError.",
    ),
    Mistake(
        "accepts_other_shapes",
        _door(_first_three, shapes=False),
        "Other shapes than (V, 3) and (F, 3) were accepted; raise a ValueError.",
    ),
)
