"""Training loops: the reference, right ones written differently, and wrong ones by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from mdcv.exercises.exercise import Mistake, Right
from mdcv.gan import discriminator_loss, discriminator_step, generator_step

BETAS = (0.5, 0.9)


def train_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Tensor,
    *,
    steps: int,
    batch: int,
    noise_dim: int,
    lr: float,
    rng: Generator,
) -> nn.Module:
    """The generator after so many rounds: one move of the discriminator, one of the generator.

    Args:
        generator: from (B, noise_dim) noise to samples; it is trained in place.
        discriminator: from samples to one logit each; it is trained in place.
        data: (N, D); every round draws `batch` of its rows at random.
        steps: rounds.
        lr: of both players' Adam, with betas (0.5, 0.9).
        rng: where everything random comes from.

    Raises:
        ValueError: no data, no rounds, or an empty batch.
    """
    if data.ndim != 2 or len(data) == 0:
        raise ValueError(f"data has shape {tuple(data.shape)}; expected (N, D) with N >= 1")
    if steps < 1 or batch < 1:
        raise ValueError(f"{steps} steps of {batch} samples; expected at least one of each")
    of_generator = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.9))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.9))

    def noise() -> Tensor:
        return torch.randn(batch, noise_dim, generator=rng)

    for _ in range(steps):
        real = data[torch.randint(len(data), (batch,), generator=rng)]
        discriminator_step(discriminator, generator, of_discriminator, real, noise())
        generator_step(generator, discriminator, of_generator, noise())
    return generator


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=lr, betas=BETAS)


# Right, written differently


def _by_hand(generator, discriminator, data, *, steps, batch, noise_dim, lr, rng):
    """Without the steps of the earlier questions; the fakes of a round are made once."""
    if min(len(data), steps, batch) < 1:
        raise ValueError("nothing to do")
    players = _adam(generator, lr), _adam(discriminator, lr)
    generator.train()
    discriminator.train()
    for _ in range(steps):
        rows = torch.randperm(len(data), generator=rng)[:batch]
        if len(rows) < batch:
            rows = torch.randint(0, len(data), [batch], generator=rng)
        fake = generator(torch.empty(batch, noise_dim).normal_(generator=rng))
        players[1].zero_grad()
        loss = F.softplus(-discriminator(data[rows])).mean()
        (loss + F.softplus(discriminator(fake.detach())).mean()).backward()
        players[1].step()
        players[0].zero_grad()
        F.softplus(-discriminator(fake)).mean().backward()
        players[0].step()
    return generator


def _with_a_stream(generator, discriminator, data, *, steps, batch, noise_dim, lr, rng):
    """Batches come from a generator function that shuffles the data again and again."""
    if data.numel() == 0 or steps <= 0 or batch <= 0:
        raise ValueError("nothing to do")

    def batches() -> Iterator[Tensor]:
        rows: list[int] = []
        while True:
            while len(rows) < batch:
                rows += torch.randperm(len(data), generator=rng).tolist()
            yield data[rows[:batch]]
            rows = rows[batch:]

    of_discriminator, of_generator = _adam(discriminator, lr), _adam(generator, lr)
    stream = batches()
    for _ in range(steps):
        noise = torch.randn((2, batch, noise_dim), generator=rng)
        discriminator_step(discriminator, generator, of_discriminator, next(stream), noise[0])
        generator_step(generator, discriminator, of_generator, noise[1])
    return generator


def _returning_a_copy(generator, discriminator, data, **options):
    """Hands out what was trained as a copy."""
    return copy.deepcopy(train_gan(generator, discriminator, data, **options))


RIGHT = (
    Right("by hand", _by_hand),
    Right("with a stream of batches", _with_a_stream),
    Right("returning a copy", _returning_a_copy),
)


# Wrong: the pieces of the loop, any of which can be replaced

Draws = Callable[..., Tensor]


def _rows(data: Tensor, batch: int, rng: Generator, k: int) -> Tensor:
    return data[torch.randint(len(data), (batch,), generator=rng)]


def _noise(batch: int, noise_dim: int, rng: Generator, k: int) -> Tensor:
    return torch.randn(batch, noise_dim, generator=rng)


def _loop(
    *,
    rows: Draws = _rows,
    noise: Draws = _noise,
    rounds: Callable[[int], int] = lambda steps: steps,
    adam: Callable[[nn.Module, float], Any] = _adam,
    renew: bool = False,
    move_discriminator: Callable[..., Any] = discriminator_step,
    move_generator: Callable[..., Any] = generator_step,
    answer: Callable[[Any, Any, Any], Any] = lambda trained, opponent, before: trained,
    guarded: bool = True,
) -> Callable[..., Any]:
    """A training loop with one of its pieces replaced."""

    def wrong(generator, discriminator, data, *, steps, batch, noise_dim, lr, rng):
        if guarded and min(len(data), steps, batch) < 1:
            raise ValueError("nothing to do")
        before = copy.deepcopy(generator)
        players = adam(generator, lr), adam(discriminator, lr)
        for k in range(rounds(steps) if min(len(data), batch) > 0 else 0):
            real = rows(data, batch, rng, k)
            z = [noise(batch, noise_dim, rng, 2 * k + i) for i in range(2)]
            if renew:
                players = adam(generator, lr), adam(discriminator, lr)
            move_discriminator(discriminator, generator, players[1], real, z[0])
            move_generator(generator, discriminator, players[0], z[1])
        return answer(generator, discriminator, before)

    return wrong


def _same_noise() -> Draws:
    """Noise that is drawn once and used for ever."""
    kept: dict[str, Tensor] = {}

    def noise(batch: int, noise_dim: int, rng: Generator, k: int) -> Tensor:
        if k == 0:
            kept["noise"] = torch.randn(batch, noise_dim, generator=rng)
        return kept["noise"]

    return noise


def _fresh_seed(batch: int, noise_dim: int, rng: Generator, k: int) -> Tensor:
    return torch.randn(batch, noise_dim, generator=Generator().manual_seed(k))


def _turned_discriminator(discriminator, generator, optimizer, real, noise):
    optimizer.zero_grad()
    fake = generator(noise).detach()
    discriminator_loss(discriminator(fake), discriminator(real)).backward()
    optimizer.step()


def _turned_generator(generator, discriminator, optimizer, noise):
    optimizer.zero_grad()
    F.softplus(discriminator(generator(noise))).mean().backward()
    optimizer.step()


def _cut_generator(generator, discriminator, optimizer, noise):
    optimizer.zero_grad()
    F.softplus(-discriminator(generator(noise).detach())).mean().backward()
    optimizer.step()


def _twice(discriminator, generator, optimizer, real, noise):
    half = len(real) // 2
    discriminator_step(discriminator, generator, optimizer, real[:half], noise[:half])
    discriminator_step(discriminator, generator, optimizer, real[half:], noise[half:])


def _plain_descent(network: nn.Module, lr: float) -> torch.optim.SGD:
    return torch.optim.SGD(network.parameters(), lr=lr)


def _nothing(*anything: Any) -> None:
    return None


WRONG = (
    Mistake(
        "one_noise_for_ever",
        _loop(noise=_same_noise()),
        "All rounds used one and the same noise, so the generator is trained at a handful of "
        "points. Draw inside the loop.",
    ),
    Mistake(
        "noise_not_normal",
        _loop(noise=lambda b, d, rng, k: torch.rand(b, d, generator=rng)),
        "Your noise does not look standard normal (rand is uniform, randn is normal).",
    ),
    Mistake(
        "one_batch_for_ever",
        _loop(rows=lambda data, b, rng, k: data[:b]),
        "The discriminator saw the same rows of the data in every round. Draw inside the loop.",
    ),
    Mistake(
        "data_in_order",
        _loop(rows=lambda data, b, rng, k: data[torch.arange(k * b, (k + 1) * b) % len(data)]),
        "The rows of the data come in their own order; draw them at random.",
    ),
    Mistake(
        "another_batch_size",
        _loop(move_discriminator=_twice),
        "The discriminator saw batches of another size than asked.",
    ),
    Mistake(
        "never_sees_data",
        _loop(rows=lambda data, b, rng, k: data.mean(0) + torch.randn(b, 2, generator=rng)),
        "What the discriminator got as real samples are not rows of the data.",
    ),
    Mistake(
        "too_few_rounds",
        _loop(rounds=lambda steps: steps - 1 if steps > 1 else steps),
        "Fewer rounds were played than asked: count the discriminator's moves.",
    ),
    Mistake(
        "too_many_rounds",
        _loop(rounds=lambda steps: 2 * steps),
        "More rounds were played than asked: one move of each player makes a round.",
    ),
    Mistake(
        "generator_stands_still",
        _loop(move_generator=_cut_generator),
        "The generator's weights are where they were: nothing reaches them. Is the graph cut in "
        "its own step, or does its optimizer hold another network?",
    ),
    Mistake(
        "discriminator_stands_still",
        _loop(move_discriminator=lambda D, G, optimizer, real, z: D(real)),
        "The discriminator's weights are where they were: it never learns to tell.",
    ),
    Mistake(
        "discriminator_turned",
        _loop(move_discriminator=_turned_discriminator),
        "After one round the discriminator scores fakes higher and reals lower than before: the "
        "labels are exchanged.",
    ),
    Mistake(
        "generator_turned",
        _loop(move_generator=_turned_generator),
        "After one round the generator's samples look less real to the discriminator: its loss "
        "has the wrong sign.",
    ),
    Mistake(
        "not_adam",
        _loop(adam=_plain_descent),
        "The first move of the players is not the one that Adam makes with this lr: every weight "
        "moves by lr, whatever the size of its gradient.",
    ),
    Mistake(
        "another_learning_rate",
        _loop(adam=lambda network, lr: _adam(network, 1e-3)),
        "Your players move like Adam's, but by another lr than the one that was given.",
    ),
    Mistake(
        "optimizer_made_anew",
        _loop(renew=True),
        "Adam forgets everything in every round: the optimizers are made inside the loop.",
    ),
    Mistake(
        "not_from_rng",
        _loop(noise=lambda b, d, rng, k: torch.randn(b, d)),
        "The same rng gave two different games: some randomness does not come from it.",
    ),
    Mistake(
        "seeds_itself",
        _loop(noise=_fresh_seed),
        "Another rng gave the same noise: something is seeded inside.",
    ),
    Mistake(
        "returns_the_untrained",
        _loop(answer=lambda trained, opponent, before: before),
        "What you return does not generate as the trained network does: is it a copy from before?",
    ),
    Mistake(
        "modes_missing",
        _loop(rounds=lambda steps: min(steps, 40)),
        "Trained by your loop, the generator misses modes of the data, or scatters its samples "
        "between them.",
    ),
    Mistake("returns_nothing", _loop(answer=_nothing)),
    Mistake(
        "accepts_nothing_to_do",
        _loop(guarded=False),
        "No data, no steps, or empty batches were accepted; the generator would come back "
        "untrained without a word. Raise a ValueError.",
    ),
)
