import pytest
import torch

from mdcv.kernels.arithmetic import (
    TABLE_ENTRIES,
    refuse_infinite,
    rows_at_a_time,
    squared_distances,
    widened,
)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("bad", [[torch.nan], [torch.inf], [-torch.inf], [torch.inf, -torch.inf]])
def test_one_entry_that_is_no_number_is_refused_wherever_it_stands(dtype, bad):
    value = torch.ones(3, 40, dtype=dtype)
    refuse_infinite("value", value)
    value[1, 30 : 30 + len(bad)] = torch.tensor(bad, dtype=dtype)
    with pytest.raises(ValueError, match=f"value holds NaN or infinity .{len(bad)} of 120"):
        refuse_infinite("value", value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_whose_sum_is_too_large_and_no_numbers_at_all_pass(dtype):
    refuse_infinite("value", torch.full((5, 7), torch.finfo(dtype).max, dtype=dtype))
    refuse_infinite("value", torch.zeros(0, 3, dtype=dtype))


def test_squared_distances_of_a_pythagorean_triangle():
    x = torch.tensor([[[0.0, 0.0], [1.0, 1.0]]])
    y = torch.tensor([[[3.0, 4.0]]])
    torch.testing.assert_close(squared_distances(x, y), torch.tensor([[[25.0], [13.0]]]))


def test_points_far_from_the_origin_keep_every_digit_of_their_distance():
    x = torch.tensor([[[1e4, -1e4]]])
    y = x + torch.tensor([2.0**-9, 2.0**-9])
    assert squared_distances(x, y).item() == 2 * 2.0**-18


def test_points_without_coordinates_coincide():
    assert squared_distances(torch.zeros(1, 2, 0), torch.zeros(1, 3, 0)).equal(torch.zeros(1, 2, 3))


def test_half_precisions_are_widened_and_no_other():
    for dtype in (torch.float16, torch.bfloat16):
        assert widened(torch.zeros(1, dtype=dtype)).dtype == torch.float32
    for dtype in (torch.float32, torch.float64):
        assert widened(torch.zeros(1, dtype=dtype)).dtype == dtype


def test_a_table_of_rows_fits_the_memory_set_aside_and_has_a_row_at_least():
    for batch, columns in ((1, 1), (3, 1000), (1, 10 * TABLE_ENTRIES), (0, 0)):
        rows = rows_at_a_time(batch, columns)
        assert rows >= 1
        assert rows == 1 or batch * rows * columns <= TABLE_ENTRIES
