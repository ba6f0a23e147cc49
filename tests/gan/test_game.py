"""The game as a whole."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import Mixture
from mdcv.gan import Game, PointDiscriminator, PointGenerator, Rules, train_game
from mdcv.seeds import generator
from mdcv.train import train

TARGET = Mixture(torch.tensor([[1.5, -1.0]]), std=0.3)


def new_game(kind: str, **rules) -> Game:
    rng = generator(0)
    rules = {"batch": 64, "learning_rate": 2e-3, **rules}
    return Game(
        PointGenerator(width=24, rng=rng),
        PointDiscriminator(width=24, rng=rng),
        lambda n, source: TARGET.sample(n, generator=source),
        Rules(kind=kind, **rules),
    )


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("gan", {"opponent_steps": 3}),
        ("wgan", {"opponent_steps": 3}),
        ("wgan-gp", {"opponent_steps": 5, "learning_rate": 1e-3, "penalty_weight": 1.0}),
    ],
)
def test_a_single_gaussian_is_found_by_every_game(kind, rules):
    game = new_game(kind, **rules)

    def miss() -> float:
        made = game.generator.sample(500, generator=generator(1))
        return float((made.mean(dim=0) - TARGET.centers).norm())

    assert miss() > 1.5
    history = train_game(game, 400, progress=False)
    assert miss() < 0.6
    assert history["opponent"].shape == history["generator"].shape == (400,)


def test_the_opponent_moves_k_times_and_the_generator_once():
    game, drawn = new_game("gan", opponent_steps=4), []
    inner = game.draw_real
    game.draw_real = lambda n, rng: drawn.append(inner(n, rng)) or drawn[-1]
    noises, make = [], game.generator.noise
    game.generator.noise = lambda n, **rest: noises.append(make(n, **rest)) or noises[-1]
    rng = generator(0)
    game.step(0, rng)
    assert len(drawn) == 4 and len(noises) == 5
    game.step(1, rng)
    for batches in (drawn, noises):  # every move sees samples of its own
        assert len({batch.sum().item() for batch in batches}) == len(batches)
    moves = [next(iter(o.state.values()))["step"] for o in (game.opponent_optimizer,)]
    assert moves == [8]
    assert next(iter(game.generator_optimizer.state.values()))["step"] == 2


def test_clipping_holds_throughout_a_wgan():
    game = new_game("wgan", clip=0.03)
    train_game(game, 3, progress=False)
    assert all(p.abs().max() <= 0.03 for p in game.opponent.parameters())


def test_one_seed_gives_one_run():
    runs = [train_game(new_game("wgan-gp"), 5, seed=s, progress=False) for s in (3, 3, 4)]
    assert runs[0]["generator"].equal(runs[1]["generator"])
    assert not runs[0]["generator"].equal(runs[2]["generator"])


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path):
    whole = train_game(new_game("gan"), 8, progress=False)
    path = tmp_path / "run.pt"
    train_game(new_game("gan"), 5, progress=False, checkpoint=path)
    resumed = train_game(new_game("gan"), 8, progress=False, checkpoint=path)
    torch.testing.assert_close(resumed, whole, rtol=0, atol=0)


def test_the_saturating_rule_changes_the_generators_loss_only():
    losses = [train(new_game("gan", saturating=s).step, 1, progress=False) for s in (False, True)]
    assert losses[0]["opponent"].equal(losses[1]["opponent"])
    assert losses[0]["generator"] > 0 > losses[1]["generator"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"kind": "lsgan"}, "kind is 'lsgan'"),
        ({"opponent_steps": 0}, "opponent_steps is 0"),
        ({"batch": 0}, "batch is 0"),
    ],
)
@pytest.mark.usefixtures("at_the_door")
def test_unknown_rules_are_refused(rules, words):
    with pytest.raises(ValueError, match=words):
        Rules(**rules)
