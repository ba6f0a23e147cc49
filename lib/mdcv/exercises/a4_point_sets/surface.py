"""The exercise `sample_surface`, judged by the statistics of thousands of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.surface_right import RIGHT
from mdcv.exercises.a4_point_sets.surface_statistics import (
    Placement,
    fingerprint,
    place,
    trouble_off_the_mesh,
    trouble_with_evenness,
    trouble_with_form,
    trouble_with_shares,
)
from mdcv.exercises.a4_point_sets.surface_wrong import WRONG
from mdcv.exercises.cases import Draw, Seeded, strided_layout
from mdcv.exercises.exercise import Exercise, Finding, Part, Refusal, Trial
from mdcv.exercises.traits import TRAITS
from mdcv.points import sample_surface

Mesh = tuple[Tensor, Tensor]

MANY = 8000


def loose_triangles(draw: Draw) -> Mesh:
    """Five triangles far apart, of areas from about 0.02 to 2, one of them a splinter."""
    corners = []
    for i, (length, width) in enumerate(
        ((1.1, 1.2), (2.0, 1.9), (0.5, 0.6), (3.0, 0.12), (1, 0.5))
    ):
        frame = torch.linalg.qr(draw.tensor(3, 3)).Q
        apex = length * (0.2 + 0.5 * draw.uniform(1)) * frame[0] + width * frame[1]
        center = torch.tensor([6.0 * i, 3.0 * (i % 2), -2.0 * (i % 3)]).double()
        corners.append(center + torch.stack([torch.zeros(3), length * frame[0], apex]))
    order = draw.order(15)
    vertices = torch.cat(corners)
    scattered = torch.empty_like(vertices)
    scattered[order] = vertices
    return scattered, torch.tensor(order).reshape(5, 3)


def closed_mesh(draw: Draw) -> Mesh:
    """A pyramid over a triangle, with shared corners, and one vertex that no face uses."""
    vertices = torch.tensor([[0, 0, 0], [9, 9, 9], [3, 0, 0], [0, 2, 0], [0.5, 0.5, 1]]).double()
    faces = torch.tensor([[0, 2, 3], [0, 4, 2], [2, 4, 3], [3, 4, 0]])
    return vertices + 0.1 * draw.tensor(5, 3), faces


def with_faces_without_area(draw: Draw) -> Mesh:
    """Loose triangles among faces without area: equal corners, and three corners on a line."""
    vertices, faces = loose_triangles(draw)
    line = torch.tensor([[40.0, 0, 0], [41, 0, 0], [43, 0, 0]]).double()
    flat = torch.tensor([[15, 16, 17], [16, 16, 17], [15, 15, 15]])
    order = torch.tensor([5, 0, 1, 6, 2, 3, 4, 7])
    return torch.cat([vertices, line]), torch.cat([faces, flat])[order]


def _trial(
    kind: str,
    mesh: Mesh,
    n: int,
    seed: Seeded | None,
    judges: Sequence[Callable[[Placement, str], Finding | None]],
    *,
    real: Tensor | None = None,
) -> Trial:
    """One call on a mesh; `real` are the faces that points can lie on, where not all are."""
    vertices, faces = mesh
    solid = faces if real is None else faces[real]

    def examine(answers: Sequence[Tensor]) -> Finding | None:
        (points,) = answers
        form = trouble_with_form(points, n, vertices, kind)
        if form is not None:
            return form
        placed = place(points, vertices, solid)
        off = trouble_off_the_mesh(placed, points.dtype, vertices, kind)
        found = (judge(placed, kind) for judge in judges)
        return off or next((finding for finding in found if finding is not None), None)

    return Trial(
        kind,
        (((vertices, faces, n), {} if seed is None else {"generator": seed}),),
        examine,
        lambda answers: fingerprint(answers[0], vertices, solid),
        vertices.dtype,
    )


def _shares(draw: Draw) -> list[Trial]:
    kind = "triangles of very different size"
    return [
        _trial(kind, loose_triangles(draw), MANY, draw.seeded(), [trouble_with_shares]),
        _trial("a closed mesh", closed_mesh(draw), MANY // 2, draw.seeded(), [trouble_with_shares]),
    ]


def _evenness(draw: Draw) -> list[Trial]:
    kind = "five loose triangles"
    return [_trial(kind, loose_triangles(draw), MANY, draw.seeded(), [trouble_with_evenness])]


def _generator(draw: Draw) -> list[Trial]:
    mesh = loose_triangles(draw)
    seed, other = draw.seeded(), draw.seeded()
    calls = tuple(((*mesh, 50), {"generator": chosen}) for chosen in (seed, seed, other))
    return [Trial("generators of equal and of different seeds", calls, _follows, _repeats)]


def _repeats(answers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    same = [float(torch.equal(answers[0], other)) for other in answers[1:]]
    return torch.tensor(same), torch.full((2,), 1e-3)


def _follows(answers: Sequence[Tensor]) -> Finding | None:
    once, again, other = answers
    if not torch.equal(once, again):
        return Finding(
            "Two generators of the same seed gave different points: some randomness does not come "
            "from `generator`; hand it to every random call.",
            "ignores_generator",
            "different points",
            "the same points",
        )
    if torch.equal(once, other):
        return Finding(
            "Generators of different seeds gave the same points: your function sets a seed of its "
            "own.",
            "reseeds_itself",
            "the same points",
            "different points",
        )
    return None


def _without_area(draw: Draw) -> list[Trial]:
    vertices, faces = with_faces_without_area(draw)
    real = torch.tensor([1, 2, 4, 5, 6])
    kind = "a mesh with faces without area"
    judges = [trouble_with_shares]
    trial = _trial(kind, (vertices, faces), 3000, draw.seeded(), judges, real=real)

    def examine(answers: Sequence[Tensor]) -> Finding | None:
        points = answers[0]
        if points.shape == (3000, 3) and bool((points[:, 0] > 35).any()):
            return Finding(
                TRAITS["draws_faces_without_area"], "draws_faces_without_area", "some", "none"
            )
        return trial.examine(answers)

    return [Trial(kind, trial.calls, examine, partial(_at_the_line, trial), vertices.dtype)]


def _at_the_line(trial: Trial, answers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """How many points lie on faces without area, in front of the usual fingerprint."""
    assert trial.fingerprint is not None
    estimate, error = trial.fingerprint(answers)
    if len(estimate) == 1:
        return estimate, error
    there = (answers[0][:, 0] > 35).double().mean()[None]
    return torch.cat([there, estimate]), torch.cat([0.02 + 0 * there, error])


def _hard(draw: Draw) -> list[Trial]:
    vertices, faces = loose_triangles(draw)
    single = (vertices.float(), faces)
    far = ((vertices + 1000).float(), faces)
    both = [trouble_with_shares, trouble_with_evenness]
    return [
        _trial("float32 and a mesh far from the origin", far, MANY // 2, draw.seeded(), both),
        _trial(
            "vertices that are not contiguous",
            (strided_layout(vertices), faces.T.contiguous().T),
            500,
            draw.seeded(),
            [],
        ),
        _trial("a single point", single, 1, draw.seeded(), []),
        _trial("one triangle", (vertices, faces[1:2]), 700, draw.seeded(), both),
        _trial("no generator", single, 40, None, []),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    vertices, faces = loose_triangles(draw)
    beyond, negative = faces.clone(), faces.clone()
    beyond[2, 1], negative[3, 0] = len(vertices), -1
    flat = torch.tensor([[0, 0, 1], [2, 3, 2]])
    nan = vertices.clone()
    nan[faces[1, 2], 1] = torch.nan
    options = {"generator": draw.seeded()}
    bad: list[tuple[str, Tensor, Tensor, str]] = [
        ("a mesh without any area", vertices, flat, "accepts_no_area"),
        ("a mesh without faces", vertices, faces[:0], "accepts_no_area"),
        ("an index one beyond the vertices", vertices, beyond, "accepts_index_beyond"),
        ("a negative index", vertices, negative, "accepts_negative_index"),
        ("faces of two corners", vertices, faces[:, :2], "accepts_other_shapes"),
        ("faces of four corners", vertices, faces[:, [0, 1, 2, 0]], "accepts_other_shapes"),
        ("vertices in a batch", vertices[None], faces, "accepts_other_shapes"),
    ]
    return [
        *(Refusal(kind, (v, f, 50), trait, options) for kind, v, f, trait in bad),
        Refusal("a vertex that is NaN", (nan, faces, 200), "hides_nan", options, or_any_sign=True),
    ]


SAMPLE_SURFACE = Exercise(
    name="sample_surface",
    contract=(
        "sample_surface(vertices, faces, n, *, generator=None) returns n points (n, 3), "
        "independent and uniform over the area of the mesh; all randomness comes from generator. "
        "A mesh without area, or an index that is negative or beyond the vertices: ValueError."
    ),
    reference=sample_surface,
    parts=(
        Part("shares of the triangles", 0.3, _shares, is_value=True),
        Part("evenness inside a triangle", 0.25, _evenness, is_value=True),
        Part("generator", 0.1, _generator),
        Part("faces without area", 0.1, _without_area),
        Part("hard places", 0.1, _hard),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=6,
)
