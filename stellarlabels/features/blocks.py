"""Whole blocks of rows, so that what is computed of a star does not depend on which others are computed with it.

Libraries of matrix products and of vector instructions treat the last rows of an array, which do not fill a register or
a tile, in another way than the others, and round differently there. In an array of whole blocks there are no such rows.
"""

import numpy as np

__all__ = ["BLOCK", "whole"]

#: Rows of a block: a multiple of the tiles and registers of all processors.
BLOCK = 64

#: Blocks that there may be beyond a multiple of the last number: few, since networks are compiled for each.
_BLOCKS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def whole(rows):
    """Row numbers, of which the last one is repeated until they make whole blocks.

    Parameters
    ----------
    rows : `~numpy.ndarray` of int, shape (N,)

    Returns
    -------
    `~numpy.ndarray` of int, shape (M,)
        M is a multiple of `BLOCK`, at most N / 2 + `BLOCK` more than N, and 0 if N is. The first N are ``rows``.
    """
    rest = len(rows) % (BLOCK * _BLOCKS[-1])
    missing = next(BLOCK * count for count in _BLOCKS if BLOCK * count >= rest) - rest
    return np.pad(rows, (0, missing), mode="edge") if missing else rows
