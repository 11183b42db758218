"""Whole blocks of rows, so that what is computed of a star does not depend on which others are computed with it.

Libraries of matrix products and of vector instructions treat the last rows of an array, which do not fill a register or
a tile, in another way than the others, and round differently there. In an array of whole blocks there are no such rows.
"""

import numpy as np

from stellarlabels.threads import one_thread

__all__ = ["BLOCK", "product", "whole"]

#: Rows of a block: a multiple of the tiles and registers of all processors.
BLOCK = 64

#: Blocks that there may be beyond a multiple of the last number: few, since networks are compiled for each.
_BLOCKS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def whole(rows):
    """Row numbers (N,) with the last one repeated until they make whole blocks: (M,), a multiple of `BLOCK`."""
    rest = len(rows) % (BLOCK * _BLOCKS[-1])
    missing = next(BLOCK * count for count in _BLOCKS if BLOCK * count >= rest) - rest
    return np.pad(rows, (0, missing), mode="edge") if missing else rows


def product(left, right):
    """Product of the matrices ``left``, with a row for each star, and ``right``, in one thread.

    Threads would share the rows in parts that are no whole blocks.

    Parameters
    ----------
    left : `~numpy.ndarray`, shape (N, K)
    right : `~numpy.ndarray`, shape (K, M)

    Returns
    -------
    `~numpy.ndarray`, shape (N, M)
        Each row has the same bits whatever the others are.
    """
    missing = -len(left) % BLOCK
    rows = np.pad(left, ((0, missing), (0, 0))) if missing else left
    with one_thread():
        return (rows @ right)[: len(left)]
