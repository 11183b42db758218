"""Covariance matrices packed into their lower triangles, and variances of linear functions without unpacking them.

A matrix C of size n is stored row by row up to its diagonal: ``C[np.tril_indices(n)]``, n (n + 1) / 2 numbers. Gaia's
correlations (above the diagonal, column by column) are the same triangle without its diagonal.
"""

from functools import lru_cache

import numpy as np

from stellarlabels.exceptions import InputError

#: Smallest eigenvalue of a correlation matrix, in units of its largest, that a factor is made with.
SMALLEST = 1e-7

#: Stars whose products of errors and correlations fit into the cache of a processor, and those in one product of
#: matrices, which takes longer for fewer.
TILE, BLOCK = 64, 256

#: Singular values, relative to the largest, that single precision keeps.
SINGLE = 3e-7


def size_of(length):
    """Size n of the matrices whose triangles have so many elements."""
    size = int((np.sqrt(8 * length + 1) - 1) / 2)
    if size * (size + 1) // 2 != length:
        raise InputError(f"packed: no lower triangle has {length} elements")
    return size


@lru_cache(maxsize=8)
def _indices(size):
    """Row and column of each element, and the element that stands for each place of the whole matrix."""
    rows, columns = np.tril_indices(size)
    place = np.zeros((size, size), np.intp)
    place[rows, columns] = place[columns, rows] = np.arange(rows.size)
    return rows, columns, place.ravel()


def pack(matrices):
    """Lower triangles (N, n (n + 1) / 2) of matrices (N, n, n)."""
    rows, columns, _ = _indices(matrices.shape[-1])
    return matrices[..., rows, columns]


def packed_correlations(matrices):
    """Gaia's correlations (N, n (n - 1) / 2) of whole matrices of correlations (N, n, n)."""
    rows, columns = np.tril_indices(matrices.shape[-1], -1)
    return matrices[..., rows, columns]


def unpack(packed):
    """Matrices (N, n, n) of lower triangles (N, n (n + 1) / 2)."""
    size = size_of(packed.shape[-1])
    return np.take(packed, _indices(size)[2], axis=-1).reshape(*packed.shape[:-1], size, size)


def pack_correlations(errors, correlations):
    """Covariances (N, n (n + 1) / 2) from errors (N, n) and Gaia's correlations (N, n (n - 1) / 2)."""
    size, start, own = errors.shape[1], 0, 0
    out = np.empty((len(errors), size * (size + 1) // 2), np.result_type(errors, correlations))
    for row in range(size):
        part = out[:, start : start + row]
        np.multiply(correlations[:, own : own + row], errors[:, row : row + 1], out=part)
        part *= errors[:, :row]
        out[:, start + row] = errors[:, row] ** 2
        start, own = start + row + 1, own + row
    return out


def quadratic_weights(vectors):
    """Weights (n (n + 1) / 2, M) with which ``packed @ weights`` is ``v @ C @ v`` for the vectors v (M, n)."""
    rows, columns, _ = _indices(vectors.shape[1])
    return ((2 - (rows == columns)) * vectors[:, rows] * vectors[:, columns]).T


def factor(packed):
    """Lower triangular factors L (N, n, n) of covariances, in float32: ``C = L @ L.T``; 0 without variance."""
    # Where rounding has made a matrix not positive definite, small eigenvalues of its correlations are raised.
    size = size_of(packed.shape[-1])
    out = np.empty((len(packed), size, size), np.float32)
    for start in range(0, len(packed), 2000):
        part = slice(start, start + 2000)
        matrices = unpack(packed[part].astype(np.float64))
        error = np.sqrt(np.maximum(np.einsum("nii->ni", matrices), 0))
        scale = np.where(error > 0, error, 1)
        matrices /= scale[:, :, None] * scale[:, None, :]
        diagonal = np.einsum("nii->ni", matrices)
        diagonal[error == 0] = 1
        try:
            lower = np.linalg.cholesky(matrices)
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(matrices)
            values = np.maximum(values, SMALLEST * values[:, -1:])
            lower = np.linalg.cholesky((vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2))
        out[part] = lower * error[:, :, None]
    return out


class QuadraticForms:
    """Variances of ``c @ vectors.T`` for vectors (M, n), of errors and correlations; ``single``: to a relative 2e-5."""

    # A variance is linear in the products R_ij e_i e_j, so that for all stars it is one product of matrices.

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
        """Variances (N, M), NaN where an error (N, n) or a correlation (N, n (n - 1) / 2) is; written to ``out``."""
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
