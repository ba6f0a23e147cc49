"""Judges the toy assignment's two functions, in the place of exercises."""

from __future__ import annotations

import torch

from mdcv.exercises.judging import Outcome


def factor(name: str, times: float):
    """A judge of one question: does the function multiply by so much?"""

    def judge(caller, seed: int) -> Outcome:
        answer = caller.ask((torch.tensor(5.0),), {})
        right = answer.value is not None and bool((answer.value == 5 * times).all())
        message = "all cases pass" if right else f"{name}(5) is wrong"
        if answer.error:
            message = f"{name} raised {answer.error}"
        if answer.late:
            message = f"{name} did not come back in time"
        return Outcome(name, right, float(right), message, None)

    return judge


JUDGES = {"double": factor("double", 2), "triple": factor("triple", 3)}
