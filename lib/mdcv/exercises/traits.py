"""Mistakes that any function can have, by name, with the sentence a student reads.

Mistakes that belong to one exercise stand in its own file. A sentence says what came and what
to look at; it never holds an expected value.
"""

from __future__ import annotations

TRAITS: dict[str, str] = {
    # what came back
    "not_callable": "What you handed in is not a function.",
    "wrong_signature": (
        "Your function cannot be called as the contract says; compare its parameters with the stub."
    ),
    "returns_nothing": (
        "Your function returned nothing. Is there a return at the end of every path?"
    ),
    "returns_numpy": (
        "Your function returned a NumPy array; the answer is a torch tensor, with its gradient."
    ),
    "python_float_returned": (
        "Your function returned a plain Python number; the answer is a tensor. `.item()` and "
        "`float()` also cut the gradient."
    ),
    "returns_list": (
        "Your function returned a list or a tuple; the answer is one tensor (see torch.stack)."
    ),
    "not_a_tuple": (
        "Your function returned one tensor; the contract asks for several, as a tuple."
    ),
    "wrong_number_of_values": "Another number of values came back than the contract says.",
    "values_exchanged": "The values are right, but they come back in another order.",
    "yields_instead_of_returning": "Your function yields: write return where it says yield.",
    "async_function": "Your function is asynchronous: remove async from its definition.",
    "tensor_subclass_returned": "The answer must be a plain dense tensor.",
    "odd_return_type": "Your function returned something that is not a tensor.",
    "wrong_shape": "The shape is not the one that the contract says.",
    "extra_axis": (
        "The numbers are right, but an axis of size 1 is left over or missing (keepdim, "
        "squeeze, unsqueeze)."
    ),
    "transposed": "The numbers are right, but two axes are exchanged.",
    "one_value_for_the_batch": (
        "One number came for the whole batch; each pair of sets has a value of its own."
    ),
    # how it ran
    "not_written": "This part still raises NotImplementedError.",
    "crashes": "It raised an exception.",
    "refuses_good_input": "It refused input that the contract allows.",
    "too_slow": "It did not come back in time. Look for a loop whose condition never turns false.",
    # dtype, device, inputs
    "returns_float32": (
        "The inputs are float64 and the answer is not: keep the dtype of the inputs."
    ),
    "wrong_dtype": "The answer has another dtype than the contract says.",
    "float32_inside": (
        "The inputs are float64, but the answer is only as exact as float32: something inside "
        "is cast to single precision (.float(), or a new tensor without dtype=x.dtype)."
    ),
    "changes_its_input": (
        "Your function changed its input. Operations that end in an underscore, += and "
        "assignments to x[...] write into the caller's tensor."
    ),
    "draws_faces_without_area": (
        "Points come from a triangle without any area: its weight must be exactly 0."
    ),
    "not_repeatable": "The same question asked twice got two answers.",
    "same_answer": (
        "Two different inputs of one shape got exactly the same answer: it does not depend on "
        "the values."
    ),
    "needs_contiguous_input": (
        "It fails when the input is not contiguous in memory: .view and pointer tricks need "
        ".contiguous() or .reshape."
    ),
    # distances between sets
    "manhattan": "Looks like the sum of absolute coordinates; the distance is Euclidean.",
    "largest_coordinate": (
        "Looks like the largest coordinate difference; the distance is Euclidean."
    ),
    "mean_over_coordinates": (
        "Divided by the dimension: a squared distance is the sum over the coordinates, not "
        "their mean."
    ),
    "first_pair_for_all": "Every pair of clouds got the value of the first one.",
    "batch_averaged": "Every pair got one value, the mean over the batch: reduce over points only.",
    "first_two_coordinates": (
        "Only the first two coordinates count in your distance; D is not always 2."
    ),
    "centers_of_the_sets": (
        "Looks like the distance between the centers of the two sets; every point counts."
    ),
    "touches_global_randomness": (
        "A generator was given, and yet your function drew from PyTorch's global generator, or "
        "set its seed: whoever draws after it gets other numbers."
    ),
    # gradients
    "stops_at_a_gradient": (
        "It fails when the input asks for a gradient: NumPy knows no gradients. Detach a copy for "
        "the search, and compute the value from the tensors themselves."
    ),
    "dead_gradient": (
        "The value is right, but no gradient reaches the input: something on the way cuts the "
        "graph (detach, no_grad, .item(), NumPy, torch.tensor of a tensor)."
    ),
    "gradient_of_one_input": (
        "The value is right, but the gradient does not reach every input that it should."
    ),
    "nan_gradient": (
        "The gradient is nan or infinite where points coincide: the square root has infinite "
        "slope at 0 (torch.linalg.vector_norm has a safe gradient there)."
    ),
    "wrong_gradient": (
        "The value is right, but its gradient is not: part of the path back to the input is cut"
        " or counted twice."
    ),
    # precision
    "cancellation": (
        "Far from the origin the value is lost, as when |x|² − 2xy + |y|² subtracts huge numbers "
        "that are almost equal. Subtract the points first, then square (or use torch.cdist with "
        "compute_mode='donot_use_mm_for_euclid_dist')."
    ),
    "coincident_points": (
        "Where points coincide the distance is 0. A guard under the root moves it away from 0, or "
        "your function leaves such points out."
    ),
    "wrong_ties": (
        "Where several answers are equally good the lowest index is asked. torch.argmax gives the "
        "first of equal values; sort, topk and max promise no such thing."
    ),
    "nan_value": "The answer holds nan or infinity.",
    # refusals
    "accepts_empty_set": (
        "An empty set was accepted; there the value is undefined, so raise a ValueError."
    ),
    "broadcasts_batches": (
        "Unequal batch sizes were accepted: one batch was broadcast over the other. Compare "
        "x.shape[0] with y.shape[0] and raise a ValueError."
    ),
    "accepts_unequal_dimensions": (
        "Points of different dimension were accepted. Compare the last axes and raise a ValueError."
    ),
    "accepts_unequal_sizes": (
        "Sets of unequal size were accepted; no bijection exists between them. Raise a ValueError."
    ),
    "accepts_wrong_ndim": (
        "A tensor that does not have the three axes (B, N, D) was accepted; raise a ValueError."
    ),
    "accepts_unknown_option": (
        "An unknown value of an option was accepted in silence. Raise a ValueError that names "
        "the values you know."
    ),
    "hides_nan": (
        "The input holds NaN and the answer looks like a number. Raise a ValueError (or let the"
        " NaN through where the contract allows it)."
    ),
    "wrong_exception": (
        "Bad input stopped it, but not with a ValueError: the caller should read what came and "
        "what was expected, not an error from inside."
    ),
}


def sentence_of(trait: str) -> str:
    """The sentence of a shared trait.

    >>> sentence_of("not_callable")
    'What you handed in is not a function.'
    """
    return TRAITS[trait]
