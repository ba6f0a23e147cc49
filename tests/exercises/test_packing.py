"""A question and its answer survive the way to another process, and nothing else comes back."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from mdcv.exercises import get, judge, judge_with, names
from mdcv.exercises.calling import Answer, Asking, Caller, answer_within, attempt
from mdcv.exercises.cases import (
    Argument,
    Constant,
    Draw,
    Gram,
    Made,
    Seeded,
    strided_layout,
    transposed_layout,
)
from mdcv.exercises.exercise import Trial
from mdcv.exercises.packing import pack_answer, pack_call, unpack_answer, unpack_call
from mdcv.exercises.records import Event


def through_json(packed):
    """What arrives elsewhere: JSON text, and tensors that share no memory with those sent."""
    header, tensors = packed
    assert all(tensor.is_contiguous() for tensor in tensors)
    return json.loads(json.dumps(header)), [tensor.clone() for tensor in tensors]


class FarCaller(Caller):
    """Asks as across a wall: question and answer are packed."""

    def answer_within(self, asking, limit):
        asking = unpack_call(*through_json(pack_call(asking)))
        answer = answer_within(self._function, asking, limit)
        return answer and unpack_answer(*through_json(pack_answer(answer)))


def calls_of(name, seed=0):
    for part in get(name).parts:
        for question in part.questions(Draw(seed, f"{name}/{part.name}")):
            if isinstance(question, Trial):
                yield from question.calls
            else:
                yield question.arguments, question.options


@pytest.mark.parametrize("name", names())
def test_every_question_is_data(name):
    for arguments, options in calls_of(name):
        again = unpack_call(*through_json(pack_call(Asking(arguments, options, 5, None, 7))))
        assert (again.cotangent_seed, again.number) == (5, 7)
        for sent, came in zip(arguments, again.arguments, strict=True):
            assert type(came) is type(sent)
            if isinstance(sent, torch.Tensor):
                assert (came.dtype, came.stride()) == (sent.dtype, sent.stride())
                torch.testing.assert_close(came, sent, rtol=0, atol=0, equal_nan=True)


def variants(name):
    exercise = get(name)
    yield name, exercise.right[0]
    yield from [(name, mistake) for mistake in exercise.wrong[::7]]


PAIRS = [pair for name in names() for pair in variants(name)]


@pytest.mark.parametrize(("name", "variant"), PAIRS, ids=[f"{n}-{v.name}" for n, v in PAIRS])
def test_the_verdict_is_the_same_from_afar(name, variant):
    assert judge_with(name, FarCaller(variant.function), seed=3) == judge(
        name, variant.function, seed=3
    )


@pytest.mark.parametrize("implementation", [None, 5, lambda x, y: (x, y), lambda x, y: None])
def test_odd_implementations_look_the_same_from_afar(implementation):
    name = "hausdorff_distance"
    assert judge_with(name, FarCaller(implementation)) == judge(name, implementation)


@pytest.mark.parametrize(
    "layout", [transposed_layout, strided_layout, lambda x: x[:, :1].expand(2, 5, 3)]
)
def test_layouts_arrive(layout):
    values = layout(torch.rand(2, 5, 3))
    came = unpack_call(*through_json(pack_call(Asking((values,))))).arguments[0]
    assert came.stride() == values.stride()
    torch.testing.assert_close(came, values, rtol=0, atol=0)


def test_stand_ins_and_containers_arrive():
    weight = torch.rand(2, 3)
    sent = Asking(
        (
            Made("network", layers=[(weight, torch.rand(2))], flat=False),
            Argument(0),
            Constant(weight),
            Seeded(4),
            (1, 2.5, None, True, "mean", [torch.float64, float("inf")]),
            {"mu": weight, 3: "three"},
            Gram(weight),
        ),
        {"generator": Seeded(9)},
        through="then_ask",
    )
    came = unpack_call(*through_json(pack_call(sent)))
    made, argument, constant, seeded, plain, named, gram = came.arguments
    assert (made.maker, made.values["flat"]) == ("network", False)
    torch.testing.assert_close(made.values["layers"][0][0], weight)
    assert (argument, seeded) == (Argument(0), Seeded(4))
    torch.testing.assert_close(constant.value, weight)
    assert plain == (1, 2.5, None, True, "mean", [torch.float64, float("inf")])
    assert list(named) == ["mu", 3]
    torch.testing.assert_close(gram.factor, weight)
    assert came.options == {"generator": Seeded(9)}
    assert came.through == "then_ask"


@pytest.mark.parametrize("thing", [lambda: 1, object(), torch.nn.ReLU(), {1, 2}, b"bytes"])
def test_what_is_not_data_is_not_packed(thing):
    with pytest.raises(ValueError, match="expected data"):
        pack_call(Asking(([thing],)))


@pytest.mark.parametrize("header", [{}, {"arguments": 3}, {"arguments": [{"tensor": 0}]}, []])
def test_what_is_no_packed_call_is_refused(header):
    with pytest.raises(ValueError, match="no packed call"):
        unpack_call(header, [])


ANSWERS = {
    "tensor": attempt(lambda x: x.sum(1), (torch.rand(2, 3),), {}, 3),
    "tuple": attempt(lambda x: (x.sum(1), x.int()), (torch.rand(2, 3),), {}, 3),
    "conjugate": attempt(lambda x: (x + 1j).conj(), (torch.rand(2, 3),), {}),
    "nothing": attempt(lambda x: None, (torch.rand(2, 3),), {}),
    "error": attempt(lambda x: x @ x, (torch.rand(2, 3),), {}),
    "odd text": attempt(lambda x: int("\ud800"), (torch.rand(2, 3),), {}),
    "late": Answer(late=True),
    "records": attempt(
        lambda f, x: f(x).mean(),
        (
            Made("recording_network", who="f", layers=[(torch.rand(2, 3), torch.rand(2))]),
            torch.rand(4, 3),
        ),
        {},
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_arrive(kind):
    sent = ANSWERS[kind]
    came = unpack_answer(*through_json(pack_answer(sent)))
    for name in ("kind", "returned", "error", "text", "refused", "unbound", "late", "changed"):
        assert getattr(came, name) == getattr(sent, name)
    assert len(came.records) == len(sent.records)
    for mine, theirs in zip(came.values or (), sent.values or (), strict=True):
        torch.testing.assert_close(mine, theirs.resolve_conj(), rtol=0, atol=0)
    if sent.records:
        assert came.records[-1].what == "after"
        assert set(came.records[-1].tensors) == set(sent.records[-1].tensors)


GOOD = pack_answer(
    Answer(
        values=(torch.ones(2), torch.ones(3)),
        kind="tensors",
        gradients=(None, torch.ones(2)),
        records=(Event("f", "forward", {"input": torch.ones(1)}, {"graph": True}),),
    )
)


def test_the_untouched_answer_is_accepted():
    assert len(unpack_answer(*GOOD).values) == 2


FORGERIES = {
    "a list": lambda header: [],
    "a field more": lambda header: header | {"score": 1.0},
    "a field less": lambda header: {k: v for k, v in header.items() if k != "late"},
    "number for text": lambda header: header | {"text": 5},
    "long text": lambda header: header | {"text": "x" * 10_000},
    "text that cannot be written": lambda header: header | {"text": "\ud800"},
    "number for a flag": lambda header: header | {"refused": 1},
    "unknown kind": lambda header: header | {"kind": "right"},
    "kind in a list": lambda header: header | {"kind": ["tensor"]},
    "kind without values": lambda header: header | {"values": None},
    "values without kind": lambda header: header | {"kind": "nothing"},
    "no kind": lambda header: header | {"kind": ""},
    "too many values for its kind": lambda header: header | {"kind": "tensor"},
    "value and error": lambda header: header | {"error": "ValueError", "refused": True},
    "refused without error": lambda header: header | {"refused": True},
    "late and here": lambda header: header | {"late": True},
    "a tensor that did not come": lambda header: header | {"values": [0, 99]},
    "a negative number": lambda header: header | {"values": [0, -1]},
    "a truth value for a number": lambda header: header | {"values": [0, True]},
    "one tensor twice": lambda header: header | {"values": [0, 0]},
    "a missing value": lambda header: header | {"values": [0, None]},
    "a tensor left over": lambda header: header | {"gradients": None},
    "records in a dict": lambda header: header | {"records": {}},
    "a short record": lambda header: header | {"records": [["f", "forward", {}]]},
    "a record of a number": lambda header: header | {"records": [[1, "forward", {}, {}]]},
    "a nested fact": lambda header: header | {"records": [["f", "x", {"input": 3}, {"a": []}]]},
    "many records": lambda header: header | {"records": [["f", "x", {}, {}]] * 9000},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_answer_is_refused(forgery):
    header, tensors = copy.deepcopy(GOOD)
    with pytest.raises(ValueError, match="answer"):
        unpack_answer(FORGERIES[forgery](header), tensors)


class Special(torch.Tensor):
    """Looks like a tensor."""


@pytest.mark.parametrize(
    "tensor",
    [
        [1.0, 2.0],
        torch.ones(2).as_subclass(Special),
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(2, requires_grad=True),
        torch.ones(2, 2).T[:1].T,
        torch.ones(1).expand(2),
    ],
    ids=["list", "subclass", "sparse", "meta", "with graph", "strided", "expanded"],
)
def test_a_forged_tensor_is_refused(tensor):
    header, tensors = GOOD
    with pytest.raises(ValueError, match="answer"):
        unpack_answer(header, [tensor, *tensors[1:]])
    with pytest.raises(ValueError, match="answer"):
        unpack_answer(header, tensors[:2])
