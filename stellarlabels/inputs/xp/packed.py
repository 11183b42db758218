"""Covariance matrices packed into their lower triangles, and variances without unpacking them.

A matrix C of size n is stored row by row up to its diagonal: ``C[np.tril_indices(n)]``, n (n + 1) / 2 numbers. Gaia's
correlations are the same triangle without its diagonal.
"""

from functools import lru_cache

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["factor", "pack", "pack_correlations", "quadratic_weights", "size_of", "unpack"]

#: Smallest eigenvalue of a correlation matrix, in units of its largest, that a factor is made with.
SMALLEST = 1e-7


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


def unpack(packed):
    """Matrices (N, n, n) of lower triangles (N, n (n + 1) / 2)."""
    size = size_of(packed.shape[-1])
    return np.take(packed, _indices(size)[2], axis=-1).reshape(*packed.shape[:-1], size, size)


def pack_correlations(errors, correlations):
    """Covariances from errors and Gaia's correlations.

    Parameters
    ----------
    errors : `~numpy.ndarray`, shape (N, n)
    correlations : `~numpy.ndarray`, shape (N, n (n - 1) / 2)
        Elements above the diagonal, column by column (the archive's order), which is the triangle below it, row by row.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, n (n + 1) / 2)
    """
    rows, columns, _ = _indices(errors.shape[1])
    off = rows != columns
    out = errors[:, rows]
    out *= errors[:, columns]
    out[:, off] *= correlations
    return out


def quadratic_weights(vectors):
    """Weights with which ``packed @ weights`` is ``v @ C @ v`` for fixed vectors v.

    Parameters
    ----------
    vectors : `~numpy.ndarray`, shape (M, n)

    Returns
    -------
    `~numpy.ndarray`, shape (n (n + 1) / 2, M)
    """
    rows, columns, _ = _indices(vectors.shape[1])
    return ((2 - (rows == columns)) * vectors[:, rows] * vectors[:, columns]).T


def factor(packed):
    """Lower triangular factors L of covariances, ``C = L @ L.T``.

    Parameters
    ----------
    packed : `~numpy.ndarray`, shape (N, n (n + 1) / 2)

    Returns
    -------
    `~numpy.ndarray` of float32, shape (N, n, n)
        Where rounding has made a matrix not positive definite, the smallest eigenvalues of its correlations are raised.
        Rows and columns without variance are zero.
    """
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
