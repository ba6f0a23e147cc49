"""Precision, recall, and the nearest samples of another set."""

from __future__ import annotations

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from mdcv.fidelity import in_manifold, manifolds, nearest_references, precision_and_recall
from mdcv.seeds import generator


def features(n: int, dim: int = 3, *, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(n, dim, generator=generator(seed), dtype=torch.float64).to(dtype)


def modes(chosen: list[int], n: int = 300, seed: int = 0) -> torch.Tensor:
    """Narrow heaps on the corners of a square."""
    corners = torch.tensor([[5.0, 5], [5, -5], [-5, 5], [-5, -5]]).double()
    return corners[chosen].repeat(n // len(chosen), 1) + 0.3 * features(n, 2, seed=seed)


def test_balls_by_hand():
    """Nearest others are 2, 1 and 1 away: the balls are [-2, 2], [1, 3] and [2, 4]."""
    references = torch.tensor([[0.0], [2.0], [3.0]])
    queries = torch.tensor([[-2.5], [-2.0], [3.5], [4.0], [4.5]])
    assert in_manifold(queries, references, k=1).tolist() == [False, True, True, True, False]


def test_a_generator_that_drops_modes_keeps_its_precision_and_loses_recall():
    found = precision_and_recall(modes([0, 1, 2, 3], seed=1), modes([0, 1], seed=2))
    assert found.precision > 0.9 and abs(found.recall - 0.5) < 0.1


def test_a_generator_that_adds_noise_loses_precision_and_keeps_recall():
    noisy = torch.cat([modes([0, 1, 2, 3], 200, seed=2), 40 + 9 * features(100, 2, seed=3)])
    found = precision_and_recall(modes([0, 1, 2, 3], seed=1), noisy)
    assert abs(found.precision - 2 / 3) < 0.1 and found.recall > 0.9


def test_exchanging_the_sets_exchanges_the_two():
    real, fake = features(40, seed=1), 0.6 * features(30, seed=2)
    there, back = precision_and_recall(real, fake), precision_and_recall(fake, real)
    assert there == back[::-1] and there.precision != there.recall


def test_a_set_against_itself_is_perfect_and_against_a_far_one_hopeless():
    x = features(20)
    assert precision_and_recall(x, x.flip(0)) == (1.0, 1.0)
    assert precision_and_recall(x, x + 1e3) == (0.0, 0.0)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_agrees_with_scikit_learn(k, device):
    queries, references = features(60, seed=1), 0.7 * features(45, seed=2)
    finder = NearestNeighbors(n_neighbors=k + 1).fit(references.numpy())
    radii = finder.kneighbors(references.numpy())[0][:, k]
    distances = torch.cdist(queries, references)
    expected = (distances <= torch.from_numpy(radii)).any(dim=1)
    assert torch.equal(in_manifold(queries.to(device), references.to(device), k=k).cpu(), expected)
    assert 0 < expected.sum() < len(queries)


@pytest.mark.parametrize("k", [1, 4])
def test_the_nearest_agree_with_scikit_learn(k, device):
    queries, references = features(30, seed=1), features(50, seed=2)
    finder = NearestNeighbors(n_neighbors=k).fit(references.numpy())
    distances, indices = finder.kneighbors(queries.numpy())
    found = nearest_references(queries.to(device), references.to(device), k=k)
    torch.testing.assert_close(found.distances.cpu(), torch.from_numpy(distances))
    assert torch.equal(found.indices.cpu(), torch.from_numpy(indices))


def test_a_copy_is_found_at_distance_zero_even_far_from_the_origin():
    references = features(20, dtype=torch.float32) + 1e4
    found = nearest_references(references[[7, 3]], references)
    assert found.indices.flatten().tolist() == [7, 3] and not found.distances.any()
    assert found.distances.dtype == torch.float32


def test_pieces_give_what_the_whole_gives(monkeypatch):
    queries, references = features(31, seed=1), features(17, seed=2)
    whole = in_manifold(queries, references), nearest_references(queries, references, k=2)
    monkeypatch.setattr(manifolds, "ENTRIES", 40)
    assert torch.equal(in_manifold(queries, references), whole[0])
    assert torch.equal(nearest_references(queries, references, k=2).indices, whole[1].indices)


def test_inputs_stay_as_they_are():
    real, fake = features(9, seed=1), features(8, seed=2)
    before = real.clone(), fake.clone()
    precision_and_recall(real, fake)
    nearest_references(real, fake)
    assert torch.equal(real, before[0]) and torch.equal(fake, before[1])


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: precision_and_recall(x[:3], x), "real_features .* N >= 4 .* 3-th neighbor"),
        (lambda x: precision_and_recall(x, x[:, :2]), "axis D should be 3"),
        (lambda x: precision_and_recall(x, x, k=0), "k is 0"),
        (lambda x: precision_and_recall(x / 0, x), "real_features holds NaN"),
        (lambda x: precision_and_recall(x, x.float()), "fake_features has dtype"),
        (lambda x: in_manifold(x, x, k=9), "k is 9; expected an integer from 1 to 8"),
        (lambda x: in_manifold(x, x[:, 0]), r"references has shape \(9,\)"),
        (lambda x: nearest_references(x, x, k=10), "k is 10; expected an integer from 1 to 9"),
        (lambda x: nearest_references(x, x[:0]), r"references has shape \(0, 3\)"),
        (lambda x: nearest_references([1.0], x), "queries is list"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(features(9))
