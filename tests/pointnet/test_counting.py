import math

import pytest
import torch
from scipy import stats

from mdcv.pointnet import DistinctCounter, distinct_count, uniform_hash
from mdcv.seeds import generator

MASK = (1 << 64) - 1


def slow_hash(item: int, seed: int) -> float:
    """SplitMix64 with Python's whole numbers."""

    def mixed(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    golden = 0x9E3779B97F4A7C15
    z = mixed((seed + golden) & MASK)
    z = mixed(((item & MASK) ^ z) + golden & MASK)
    return ((z >> 12) + 0.5) / 2**52


def test_the_hash_agrees_with_whole_numbers(device):
    items = [0, 1, -1, 7, 2**63 - 1, -(2**63), 123456789]
    for seed in (0, 5, 2**31 - 1):
        found = uniform_hash(torch.tensor(items, device=device), seed=seed)
        assert found.tolist() == [slow_hash(item, seed) for item in items]


def test_the_mixing_is_that_of_split_mix():
    # The first outputs of SplitMix64 from state 0 are published with the generator.
    from mdcv.pointnet.counting import _GOLDEN, _mixed

    first = [_mixed(torch.tensor(k) * _GOLDEN).item() & MASK for k in (1, 2, 3)]
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_every_integer_type_gives_the_same_hash(dtype):
    items = torch.arange(100)
    assert uniform_hash(items.to(dtype)).equal(uniform_hash(items))


@pytest.mark.parametrize("items", ["counted", "even", "negative", "drawn"])
def test_hashes_look_uniform_and_unrelated(items):
    n = 20_000
    counted = torch.arange(n)
    drawn = torch.randint(2**62, (n,), generator=generator(0))
    chosen = {"counted": counted, "even": 1 << (counted % 60), "negative": -counted, "drawn": drawn}
    h = uniform_hash(chosen[items].unique(), seed=3)
    assert 0 < h.min() and h.max() < 1
    assert stats.kstest(h.numpy(), "uniform").pvalue > 1e-4
    other = uniform_hash(chosen[items].unique(), seed=4)
    if len(h) > 1000:
        assert abs(torch.corrcoef(torch.stack([h, other]))[0, 1]) < 5 / len(h) ** 0.5
        assert abs(torch.corrcoef(torch.stack([h[1:], h[:-1]]))[0, 1]) < 5 / len(h) ** 0.5


@pytest.mark.parametrize("k", [1, 4, 64])
def test_order_repetition_and_chunks_mean_nothing(k):
    stream = torch.randint(500, (3000,), generator=generator(1))
    whole = distinct_count(stream, k=k)
    assert distinct_count(stream.flip(0), k=k) == whole
    assert distinct_count(stream.unique(), k=k) == whole
    assert distinct_count(stream.split(7), k=k) == whole
    assert distinct_count(iter(stream.view(3, 10, 100)), k=k) == whole


@pytest.mark.parametrize("k", [1, 16])
def test_merging_is_seeing_both_streams(k):
    a, b, both = (DistinctCounter(k, seed=2) for _ in range(3))
    a.add(torch.arange(0, 400)), b.add(torch.arange(300, 900)), both.add(torch.arange(900))
    a.merge(b)
    assert a.estimate() == both.estimate() and a.smallest.equal(both.smallest)


def test_memory_is_constant():
    counter = DistinctCounter(10)
    for chunk in torch.arange(5000).split(100):
        counter.add(chunk)
        assert len(counter.smallest) == 10
        assert counter.smallest.untyped_storage().nbytes() == 80


def test_few_items_are_counted_exactly():
    for n in range(8):
        assert distinct_count(torch.arange(n).repeat(3), k=8) == n
    assert distinct_count(torch.arange(0)) == 0.0
    assert distinct_count([]) == 0.0


def test_the_plain_form_is_one_over_the_smallest_hash():
    items = torch.arange(77)
    assert distinct_count(items) == 1 / uniform_hash(items).min().item()


@pytest.mark.parametrize("k", [16, 64])
def test_mean_and_standard_error_are_as_derived(k):
    n, trials = 1000, 800
    counts = torch.tensor([distinct_count(torch.arange(n), k=k, seed=s) for s in range(trials)])
    error = math.sqrt(n * (n - k + 1) / (k - 2))
    assert abs(counts.mean() - n) < 4 * error / trials**0.5
    # The spread of a spread is near 1 / √(2 trials), more for the long tail of small k.
    assert counts.std() == pytest.approx(error, rel=0.15)


def test_the_smallest_hash_follows_its_law():
    n = 300
    smallest = [uniform_hash(torch.arange(n), seed=s).min().item() for s in range(1500)]
    assert stats.kstest(smallest, "beta", args=(1, n)).pvalue > 1e-3
    inverse = torch.tensor(smallest).reciprocal()
    assert inverse.median().item() == pytest.approx(n / math.log(2), rel=0.15)


def test_refusals():
    for bad in (torch.rand(3), [1, 2], torch.tensor([True])):
        with pytest.raises((ValueError, TypeError), match=r"integers|items"):
            uniform_hash(bad)
    for options in ({"k": 0}, {"k": 2.0}, {"seed": -1}):
        with pytest.raises((ValueError, TypeError), match=r"expected|type"):
            DistinctCounter(**options)
    with pytest.raises(ValueError, match="expected k 3, seed 0"):
        DistinctCounter(3).merge(DistinctCounter(4))
    with pytest.raises(ValueError, match="expected k 3, seed 0"):
        DistinctCounter(3).merge(DistinctCounter(3, seed=1))


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("bad", [torch.rand(3), [1, 2], torch.tensor([True])])
def test_what_is_no_integer_is_refused_at_the_door(bad):
    with pytest.raises(ValueError, match="expected a tensor of integers"):
        uniform_hash(bad)
