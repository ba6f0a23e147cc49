"""What every pixel model promises: causality, a density that sums to one, samples that obey it."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare
from torch import nn
from worlds import all_images, earlier, models

from mdcv.autoregressive import PixelModel, dependence
from mdcv.seeds import generator

KINDS = ["gated", "plain", "rnn"]


class Leaky(PixelModel):
    """Its first layer uses no mask: every pixel is told its own value."""

    def __init__(self) -> None:
        super().__init__(1, 2)
        self.layer = nn.Conv2d(1, 2, 1).double()

    def forward(self, images):
        return self.layer(images)[:, :, None]


@pytest.mark.parametrize("kind", KINDS)
def test_the_probabilities_of_all_binary_images_add_up_to_one(kind):
    with torch.no_grad():
        p = models()[kind].log_prob(all_images(1, 3, 3)).exp()
    assert len(p) == 512 and p.std() > 1e-4
    torch.testing.assert_close(p.sum(), torch.tensor(1.0, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_they_do_with_three_colors_and_with_more_levels(kind):
    for colors, height, width, levels in ((3, 2, 2, 2), (1, 2, 3, 4), (2, 1, 3, 3)):
        with torch.no_grad():
            x = all_images(colors, height, width, levels)
            p = models(colors, levels)[kind].log_prob(x).exp()
        torch.testing.assert_close(p.sum(), torch.tensor(1.0, dtype=torch.float64))


def test_a_model_that_peeks_assigns_more_than_one():
    torch.manual_seed(0)
    with torch.no_grad():
        leaky = Leaky()
        leaky.layer.weight.copy_(torch.tensor([-9.0, 9.0]).view(2, 1, 1, 1))
        leaky.layer.bias.copy_(torch.tensor([4.5, -4.5]))
        p = leaky.log_prob(all_images(1, 3, 3)).exp()
    assert p.sum() > 400


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_no_entry_sees_itself_or_a_later_one(kind, colors):
    images = torch.rand(3, colors, 4, 3, generator=generator(1), dtype=torch.float64)
    seen = dependence(models(colors)[kind], images)
    assert not (seen & ~earlier(12 * colors)).any()
    assert seen.sum() > 0.5 * earlier(12 * colors).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_samples_come_as_often_as_the_density_says(kind):
    model = models(seed=3)[kind]
    with torch.no_grad():
        p = model.log_prob(all_images(1, 2, 3)).exp()
    drawn = model.sample(6000, 2, 3, generator=generator(5))
    place = 2 ** torch.arange(5, -1, -1)
    counts = torch.bincount((drawn.flatten(1).long() * place).sum(1), minlength=64)
    assert chisquare(counts.numpy(), 6000 * (p / p.sum()).numpy()).pvalue > 1e-3


def test_colors_and_levels_are_drawn_as_often_as_the_density_says():
    model = models(2, 3, seed=4)["gated"]
    with torch.no_grad():
        p = model.log_prob(all_images(2, 1, 2, 3)).exp()
    drawn = model.sample(6000, 1, 2, generator=generator(6))
    place = 3 ** torch.arange(3, -1, -1)
    counts = torch.bincount(((2 * drawn).round().flatten(1).long() * place).sum(1), minlength=81)
    assert chisquare(counts.numpy(), 6000 * (p / p.sum()).numpy()).pvalue > 1e-3


def test_a_completion_keeps_the_first_rows_and_draws_the_rest_given_them():
    model = models(seed=3)["gated"]
    x = all_images(1, 2, 2)[[9]].expand(4000, 1, 2, 2)
    before = x.clone()
    drawn = model.complete(x, 1, generator=generator(7))
    assert torch.equal(drawn[:, :, 0], before[:, :, 0]) and torch.equal(x, before)
    with torch.no_grad():
        joint = model.log_prob(all_images(1, 2, 2)).exp()
    same_top = joint.view(4, 4)[2]  # the image 1 0 / 0 1 has the top row 1 0
    counts = torch.bincount((2 * drawn[:, 0, 1, 0] + drawn[:, 0, 1, 1]).long(), minlength=4)
    assert chisquare(counts.numpy(), 4000 * (same_top / same_top.sum()).numpy()).pvalue > 1e-3


def test_what_lies_below_the_kept_rows_does_not_matter():
    model = models(seed=3)["gated"]
    x = torch.rand(5, 1, 3, 3, generator=generator(1), dtype=torch.float64).round()
    y = x.clone()
    y[:, :, 1:] = 0.37
    first, second = (model.complete(z, 1, generator=generator(8)) for z in (x, y))
    assert torch.equal(first, second)


def test_training_takes_one_pass_and_sampling_one_per_entry():
    model = models(2, seed=1)["gated"]
    passes = []
    model.register_forward_hook(lambda *_: passes.append(1))
    model.log_prob(torch.zeros(7, 2, 3, 4, dtype=torch.float64))
    assert len(passes) == 1
    model.sample(7, 3, 4, generator=generator(0))
    assert len(passes) == 1 + 2 * 3 * 4


def test_sampling_repeats_itself_and_leaves_global_randomness_alone(device):
    model = models(seed=2)["gated"].to(device)
    state = torch.get_rng_state()
    a, b = (model.sample(9, 3, 3, generator=generator(4, device)) for _ in range(2))
    assert torch.equal(a, b) and a.device.type == device and a.dtype == torch.float64
    assert torch.equal(torch.get_rng_state(), state) or device != "cpu"
    assert not torch.equal(a, model.sample(9, 3, 3, generator=generator(5, device)))
    assert model.sample(0, 3, 3).shape == (0, 1, 3, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_learning_approaches_the_entropy_and_does_not_pass_it(kind):
    """Stripes: two images of nine pixels, so the best code has one bit."""
    stripes = torch.tensor([[[1.0, 0, 1]] * 3, [[0.0, 1, 0]] * 3], dtype=torch.float64)[:, None]
    model = models(seed=1)[kind]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        loss = -model.log_prob(stripes).mean()
        loss.backward()
        optimizer.step()
    entropy = torch.tensor(2.0).log().item()
    assert entropy - 1e-9 <= loss.item() < 1.1 * entropy


@pytest.mark.usefixtures("at_the_door")
def test_bad_input_is_refused():
    model = models()["gated"]
    x = torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    for call, words in [
        (lambda: model.log_prob(x + 0.5), "images holds 0.5; expected one of the 2 values"),
        (lambda: model.log_prob(x.expand(2, 3, 3, 3)), "axis C should be 1, not 3"),
        (lambda: model.log_prob(x[0]), r"images has shape \(1, 3, 3\)"),
        (lambda: model.sample(-1, 3, 3), "n is -1"),
        (lambda: model.sample(1, 0, 3), "height is 0"),
        (lambda: model.sample(1, 3, 2.5), "width is 2.5"),
        (lambda: model.complete(x, 4), "rows is 4; expected an integer from 0 to 3"),
        (lambda: PixelModel(1, 1), "levels is 1"),
        (lambda: PixelModel(0, 2), "colors is 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(NotImplementedError, match="PixelModel does not say"):
        PixelModel(1, 2)(x)
