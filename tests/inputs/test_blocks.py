"""What is computed of a star must not depend on which others are computed with it."""

import numpy as np
from hypothesis import given, strategies as st

from stellarlabels.inputs.blocks import BLOCK, whole


@given(st.integers(0, 80 * BLOCK), st.integers(0, 10**6))
def test_rows_are_repeated_until_blocks_are_whole(count, first):
    rows = np.arange(first, first + count)
    out = whole(rows)
    assert len(out) % BLOCK == 0 and len(out) - count < count / 2 + BLOCK
    np.testing.assert_array_equal(out[:count], rows)
    assert set(out) == set(rows)


def test_there_are_few_sizes():
    sizes = {len(whole(np.arange(count))) % 4096 for count in range(0, 9000, 7)}
    assert len(sizes) <= 12


def test_products_of_whole_blocks_do_not_depend_on_their_number():
    random = np.random.default_rng(1)
    matrix = random.standard_normal((343, 100)).astype(np.float32)
    rows = random.standard_normal((8 * BLOCK, 343)).astype(np.float32)
    at_once = rows @ matrix
    for size in (BLOCK, 3 * BLOCK, 5 * BLOCK):
        parts = [rows[first : first + size] @ matrix for first in range(0, len(rows), size)]
        np.testing.assert_array_equal(np.concatenate(parts), at_once)
