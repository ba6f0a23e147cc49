import os
import signal
import threading

import pytest
import torch

from mdcv.kernels.threads import SERIAL_BELOW, over_batch, over_ranges


@pytest.fixture
def threads(request):
    """As many threads as the test asks for, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3], indirect=True)
@pytest.mark.parametrize("length", [0, 1, 2, 7, 100])
def test_every_index_is_visited_once(threads, length):
    visits = [0] * length

    def kernel(low: int, high: int) -> None:
        for i in range(low, high):
            visits[i] += 1

    over_ranges(kernel, length, operations=2 * SERIAL_BELOW)
    assert visits == [1] * length


@pytest.mark.parametrize("threads", [2], indirect=True)
def test_little_work_stays_in_the_calling_thread_and_much_does_not(threads):
    seen = set()

    def kernel(low: int, high: int) -> None:
        seen.add(threading.current_thread())

    over_ranges(kernel, 100, operations=SERIAL_BELOW - 1)
    assert seen == {threading.current_thread()}
    seen.clear()
    over_ranges(kernel, 100, operations=SERIAL_BELOW)
    assert threading.current_thread() not in seen


@pytest.mark.parametrize("threads", [2], indirect=True)
def test_an_error_in_a_thread_reaches_the_caller(threads):
    def kernel(low: int, high: int) -> None:
        raise ArithmeticError("in the kernel")

    with pytest.raises(ArithmeticError, match="in the kernel"):
        over_ranges(kernel, 100, operations=SERIAL_BELOW)


@pytest.mark.parametrize("threads", [1, 2, 4], indirect=True)
@pytest.mark.parametrize("batch", [0, 1, 3, 9])
def test_every_set_is_prepared_once_and_searched_over_its_whole_length(threads, batch):
    prepared, searched = [], []

    def prepare(b: int) -> int:
        prepared.append(b)
        return 10 * b

    def search(b: int, tree: int, low: int, high: int) -> None:
        assert tree == 10 * b
        searched.extend((b, i) for i in range(low, high))

    over_batch(prepare, search, batch, 5, operations=100 * SERIAL_BELOW)
    assert sorted(prepared) == list(range(batch))
    assert sorted(searched) == [(b, i) for b in range(batch) for i in range(5)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("threads", [2], indirect=True)
def test_a_forked_child_builds_a_pool_of_its_own(threads):
    over_ranges(lambda low, high: None, 100, operations=SERIAL_BELOW)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a child that waits for its parent's threads waits for ever
        visited = []
        over_ranges(lambda low, high: visited.append(high - low), 100, operations=SERIAL_BELOW)
        os._exit(0 if sum(visited) == 100 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
