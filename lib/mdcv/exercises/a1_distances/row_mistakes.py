"""Mistakes that both functions of two distributions share."""

from __future__ import annotations

from torch import Tensor

from mdcv.exercises.a1_distances import row_questions
from mdcv.exercises.a1_distances.guards import Rows, of_rows
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake


def shared_mistakes(right: Rows) -> tuple[Mistake, ...]:
    """The shared mistakes, made from a right function without a door."""

    def renormalized(p: Tensor, q: Tensor) -> Tensor:
        return right(p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True))

    return (
        Mistake("renormalized", of_rows(renormalized), row_questions.RENORMALIZED),
        Mistake(
            "mean_over_the_batch",
            of_rows(lambda p, q: right(p, q).mean()),
            "One number came, the mean over the batch: each row has a value of its own.",
        ),
        Mistake(
            "one_sum_over_all",
            of_rows(lambda p, q: right(p, q).sum()),
            "One number came, the sum over all rows: sum over the last axis only.",
        ),
        Mistake(
            "mean_over_outcomes",
            of_rows(lambda p, q: right(p, q) / p.shape[-1]),
            "Divided by the number of outcomes: an expectation under p sums over outcomes, and p "
            "carries the weights already.",
        ),
        Mistake(
            "log_base_2",
            of_rows(lambda p, q: right(p, q) / 0.6931471805599453),
            "Looks like the logarithm to base 2: your value is 1.4427 times the one in nats.",
        ),
        *blunders(of_rows(right)),
        Mistake("accepts_unnormalized", of_rows(right, sums=False), row_questions.UNNORMALIZED),
        Mistake("accepts_negative", of_rows(right, signs=False), row_questions.NEGATIVE),
        Mistake("broadcasts_rows", of_rows(right, shapes=False), row_questions.OTHER_SHAPE),
    )
