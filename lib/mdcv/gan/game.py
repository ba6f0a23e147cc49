"""The whole game: k moves of the opponent, one of the generator, again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from mdcv.errors import check_integer, check_option
from mdcv.gan.adversarial import generator_loss
from mdcv.gan.critic import critic_generator_loss
from mdcv.gan.steps import critic_step, discriminator_step, generator_step
from mdcv.train import train

Kind = Literal["gan", "wgan", "wgan-gp"]
KINDS: tuple[Kind, ...] = ("gan", "wgan", "wgan-gp")

#: Draws that many real samples from the random generator it is given.
DrawReal = Callable[[int, torch.Generator], Tensor]


@dataclass(frozen=True)
class Rules:
    """How a game is played.

    Attributes:
        kind: "gan" has a discriminator; "wgan" a critic whose weights are clipped; "wgan-gp" a
            critic with gradient penalty.
        opponent_steps: k, moves of the opponent for one of the generator.
        batch: real samples, and as many generated ones, in every move.
        learning_rate: of both players.
        betas: of Adam. "wgan" has RMSprop instead, as its authors advise against momentum.
        saturating: the generator's loss in a "gan".
        penalty_weight: λ of "wgan-gp".
        clip: bound of the critic's weights in "wgan".
    """

    kind: Kind = "gan"
    opponent_steps: int = 1
    batch: int = 256
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)
    saturating: bool = False
    penalty_weight: float = 10.0
    clip: float = 0.1

    def __post_init__(self) -> None:
        check_option("kind", self.kind, KINDS)
        check_integer("opponent_steps", self.opponent_steps, low=1)
        check_integer("batch", self.batch, low=1)


class Game:
    """Two players with their optimizers; `step` is one round, as `mdcv.train.train` asks for it.

    Args:
        generator: makes samples from noise, and draws it: `noise(n, *, generator)`, as
            `PointGenerator` does.
        opponent: one number per sample: logits in a "gan", else scores.
        draw_real: draws real samples from the random generator it is given.
        rules: how the game is played.

    >>> from mdcv.data import ring_mixture
    >>> from mdcv.gan import PointDiscriminator, PointGenerator
    >>> ring = ring_mixture()
    >>> draw_real = lambda n, rng: ring.sample(n, generator=rng)
    >>> game = Game(PointGenerator(), PointDiscriminator(), draw_real)
    >>> sorted(game.step(0, torch.Generator()))
    ['generator', 'opponent']
    """

    def __init__(
        self,
        generator: nn.Module,
        opponent: nn.Module,
        draw_real: DrawReal,
        rules: Rules | None = None,
    ) -> None:
        self.generator, self.opponent, self.draw_real = generator, opponent, draw_real
        self.rules = rules or Rules()
        self.generator_optimizer = self._optimizer(generator)
        self.opponent_optimizer = self._optimizer(opponent)

    def _optimizer(self, player: nn.Module) -> torch.optim.Optimizer:
        rate = self.rules.learning_rate
        if self.rules.kind == "wgan":
            return torch.optim.RMSprop(player.parameters(), lr=rate)
        return torch.optim.Adam(player.parameters(), lr=rate, betas=self.rules.betas)

    @property
    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """Everything that changes during the game, for a checkpoint."""
        return {
            "generator": self.generator,
            "opponent": self.opponent,
            "generator optimizer": self.generator_optimizer,
            "opponent optimizer": self.opponent_optimizer,
        }

    def step(self, k: int, rng: torch.Generator) -> dict[str, Tensor]:
        """The losses of the last opponent move and of the generator's move of one round.

        Every move draws its own real samples and its own noise.
        """
        for _ in range(self.rules.opponent_steps):
            opponent_loss = self._move_opponent(rng)
        value = generator_step(
            self.generator,
            self.opponent,
            self.generator_optimizer,
            self.generator.noise(self.rules.batch, generator=rng),
            loss=self._generator_loss,
        )
        return {"opponent": opponent_loss, "generator": value}

    def _move_opponent(self, rng: torch.Generator) -> Tensor:
        batch, kind = self.rules.batch, self.rules.kind
        real = self.draw_real(batch, rng)
        noise = self.generator.noise(batch, generator=rng)
        players = self.opponent, self.generator, self.opponent_optimizer
        if kind == "gan":
            return discriminator_step(*players, real, noise)
        if kind == "wgan":
            return critic_step(*players, real, noise, clip=self.rules.clip).loss
        alpha = torch.rand(batch, generator=rng, device=rng.device).to(real)
        weight = self.rules.penalty_weight
        return critic_step(*players, real, noise, alpha=alpha, penalty_weight=weight).loss

    def _generator_loss(self, answers: Tensor) -> Tensor:
        if self.rules.kind == "gan":
            return generator_loss(answers, saturating=self.rules.saturating)
        return critic_generator_loss(answers)


def train_game(
    game: Game,
    steps: int,
    *,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> dict[str, Tensor]:
    """The losses of every round, "opponent" and "generator", (steps,) each; the players have moved.

    Args:
        steps: rounds, one generator move each.
        seed: of all real samples, noise and α.
        progress: whether to show a line with the newest losses.
        checkpoint: a file to save to, and to go on from.

    Raises:
        ValueError: steps is below 1, or the checkpoint belongs to other networks.
    """
    return train(
        game.step,
        steps,
        seed=seed,
        device=next(iter(game.opponent.parameters())).device,
        progress=progress,
        name=game.rules.kind,
        checkpoint=checkpoint,
        keep=game.parts,
    )
