"""The exercise `earth_movers_distance`."""

from __future__ import annotations

from torch import Tensor

from mdcv.exercises.a4_point_sets.cloud_laws import set_laws
from mdcv.exercises.a4_point_sets.cloud_questions import CloudQuestions
from mdcv.exercises.a4_point_sets.earth_movers_right import RIGHT
from mdcv.exercises.a4_point_sets.earth_movers_wrong import WRONG
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Clue, Exercise, Part, Refusal
from mdcv.points import earth_movers_distance

MEAN = {"reduction": "mean"}
QUESTIONS = CloudQuestions(equal=True)


def _refusals(draw: Draw) -> list[Refusal]:
    x, y = draw.cloud(2, 5, 3), draw.cloud(2, 7, 3)
    uneven = "accepts_unequal_sizes"
    return [
        Refusal("sets of 5 and 7 points", (x, y), uneven),
        Refusal("sets of 7 and 5 points", (y, x), uneven),
        Refusal("sets of 1 and 5 points", (x[:, :1], x), uneven),
        *QUESTIONS.refusals(draw),
        Refusal("reduction='avg'", (x, x + 1), "accepts_unknown_option", {"reduction": "avg"}),
        Refusal("reduction='none'", (x, x + 1), "accepts_unknown_option", {"reduction": "none"}),
    ]


def _below(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool((yours <= right * (1 + 1e-6)).all())


def _above(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool((yours >= right * (1 - 1e-6)).all())


EARTH_MOVERS_DISTANCE = Exercise(
    name="earth_movers_distance",
    contract=(
        "earth_movers_distance(x, y, *, reduction='sum') returns, for every pair of sets of equal "
        "size, the least sum ('mean': mean) of Euclidean distances over all bijections. Exact, "
        "with a gradient. Unequal or empty sets, unequal batches or dimensions, an unknown "
        "reduction: ValueError."
    ),
    reference=earth_movers_distance,
    parts=(
        Part("sums", 0.45, lambda draw: QUESTIONS.plain(draw, {}, {}), is_value=True),
        Part("means", 0.1, lambda draw: QUESTIONS.plain(draw, MEAN), is_value=True),
        Part("hard places", 0.1, lambda draw: QUESTIONS.hard(draw, {})),
        Part("gradient", 0.2, lambda draw: QUESTIONS.gradients(draw, {}, MEAN)),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    clues=(
        Clue(
            "Your value is below the least cost of any bijection, or equal to it: some point "
            "serves as a partner twice, or a part of the cost is missing.",
            _below,
        ),
        Clue(
            "Your value is above the least cost, or equal to it: your matching is not the best "
            "one, or only near it.",
            _above,
        ),
    ),
    laws=set_laws(),
    points=6,
)
