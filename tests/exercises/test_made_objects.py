"""Made objects do what they say, and recording stubs note what was asked of them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from mdcv.exercises.calling import attempt
from mdcv.exercises.cases import Argument, Constant, Draw, Gram, Made, Seeded
from mdcv.exercises.objects import ACTIVATIONS, MAKERS, STALE
from mdcv.exercises.records import (
    MOST_EVENTS,
    Recorder,
    events,
    gradients_after,
    weights_after,
)


def order_of(records) -> list[str]:
    """What happened, in order, as words such as "critic forward"."""
    return [f"{event.who} {event.what}" for event in records if event.what != "after"]


def layers(*sizes):
    draw = Draw(0, "layers")
    return [(draw.tensor(m, n), draw.tensor(m)) for n, m in itertools.pairwise(sizes)]


def stub(who="critic", **options):
    return Made("recording_network", who=who, layers=layers(3, 5, 1), **options)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_is_its_layers(activation):
    (w1, b1), (w2, b2) = given = layers(6, 5, 1)
    x = torch.rand(4, 2, 3, dtype=torch.float64)
    made = MAKERS["network"](Recorder(), layers=given, activation=activation, flat=True)
    hidden = ACTIVATIONS[activation]()(x.flatten(1) @ w1.T + b1)
    torch.testing.assert_close(made(x), (hidden @ w2.T + b2)[:, 0])
    assert MAKERS["network"](Recorder(), layers=given)(x).shape == (4, 1)


def test_gradients_reach_the_parameters_of_a_made_network():
    x = torch.rand(4, 3, dtype=torch.float64)
    answer = attempt(lambda f, x: f(x).square().mean(), (stub(), x), {}, 3)
    assert [tuple(g.shape) for g in answer.gradients] == [(5, 3), (5,), (1, 5), (1,), (4, 3)]
    kept = attempt(lambda f, x: f(x).square().mean(), (stub(), Constant(x)), {}, 3)
    assert len(kept.gradients) == 4
    torch.testing.assert_close(kept.gradients[0], answer.gradients[0])


def test_every_call_gets_another_object_with_the_same_weights():
    def trains(f, x):
        with torch.no_grad():
            before = f(x)
            for parameter in f.parameters():
                parameter.zero_()
        return before

    x = torch.rand(4, 3, dtype=torch.float64)
    made = stub()
    once, again = (attempt(trains, (made, x), {}) for _ in range(2))
    torch.testing.assert_close(once.value, again.value, rtol=0, atol=0)
    assert once.value.any()


def step(critic, optimizer, x):
    critic.train()
    optimizer.zero_grad()
    loss = critic(x).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def test_a_training_step_leaves_its_records():
    x = torch.rand(4, 3, dtype=torch.float64)
    made = stub(stale=True, training=False)
    answer = attempt(step, (made, Made("optimizer", of=Argument(0), lr=0.5), x), {})
    records = answer.records
    assert order_of(records) == [
        *("critic train", "optimizer zero_grad", "critic forward", "optimizer step")
    ]
    (forward,) = events(records, "critic", "forward")
    torch.testing.assert_close(forward.tensors["input"], x)
    assert forward.facts == {"graph": False, "training": True, "recorded": True}
    (found,) = events(records, "optimizer", "step")
    assert len(found.tensors) == 4
    before = torch.cat([value.flatten() for pair in layers(3, 5, 1) for value in pair])
    moved = before - 0.5 * gradients_after(records, "critic")
    torch.testing.assert_close(weights_after(records, "critic"), moved)


def test_stale_gradients_are_there_until_someone_clears_them():
    x = torch.rand(4, 3, dtype=torch.float64)
    fresh = attempt(lambda f, x: f(x).detach(), (stub(), x), {})
    stale = attempt(lambda f, x: f(x).detach(), (stub(stale=True), x), {})
    assert gradients_after(fresh.records, "critic") is None
    assert bool((gradients_after(stale.records, "critic") == STALE).all())
    assert order_of(stale.records) == ["critic forward"]  # setting up is not noted


def test_an_optimizer_can_serve_two_networks():
    given = (stub("a"), stub("b"), Made("optimizer", of=[Argument(0), Argument(1)], rule="adam"))

    def both(a, b, optimizer):
        (a(torch.ones(2, 3).double()) + b(torch.ones(2, 3).double())).mean().backward()
        optimizer.step()
        return torch.zeros(1)

    records = attempt(both, given, {}).records
    assert len(events(records, "optimizer", "step")[0].tensors) == 8
    assert not torch.equal(
        weights_after(records, "b"),
        weights_after(attempt(lambda a, b, o: torch.zeros(1), given, {}).records, "b"),
    )


def test_a_coder_notes_both_ways():
    made = Made("recording_coder", who="vae", encoder=layers(7, 4), decoder=layers(2, 7))

    def loss(coder, x):
        mu, logvar = coder.encode(x)
        assert mu.shape == logvar.shape == (3, 2)
        return coder.decode(mu).mean()

    answer = attempt(loss, (made, torch.rand(3, 7).double()), {}, 1)
    assert order_of(answer.records) == ["vae encode", "vae decode"]
    assert events(answer.records, "vae", "decode")[0].facts["graph"] is True


def test_endless_use_of_a_stub_does_not_fill_the_memory():
    log = Recorder()
    for _ in range(MOST_EVENTS + 10):
        log.note("f", "forward", {"input": torch.zeros(1)})
    assert len(log.close()) == MOST_EVENTS


@pytest.mark.parametrize("kind", ["shift", "lopsided", "moments"])
def test_set_distances_are_what_they_say(kind):
    distance = MAKERS["set_distance"](Recorder(), kind=kind)
    x, y = Draw(0, kind).cloud(2, 7, 3), Draw(1, kind).cloud(2, 5, 3)
    assert distance(x, y).shape == (2,)
    symmetric = torch.allclose(distance(x, y), distance(y, x))
    assert symmetric == (kind == "moments")
    assert bool((distance(x, x) == 0).all()) == (kind != "lopsided")
    with pytest.raises(TypeError):
        MAKERS["set_distance"](Recorder(), kind=kind, positional=True)(x=x, y=y)


def test_containers_hold_stand_ins_too():
    def draws(many):
        assert isinstance(many["first"], nn.Module)
        return torch.rand(2, generator=many["second"][0])

    answer = attempt(draws, ({"first": stub(), "second": (Seeded(3),)},), {})
    again = torch.rand(2, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(answer.value, again)


def test_a_change_inside_a_container_or_an_option_is_seen():
    x = torch.rand(3)
    assert attempt(lambda pair: pair[1].zero_(), ((1, x),), {}).changed.startswith("argument 1")
    assert attempt(lambda scale: scale.zero_(), (), {"scale": x}).changed.startswith("option scale")


def test_a_gram_matrix_is_symmetric_and_its_factor_has_the_gradient():
    factor = torch.rand(3, 2).double()
    answer = attempt(lambda c: c.trace(), (Gram(factor),), {}, 3)
    torch.testing.assert_close(answer.value, (factor @ factor.T).trace())
    slope = torch.randn((), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.testing.assert_close(answer.gradients[0], 2 * slope * factor)


def test_a_mixing_network_lets_samples_depend_on_each_other():
    x = torch.rand(4, 3).double()
    made = MAKERS["recording_network"](Recorder(), who="d", layers=layers(3, 1), mixing=True)
    assert not torch.allclose(made(x)[:2], made(x[:2]))


def test_a_network_left_frozen_is_seen():
    def freezes(f):
        f.requires_grad_(False)
        return torch.zeros(1)

    (after,) = events(attempt(freezes, (stub(),), {}).records, "critic", "after")
    assert after.facts["frozen"] is True
