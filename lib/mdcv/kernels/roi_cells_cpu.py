"""How regions are pooled on the CPU: a block of channels of one image at a time.

The innermost loops run over channels, which is what becomes vector instructions. So a task takes
an image and a block of its channels, and holds them as cells (H, W, block). They are fetched from
the image, or written back to it, a run of 16 at a time and only where a region touches them: few
regions on a large map stay cheap. A task goes through its regions in order, and no two tasks share
a number: the sums come out the same for any number of threads.

numba's cache on disk watches only the file that a kernel stands in. After an edit here, delete
`__pycache__/roi_*.nb?` beside this file.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.threads import over_ranges

#: Channels of a task: halved from the most, down to the fewest, until every thread has a task and
#: its cells fit the cache that cores share.
MOST_CHANNELS, FEWEST_CHANNELS = 128, 32
MOST_CELLS = 1 << 22

#: Cells of a row that are fetched together: a cache line of float32.
RUN = 16

#: Elementary operations a bin of one channel takes, roughly.
OPERATIONS_PER_BIN = 10


def over_tasks(kernel, size, bins: int, rois: Tensor, *arguments) -> None:
    """Calls kernel(*arguments, rois, order, starts, block, low, high) for ranges of tasks.

    Task t is image t // blocks and block t % blocks of its channels.
    """
    images, channels, height, width = size
    block = MOST_CHANNELS
    while block > FEWEST_CHANNELS and (
        images * -(-channels // block) < torch.get_num_threads()
        or height * width * block > MOST_CELLS
    ):
        block //= 2
    tasks = images * -(-channels // block)
    regions = rois.contiguous().numpy()
    given = *arguments, regions, *regions_by_image(regions, images), block
    over_ranges(
        lambda low, high: kernel(*given, low, high),
        tasks if bins else 0,
        operations=OPERATIONS_PER_BIN * bins,
    )


def regions_by_image(rois: np.ndarray, images: int) -> tuple[np.ndarray, np.ndarray]:
    """The regions of image n, in order: order[starts[n] : starts[n + 1]].

    >>> regions_by_image(np.array([[1.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]]), 2)
    (array([1, 0, 2]), array([0, 1, 3]))
    """
    order = np.argsort(rois[:, 0], kind="stable")
    return order, np.searchsorted(rois[order, 0], np.arange(images + 1))


@njit(nogil=True, cache=True)
def room_for_cells(rows, columns, block, like):
    """Cells (H, W, block) of the dtype of `like`, and which runs of them are filled."""
    cells = np.empty((rows, columns, block), like.dtype)
    return cells, np.empty((rows, (columns + RUN - 1) // RUN), np.bool_)


@njit(nogil=True, cache=True)
def fetch(input, image, first, depth, y, run_first, run_last, fetched, cells):
    """Copies the runs of row y that are not there yet from the image to the cells."""
    for run in range(run_first, run_last + 1):
        if not fetched[y, run]:
            fetched[y, run] = True
            for c in range(depth):
                for x in range(run * RUN, min(cells.shape[1], run * RUN + RUN)):
                    cells[y, x, c] = input[image, first + c, y, x]


@njit(nogil=True, cache=True)
def clear(depth, y, run_first, run_last, fetched, cells):
    """Sets the runs of row y that were not touched yet to zero."""
    for run in range(run_first, run_last + 1):
        if not fetched[y, run]:
            fetched[y, run] = True
            cells[y, run * RUN : run * RUN + RUN, :depth] = 0


@njit(nogil=True, cache=True)
def write_back(cells, fetched, depth, to_input, image, first):
    """Copies the runs that were filled to the image."""
    columns = cells.shape[1]
    for y in range(cells.shape[0]):
        for run in range(fetched.shape[1]):
            if fetched[y, run]:
                for c in range(depth):
                    for x in range(run * RUN, min(columns, run * RUN + RUN)):
                        to_input[image, first + c, y, x] = cells[y, x, c]
