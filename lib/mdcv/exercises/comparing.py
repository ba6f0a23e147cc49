"""Compares what came with what was expected, and says in words how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mdcv.exercises.calling import Answer
from mdcv.exercises.exercise import Case, Exercise, Finding, Reading
from mdcv.exercises.traits import TRAITS
from mdcv.exercises.wording import distance_in_words, numbers, short, side_by_side

#: Gradients may be off by this much, relative to their largest entry.
GRADIENT_TOLERANCE = 2e-4

_RETURNED = {
    "nothing": "returns_nothing",
    "numpy": "returns_numpy",
    "number": "python_float_returned",
    "sequence": "returns_list",
    "generator": "yields_instead_of_returning",
    "coroutine": "async_function",
    "tensor subclass": "tensor_subclass_returned",
    "not dense": "tensor_subclass_returned",
    "other": "odd_return_type",
    "not callable": "not_callable",
}


def close(yours: Tensor, expected: Tensor, rtol: float, atol: float) -> bool:
    """Whether two tensors of any dtype have one shape and agree; whole numbers must be equal."""
    if yours.shape != expected.shape or yours.dtype.is_complex:
        return False
    a, b = yours.to("cpu", torch.float64), expected.to("cpu", torch.float64)
    if not expected.dtype.is_floating_point:
        return torch.equal(a, b)
    return torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)


def gradients_agree(yours: Answer, expected: Answer) -> bool:
    """Whether every gradient agrees, relative to its largest entry; a missing one is zero."""
    if yours.gradients is None or expected.gradients is None:
        return False
    if len(yours.gradients) != len(expected.gradients):
        return False
    for mine, theirs in zip(yours.gradients, expected.gradients, strict=True):
        if mine is None or theirs is None:
            there = theirs if mine is None else mine
            if there is not None and bool(there.any()):
                return False
            continue
        # A named mistake may have NaN in its gradient; the tolerance may not.
        largest = theirs.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).abs().max().item()
        atol = GRADIENT_TOLERANCE * max(largest, 1e-12)
        if not close(mine, theirs, 0.0, atol):
            return False
    return True


def same(a: Answer, b: Answer, case: Case, *, with_gradient: bool = True) -> bool:
    """Whether two answers to one question are the same: values, dtypes, gradients, or exception.

    What is read from records belongs to the value.
    """
    if a.late or b.late:
        return False
    if a.error or b.error:
        return a.error == b.error and a.text == b.text
    if a.values is None or b.values is None or a.kind != b.kind:
        return a.returned == b.returned
    if len(a.values) != len(b.values):
        return False
    for mine, theirs in zip(a.values, b.values, strict=True):
        if mine.dtype != theirs.dtype or not close(mine, theirs, case.rtol, case.atol):
            return False
    if not all(_read_alike(reading, a, b, case) for reading in case.readings):
        return False
    if case.gradient == "none" or not with_gradient:
        return True
    if a.gradients is None or b.gradients is None:
        return a.gradients is b.gradients
    if case.gradient == "finite":
        return _finite(a) == _finite(b)
    return gradients_agree(a, b)


def _read_alike(reading: Reading, a: Answer, b: Answer, case: Case) -> bool:
    mine, theirs = _read(reading, a), _read(reading, b)
    if mine is None or theirs is None:
        return mine is theirs
    return close(mine, theirs, case.rtol, case.atol)


def _read(reading: Reading, answer: Answer) -> Tensor | None:
    try:
        return reading.read(answer.records)
    except (IndexError, KeyError, RuntimeError, ValueError):  # records that say nothing about it
        return None


def _finite(answer: Answer) -> tuple[bool | None, ...]:
    return tuple(None if g is None else bool(g.isfinite().all()) for g in answer.gradients or ())


def trouble_with_call(answer: Answer, kind: str) -> Finding | None:
    """What is wrong before any value can be compared: no answer, or not a tensor."""
    if answer.late:
        return Finding(f"{TRAITS['too_slow']} Asked with {kind}.", "too_slow", "no answer in time")
    if answer.error:
        name = _name_of_error(answer)
        came = f"{answer.error}: {answer.text}" if answer.text else answer.error
        return Finding(f"{TRAITS[name]} With {kind}: {came}", name, came)
    if answer.values is None:
        name = _RETURNED[answer.kind]
        return Finding(f"{TRAITS[name]} What came is {answer.returned}.", name, answer.returned)
    if any(value.is_complex() for value in answer.values):  # even where the imaginary part is 0
        words = f"{TRAITS['wrong_dtype']} With {kind} came complex numbers."
        return Finding(words, "wrong_dtype", answer.returned)
    return None


def _name_of_error(answer: Answer) -> str:
    if answer.unwritten:
        return "not_written"
    if answer.unbound:
        return "wrong_signature"
    return "refuses_good_input" if answer.refused else "crashes"


def trouble_with_value(
    answer: Answer, expected: Answer, case: Case, of: Exercise
) -> Finding | None:
    """What is wrong with the values of one answer and with its records, gradient aside."""
    trouble = trouble_with_call(answer, case.kind)
    if trouble is not None:
        name = _reason_of_crash(answer, case) if trouble.misconception == "crashes" else None
        if name is not None:
            words = f"{TRAITS[name]} With {case.kind}: {trouble.yours}"
            trouble = replace(trouble, sentence=words, misconception=name)
        return _with_table(trouble, expected.values)
    if answer.kind != expected.kind or len(answer.values) != len(expected.values):
        return _wrong_count(answer, expected, case)
    pairs = list(zip(answer.values, expected.values, strict=True))
    wrong = [not close(mine, theirs, case.rtol, case.atol) for mine, theirs in pairs]
    if not any(wrong):
        return _trouble_with_records(answer, expected, case, of)
    if sum(wrong) > 1 and _exchanged(pairs, case):
        return Finding(TRAITS["values_exchanged"], "values_exchanged")
    index = wrong.index(True)
    yours, theirs = pairs[index]
    found = _with_table(_value_finding(yours, theirs, case, of), (theirs,), yours)
    if expected.kind == "tensor":
        return found
    name = _name_of_value(of, index)
    words = f"{name[0].upper()}{name[1:]}: {found.sentence}"
    return replace(
        found, sentence=words, yours=f"{name}: {found.yours}", expected=f"{name}: {found.expected}"
    )


def _name_of_value(of: Exercise, index: int) -> str:
    return of.returns[index] if index < len(of.returns) else f"value {index + 1}"


def _wrong_count(answer: Answer, expected: Answer, case: Case) -> Finding:
    """One tensor where several are asked, several where one is, or another number of them."""
    if expected.kind == "tensor":
        name = "returns_list"
    else:
        name = "not_a_tuple" if answer.kind == "tensor" else "wrong_number_of_values"
    many = len(expected.values)
    wanted = "one tensor" if expected.kind == "tensor" else f"a tuple of {many} tensors"
    words = f"{TRAITS[name]} With {case.kind} came {answer.returned}, expected {wanted}."
    return Finding(words, name, answer.returned, wanted)


def _exchanged(pairs: Sequence[tuple[Tensor, Tensor]], case: Case) -> bool:
    """Whether the same tensors came in another order."""
    left = [theirs for _, theirs in pairs]
    for mine, _ in pairs:
        fits = (i for i, theirs in enumerate(left) if close(mine, theirs, case.rtol, case.atol))
        found = next(fits, None)
        if found is None:
            return False
        del left[found]
    return True


def _trouble_with_records(
    answer: Answer, expected: Answer, case: Case, of: Exercise
) -> Finding | None:
    """The first thing that stubs saw and that is not as it should be."""
    for reading in case.readings:
        if _read_alike(reading, answer, expected, case):
            continue
        mine, theirs = _read(reading, answer), _read(reading, expected)
        words = f"Wrong with {case.kind}: {reading.name}."
        if reading.suspicion:
            words = f"{of.sentence_of(reading.suspicion)} Seen with {case.kind}."
        return Finding(
            words,
            reading.suspicion or None,
            f"{reading.name}: {'nothing' if mine is None else numbers(mine)}",
            f"{reading.name}: {'nothing' if theirs is None else numbers(theirs)}",
        )
    return None


def _reason_of_crash(answer: Answer, case: Case) -> str | None:
    """The trait behind a crash, where the case or the words of the exception tell it."""
    if case.suspicion == "needs_contiguous_input":
        return case.suspicion
    if case.gradient != "none" and "numpy() on Tensor that requires grad" in answer.text:
        return "stops_at_a_gradient"
    if case.gradient != "none" and "used in an in-place operation" in answer.text:
        return "changes_its_input"
    return None


def _value_finding(yours: Tensor, theirs: Tensor, case: Case, of: Exercise) -> Finding:
    if yours.shape != theirs.shape:
        return _shape_finding(yours, theirs, case)
    if _lost_in_dtype(yours, theirs):
        words = f"With {case.kind} came {short(yours.dtype)}, expected {short(theirs.dtype)}."
        return Finding(f"{TRAITS['wrong_dtype']} {words}", "wrong_dtype")
    if yours.dtype.is_floating_point and not bool(yours.isfinite().all()):
        return Finding(f"{TRAITS['nan_value']} Seen with {case.kind}.", "nan_value")
    if case.suspicion:
        words = f"{of.sentence_of(case.suspicion)} Seen with {case.kind}."
        return Finding(words, case.suspicion)
    return Finding(f"The value is wrong with {case.kind}: {distance_in_words(yours, theirs)}.")


def _lost_in_dtype(yours: Tensor, theirs: Tensor) -> bool:
    """Whether the dtype alone explains the difference: no floats, or too few digits."""
    if yours.dtype == theirs.dtype or not theirs.dtype.is_floating_point:
        return False
    if not yours.dtype.is_floating_point:
        return True
    return close(yours, theirs, 20 * torch.finfo(yours.dtype).eps, 1e-6)


def _shape_finding(yours: Tensor, theirs: Tensor, case: Case) -> Finding:
    """The shape is wrong; perhaps the numbers are right all the same."""
    numbers = {
        "extra_axis": yours.squeeze() if yours.squeeze().shape == theirs.squeeze().shape else None,
        "transposed": yours.transpose(-1, -2) if yours.ndim >= 2 else None,
    }
    for name, values in numbers.items():
        wanted = theirs.squeeze() if name == "extra_axis" else theirs
        if values is not None and close(values, wanted, case.rtol, case.atol):
            break
    else:
        alone = yours.numel() == 1 and theirs.numel() > 1
        name = "one_value_for_the_batch" if alone else "wrong_shape"
    sentence = (
        f"{TRAITS[name]} With {case.kind} came shape {tuple(yours.shape)}, "
        f"expected {tuple(theirs.shape)}."
    )
    return Finding(sentence, name)


def _with_table(
    finding: Finding, expected: Sequence[Tensor], yours: Tensor | None = None
) -> Finding:
    """The finding with both sides as text, from the first entry that differs."""
    if yours is None:
        return replace(finding, expected="; ".join(numbers(value) for value in expected))
    (theirs,) = expected
    if yours.shape != theirs.shape:
        mine = f"shape {tuple(yours.shape)}: {numbers(yours)}"
        other = f"shape {tuple(theirs.shape)}: {numbers(theirs)}"
    else:
        mine, other = side_by_side(yours, theirs)
    return replace(finding, yours=mine, expected=other)


def trouble_with_gradient(answer: Answer, expected: Answer, case: Case) -> Finding | None:
    """What is wrong with the gradient of an answer whose value is right."""
    if answer.backward_error:
        came = f"backward raised {answer.backward_error}"
        words = f"The value is right, but {came}, with {case.kind}."
        return Finding(words, "crashes", came, "the exact gradient")
    mine, theirs = answer.gradients or (), expected.gradients or ()
    if len(mine) != len(theirs):
        return _gradient_finding("wrong_gradient", case, "another number of gradients")
    wanted = [(m, t) for m, t in zip(mine, theirs, strict=True) if t is not None and t.any()]
    missing = [m is None for m, _ in wanted]
    if wanted and all(missing):
        return _gradient_finding("dead_gradient", case, "no gradient")
    if any(missing):
        return _gradient_finding("gradient_of_one_input", case, "no gradient for one input")
    if not all(bool(m.isfinite().all()) for m in mine if m is not None):
        return _gradient_finding("nan_gradient", case, "nan or infinity in the gradient")
    if case.gradient == "finite" or gradients_agree(answer, expected):
        return None
    dead = [not bool(m.any()) for m, _ in wanted]
    if wanted and all(dead):
        return _gradient_finding("dead_gradient", case, "a gradient of zeros")
    if any(dead):
        return _gradient_finding("gradient_of_one_input", case, "zeros for one input")
    return _gradient_finding("wrong_gradient", case, "another gradient")


def _gradient_finding(name: str, case: Case, came: str) -> Finding:
    return Finding(f"{TRAITS[name]} Seen with {case.kind}.", name, came, "the exact gradient")


def trouble_with_manners(
    answer: Answer, dtypes: Sequence[torch.dtype] | None, kind: str
) -> Finding | None:
    """Whether an input was changed, or the answer has another dtype or device than asked."""
    if answer.changed:
        words = f"{TRAITS['changes_its_input']} Changed: {answer.changed}, with {kind}."
        came = f"changed {answer.changed}"
        return Finding(words, "changes_its_input", came, "inputs as they were")
    if answer.drew_globally:
        name = "touches_global_randomness"
        words = f"{TRAITS[name]} Seen with {kind}."
        return Finding(words, name, "changed the global state", "left it as it was")
    if answer.values is None or dtypes is None or len(answer.values) != len(dtypes):
        return None
    for value, dtype in zip(answer.values, dtypes, strict=True):
        if value.dtype != dtype:
            lost = dtype == torch.float64 and value.dtype.is_floating_point
            name = "returns_float32" if lost else "wrong_dtype"
            came, wanted = short(value.dtype), short(dtype)
            words = f"{TRAITS[name]} With {kind} came {came}, expected {wanted}."
            return Finding(words, name, came, wanted)
        if value.device.type != "cpu":
            came = str(value.device)
            return Finding(f"The answer is on {came}, the inputs are not.", None, came, "cpu")
    return None


def trouble_with_digits(yours: Sequence[Tensor], telling: int) -> Finding | None:
    """Whether float64 answers hold float32 numbers throughout: something inside was rounded.

    Args:
        yours: float64 answers that pass otherwise.
        telling: how many of their numbers should need more digits; a few are needed to tell.
    """
    every = torch.cat([value.flatten() for value in yours]) if yours else torch.zeros(0)
    if telling < 4 or not torch.equal(every, every.float().to(every)):
        return None
    words = f"{TRAITS['float32_inside']} All your float64 numbers have float32 digits only."
    return Finding(words, "float32_inside", "float32 digits", "float64 digits")
