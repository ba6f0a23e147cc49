"""The kernel inception distance."""

from __future__ import annotations

import itertools

import pytest
import torch

from mdcv.fidelity import cubic_kernel, kernel_distance, kid, kid_of_subsets
from mdcv.seeds import generator


def features(n: int, dim: int = 3, *, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(n, dim, generator=generator(seed), dtype=torch.float64).cumsum(1).to(dtype)


def by_definition(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    def k(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def mean(pairs):
        return torch.stack([k(x, y) for x, y in pairs]).mean()

    real_pairs, fake_pairs = (itertools.permutations(s, 2) for s in (real, fake))
    return mean(real_pairs) + mean(fake_pairs) - 2 * mean(itertools.product(real, fake))


def test_agrees_with_the_definition_pair_by_pair(device):
    real, fake = features(7, seed=1).to(device), features(5, seed=2).to(device)
    torch.testing.assert_close(kid(real, fake), by_definition(real, fake))
    torch.testing.assert_close(kid(real, fake), kid(fake, real))


def test_agrees_with_torchmetrics():
    peer = pytest.importorskip("torchmetrics.image.kid", reason="torchmetrics is not installed")
    real, fake = features(60, 8, seed=1), features(60, 8, seed=2) + 0.5
    torch.testing.assert_close(kid(real, fake), peer.poly_mmd(real, fake))


def test_the_kernel_is_a_product_of_triples():
    """(x·y/D + 1)³ is the scalar product of all products of up to three entries."""
    x, y = features(4, 2, seed=1), features(5, 2, seed=2)
    root = 2**-0.5

    def triples(z):
        ones = torch.ones(len(z), 1, dtype=z.dtype)
        padded = torch.cat([z * root, ones], dim=1)
        return torch.einsum("na,nb,nc->nabc", padded, padded, padded).flatten(1)

    torch.testing.assert_close(cubic_kernel(x, y), triples(x) @ triples(y).T)


def test_the_mean_over_many_small_sets_is_the_distance_of_the_populations():
    """Two finite populations, drawn from with replacement: the true distance is a finite sum."""
    real, fake = features(6, seed=1), features(6, seed=2) + 0.3
    truth = (
        cubic_kernel(real, real).mean()
        + cubic_kernel(fake, fake).mean()
        - 2 * cubic_kernel(real, fake).mean()
    )
    draw = generator(3)
    values = torch.stack(
        [
            kid(*(s[torch.randint(6, (4,), generator=draw)] for s in (real, fake)))
            for _ in range(2000)
        ]
    )
    z = (values.mean() - truth) / (values.std() / len(values) ** 0.5)
    assert z.abs() < 4
    assert values.min() < 0


def test_rows_taken_a_few_at_a_time_give_the_same_sum(monkeypatch):
    x, y = features(9, seed=1), features(8, seed=2)
    monkeypatch.setattr(kernel_distance, "ENTRIES", 20)
    torch.testing.assert_close(kernel_distance._kernel_sum(x, y), cubic_kernel(x, y).sum())


def test_gradient_is_exact():
    leaves = [features(4, seed=1).requires_grad_(), features(3, seed=2).requires_grad_()]
    assert torch.autograd.gradcheck(kid, leaves)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_follows_the_inputs_and_the_work_is_done_in_float64(dtype):
    real, fake = features(9, seed=1, dtype=dtype), features(8, seed=2, dtype=dtype)
    found = kid(real, fake)
    assert found.dtype == dtype
    assert found == kid(real.double(), fake.double()).to(dtype)


def test_subsets_are_drawn_without_replacement_and_repeat_with_their_seed():
    real, fake = features(12, seed=1), features(9, seed=2)
    whole = kid_of_subsets(real, fake[:9], subsets=3, size=9, generator=generator(1))
    assert whole.shape == (3,) and whole.std() > 0
    everything = kid_of_subsets(real[:9], fake, subsets=3, size=9, generator=generator(1))
    torch.testing.assert_close(everything, kid(real[:9], fake).expand(3))
    again = kid_of_subsets(real, fake, subsets=3, size=9, generator=generator(1))
    assert torch.equal(whole, again)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (features(1), features(9), r"real_features has shape \(1, 3\); expected .* N >= 2"),
        (features(9), features(1), "fake_features has shape"),
        (features(9)[:, :0], features(9)[:, :0], "D >= 1"),
        (features(9), features(9, 4), "axis D should be 3 as in real_features, not 4"),
        (features(9)[0], features(9), r"real_features has shape \(3,\)"),
        (features(9), features(9).float(), "fake_features has dtype torch.float32"),
        (features(9).log(), features(9), "real_features holds NaN"),
        (features(9), features(9) / 0, "fake_features holds NaN or infinity"),
        (None, features(9), "real_features is NoneType"),
    ],
)
def test_bad_input_is_refused(real, fake, words):
    with pytest.raises(ValueError, match=words):
        kid(real, fake)


def test_subsets_that_do_not_fit_are_refused():
    real, fake = features(12), features(9)
    for options, words in [
        ({"size": 10}, "size is 10; expected an integer from 2 to 9"),
        ({"size": 1}, "size is 1"),
        ({"size": 5, "subsets": 0}, "subsets is 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            kid_of_subsets(real, fake, **options)
