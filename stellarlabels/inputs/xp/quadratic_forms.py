"""Variances of linear functions of XP coefficients: quadratic forms of packed covariances, many at once.

The variance of a function ``v @ c`` is linear in the products of errors and correlations ``R_ij e_i e_j`` of the
coefficients, so that for all functions and stars it is one product of matrices.
"""

import numpy as np

__all__ = ["QuadraticForms"]

#: Stars whose products of errors and correlations fit into the cache of a processor, and those in one product of
#: matrices, which takes longer for fewer.
TILE, BLOCK = 64, 256

#: Singular values, relative to the largest, that single precision keeps.
SINGLE = 3e-7


class QuadraticForms:
    """Variances of functions ``c @ vectors.T`` of coefficients with errors and correlations.

    Parameters
    ----------
    vectors : `~numpy.ndarray`, shape (M, n)
        The functions.
    single : bool
        Whether to compute in single precision, with the largest singular values of the map only: up to four times as
        fast, and right to a relative 2e-5 where double precision is right to 1e-12.
    """

    def __init__(self, vectors, single=False):
        size = vectors.shape[1]
        self._rows, self._columns = np.tril_indices(size, -1)
        squares = vectors.T**2
        weights = np.concatenate([2 * vectors[:, self._rows].T * vectors[:, self._columns].T, squares])
        self._scale = np.sqrt((weights**2).sum(axis=0))
        self._scale[self._scale == 0] = 1.0
        self._block = BLOCK if len(vectors) > TILE else TILE
        self._squares = np.ascontiguousarray(squares)
        weights /= self._scale
        self._maps = [np.ascontiguousarray(weights)]
        self._dtype = np.dtype(np.float32 if single else np.float64)
        if single and weights.size:
            left, singular, right = np.linalg.svd(weights, full_matrices=False)
            kept = max(int((singular > SINGLE * singular[0]).sum()), 1)
            self._maps = [left[:, :kept], singular[:kept, None] * right[:kept]]
        self._maps = [np.ascontiguousarray(array, dtype=self._dtype) for array in self._maps]

    def __call__(self, errors, correlations=None, out=None):
        """Variances.

        Parameters
        ----------
        errors : `~numpy.ndarray` of float, shape (N, n)
            Standard errors of the coefficients.
        correlations : `~numpy.ndarray` of float, shape (N, n (n - 1) / 2), optional
            Elements above the diagonal column by column, which is the triangle below it row by row; the coefficients
            are independent without them.
        out : `~numpy.ndarray` of float64, shape (N, M), optional
            Where to write the variances; a new array without it.

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, M)
            NaN where an error or a correlation is NaN.
        """
        if out is None:
            out = np.empty((len(errors), self._maps[-1].shape[1]))
        if correlations is None:
            return np.matmul(np.square(errors, dtype=np.float64), self._squares, out=out)
        if not out.size:
            return out
        products = np.empty((min(self._block, len(errors)), len(self._maps[0])), self._dtype)
        factors = np.empty((2, min(TILE, len(errors)), self._rows.size), self._dtype)
        for start in range(0, len(errors), self._block):
            part = slice(start, start + self._block)
            block = products[: len(errors[part])]
            for first in range(0, len(block), TILE):
                tile = slice(start + first, min(start + first + TILE, part.stop))
                self._multiply(errors[tile], correlations[tile], block[first : first + TILE], factors)
            found = block
            for one in self._maps:
                found = found @ one
            np.multiply(found, self._scale, out=out[part])
        return out

    def _multiply(self, errors, correlations, out, factors):
        """Write products of errors and correlations, and squares of errors; ``factors`` is room for two of each."""
        count = self._rows.size
        own = np.asarray(errors, dtype=self._dtype)
        one, other = factors[:, : len(own)]
        np.take(own, self._rows, axis=1, out=one, mode="clip")  # the mode without a copy of what it writes to
        np.take(own, self._columns, axis=1, out=other, mode="clip")
        np.multiply(one, other, out=one)
        np.multiply(correlations, one, out=out[:, :count], casting="same_kind")
        np.multiply(own, own, out=out[:, count:])
