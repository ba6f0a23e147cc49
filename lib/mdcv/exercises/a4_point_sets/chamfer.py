"""The exercise `chamfer_distance`."""

from __future__ import annotations

from mdcv.exercises.a4_point_sets.chamfer_right import RIGHT
from mdcv.exercises.a4_point_sets.chamfer_wrong import WRONG
from mdcv.exercises.a4_point_sets.cloud_laws import set_laws
from mdcv.exercises.a4_point_sets.cloud_questions import CloudQuestions
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal
from mdcv.points import chamfer_distance

PLAIN = {"squared": False}
MEAN = {"reduction": "mean"}
ONE_SIDED = {"one_sided": True}


QUESTIONS = CloudQuestions()


def _hard(draw: Draw) -> list[Case]:
    return QUESTIONS.hard(draw, {}) + QUESTIONS.hard(draw, PLAIN | MEAN)


def _refusals(draw: Draw) -> list[Refusal]:
    x, y = draw.cloud(2, 7, 3), draw.cloud(2, 5, 3)
    unknown = [
        Refusal(f"reduction={value!r}", (x, y), "accepts_unknown_option", {"reduction": value})
        for value in ("avg", "none")
    ]
    return [*QUESTIONS.refusals(draw), *unknown]


CHAMFER_DISTANCE = Exercise(
    name="chamfer_distance",
    contract=(
        "chamfer_distance(x, y, *, squared=True, reduction='sum', one_sided=False) returns, for "
        "every pair of the batch, the sum ('mean': mean) over x of the nearest squared distance in "
        "y, plus the same from y to x; squared=False takes distances, one_sided=True keeps x to y "
        "only. Empty sets, unequal batches or dimensions, unknown options: ValueError."
    ),
    reference=chamfer_distance,
    parts=(
        Part("squared sums", 0.25, lambda draw: QUESTIONS.plain(draw, {}), is_value=True),
        Part("plain distances", 0.15, lambda draw: QUESTIONS.plain(draw, PLAIN), is_value=True),
        Part("means", 0.1, lambda draw: QUESTIONS.plain(draw, MEAN, MEAN | PLAIN), is_value=True),
        Part(
            "one-sided",
            0.1,
            lambda draw: QUESTIONS.plain(draw, ONE_SIDED, ONE_SIDED | PLAIN | MEAN),
            is_value=True,
        ),
        Part("hard places", 0.1, _hard),
        Part("gradient", 0.15, lambda draw: QUESTIONS.gradients(draw, {}, PLAIN, MEAN | ONE_SIDED)),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=set_laws(power=2),
    points=6,
)
