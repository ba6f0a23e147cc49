"""Turns what a student wrote (a class, a training function, ...) into a function of tensors.

An exercise names its adapter, `Exercise(through="then_ask", ...)`; the adapter is applied where
the student's code runs. This file goes there, so it holds no answer to any exercise.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

#: One thing to ask of an object: a name, positional arguments, and options.
Ask = tuple[str, tuple[Any, ...], Mapping[str, Any]]


class NotAFunctionError(TypeError):
    """What was handed in cannot be called at all."""


class CannotBeCalledError(TypeError):
    """It cannot be called with these arguments; its parameters are not those of the contract."""


def adapted(implementation: Any, through: str | None) -> Callable[..., Any]:
    """The implementation as a function of what a question asks with.

    Raises:
        NotAFunctionError: it is not callable where it must be.
    """
    if through is None:
        if not callable(implementation):
            raise NotAFunctionError(type(implementation).__name__)
        return implementation
    return ADAPTERS[through](implementation)


def then_ask(implementation: Any) -> Callable[..., Any]:
    """Calls it, then asks what came: for classes, and for functions that train and return a model.

    The adapted function takes

        construct: the arguments of the first call; None asks the implementation itself.
        asks: what to ask then, each a triple (name, arguments, options). The name is a method or
            an attribute; "" calls the object; dots lead on, and a number is an index ("0.sample"
            is the method `sample` of the first thing that came). "@parameters" is all parameters,
            "@gradients" their gradients, and "@step" calls the object and makes one step of
            gradient descent (`lr`) on the mean square of what came; it answers nothing. "@fit"
            trains the object on inputs and targets for some `steps` and answers the losses;
            "@reach" then tells the largest gradient that reached each of its matrices.
        options: of the first call.
        weights: parameters to load, by name.
        mode: "train" or "eval", set before the asks.

    It returns the tensors that came, as one tuple; the tensor alone when there is one ask.
    """

    def asked(
        construct: Sequence[Any] | None,
        asks: Sequence[Ask],
        *,
        options: Mapping[str, Any] | None = None,
        weights: Mapping[str, Tensor] | None = None,
        mode: str = "",
    ) -> Any:
        made = implementation
        if construct is not None:
            made = _called(implementation, construct, options or {})
        if made is None:
            return None
        if weights is not None:
            made.load_state_dict(dict(weights))
        if mode:
            made.train(mode == "train")
        answers = [_answer(made, *ask) for ask in asks]
        answers = [answer for answer in answers if answer is not _NOTHING_ASKED]
        if len(answers) == 1:
            return answers[0]
        return _flat(answers)

    return asked


def collect(implementation: Any) -> Callable[..., Any]:
    """Collects what it yields: for generator functions and iterators of tensors.

    The adapted function takes how many items to take at most, then the arguments. It returns them
    as a tuple; one item beyond the limit is taken too, so that an endless one is told.
    """

    def collected(limit: int, *arguments: Any, **options: Any) -> Any:
        came = _called(implementation, arguments, options)
        if isinstance(came, Tensor) or came is None:
            return came
        return tuple(itertools.islice(iter(came), limit + 1))

    return collected


def choose(implementation: Any) -> Callable[..., Any]:
    """Picks one of several functions: for exercises that ask for functions together.

    What is handed in is a dict, a list or a tuple of functions; the adapted function takes the key
    or the index, then the arguments.
    """

    def chosen(which: str | int, *arguments: Any, **options: Any) -> Any:
        return _called(implementation[which], arguments, options)

    return chosen


ADAPTERS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "then_ask": then_ask,
    "collect": collect,
    "choose": choose,
}

_NOTHING_ASKED = object()


def _called(function: Any, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The call, with a name of its own for arguments that do not fit."""
    if not callable(function):
        raise NotAFunctionError(type(function).__name__)
    try:
        return function(*arguments, **options)
    except TypeError as error:
        if not binds(function, arguments, options):
            raise CannotBeCalledError(str(error)) from error
        raise


def binds(function: Any, arguments: Sequence[Any], options: Mapping[str, Any]) -> bool:
    """Whether these arguments fit the parameters, as far as can be told."""
    try:
        inspect.signature(function).bind(*arguments, **options)
    except TypeError:
        return False
    except BaseException:
        return True
    return True


def _answer(made: Any, name: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    if name == "@parameters":
        return tuple(parameter.detach() for parameter in made.parameters())
    if name == "@gradients":
        found = (parameter.grad for parameter in made.parameters())
        return tuple(gradient for gradient in found if gradient is not None)
    if name == "@step":
        _step(made, arguments, **options)
        return _NOTHING_ASKED
    if name == "@fit":
        return _fit(made, *arguments, **options)
    if name == "@reach":
        return _reach(made)
    for word in filter(None, name.split(".")):
        made = made[int(word)] if word.isdigit() else getattr(made, word)
    if name and not callable(made):
        return made
    if not callable(made):
        raise TypeError(f"what came is a {type(made).__name__}, which cannot be called")
    return _called(made, arguments, options)


def _step(made: Any, arguments: Sequence[Any], *, lr: float) -> None:
    """One step of gradient descent on the mean square of all that the object answers."""
    came = _flat([made(*arguments)])
    parameters = [p for p in made.parameters() if p.requires_grad]
    loss = sum(value.square().mean() for value in came)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter -= lr * gradient


def _fit(made: Any, inputs: Tensor, targets: Tensor, *, steps: int, lr: float) -> Tensor:
    """Steps of Adam, in training mode, on what the object answers to the inputs: (steps,) losses.

    The loss is the cross-entropy of logits (..., C) where the targets are whole numbers, and the
    mean square of the difference elsewhere. Afterwards the object is in the mode it came in.
    """
    mode = made.training
    made.train()
    optimizer = torch.optim.Adam(made.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        came = _flat([made(inputs)])[0]
        if targets.is_floating_point():
            loss = torch.nn.functional.mse_loss(came, targets)
        else:
            loss = torch.nn.functional.cross_entropy(came.flatten(0, -2), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    made.train(mode)
    return torch.stack(losses)


def _reach(made: Any) -> Tensor:
    """The largest gradient of each matrix, or larger, that may learn; 0 where none came."""
    matrices = [p for p in made.parameters() if p.requires_grad and p.ndim > 1]
    found = [torch.zeros(()) if p.grad is None else p.grad.abs().max() for p in matrices]
    return torch.stack(found) if found else torch.zeros(0)


def _flat(answers: Sequence[Any]) -> tuple[Any, ...]:
    """Tuples and lists among the answers opened up."""
    flat: list[Any] = []
    for answer in answers:
        flat += answer if isinstance(answer, tuple | list) else [answer]
    return tuple(flat)
