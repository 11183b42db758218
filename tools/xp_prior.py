"""Learn the prior of XP coefficients from real spectra, for `stellarlabels.inputs.xp.recover_coefficients`.

    python tools/xp_prior.py COEFFICIENTS CORRELATIONS... --output stellarlabels/data/xp/coefficients.npz

COEFFICIENTS is a file of XP spectra with coefficients and their errors; CORRELATIONS are files with the correlations
of the errors, too. The fixed held-out stars are left out.
"""

import argparse

import numpy as np

from stellarlabels.archive.readers import read_xp
from stellarlabels.columns import values
from stellarlabels.files import replacing
from stellarlabels.inputs.xp import design_matrix
from stellarlabels.inputs.xp.layout import BANDS, SIZES, columns
from stellarlabels.inputs.xp.recovery import OWN

#: Share of its own diagonal that replaces the sample covariance.
SHRINKAGE = 0.02

#: Principal components of the flux errors that errors of coefficients are predicted from.
COMPONENTS = 3

#: Smallest eigenvalue, relative to the largest, of the correlation of samples that is kept.
LEAST = 1e-4


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("coefficients")
    parser.add_argument("correlations", nargs="+")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    stars = training(read_xp(options.coefficients))
    known = known_correlations([training(read_xp(path)) for path in options.correlations])
    learned = learn(matrix(stars, "coefficients"), matrix(stars, "coefficient_errors"), known)
    with replacing(options.output, overwrite=True) as stream:
        np.savez(stream, stars=len(stars), **learned)
    print(f"{options.output}: {len(stars)} stars")


def training(table):
    """Stars with both bands that are not among the fixed held-out ones."""
    held_out = (np.asarray(table["source_id"], dtype=np.int64) >> 35) % 5 == 0
    return table[~held_out & np.isfinite(matrix(table, "coefficients")).all(axis=1)]


def matrix(table, name):
    """A quantity of both bands, shape (N, 110)."""
    return np.hstack([values(table, f"{band}_{name}") for band in BANDS])


def known_correlations(tables):
    """Correlations and errors of distinct stars of which all are known, for each band.

    Returns
    -------
    dict of str to dict of str to `~numpy.ndarray`
        ``correlation`` (K, 55, 55) and ``errors`` (K, 55).
    """
    out = {}
    rows, columns_ = np.tril_indices(SIZES["bp"], -1)
    for band in BANDS:
        found = {}
        for table in tables:
            packed = values(table, f"{band}_coefficient_correlations")
            errors = values(table, f"{band}_coefficient_errors")
            whole = np.zeros((len(table), SIZES["bp"], SIZES["bp"]))
            whole[:, rows, columns_] = packed
            whole += whole.transpose(0, 2, 1) + np.eye(SIZES["bp"])
            complete = np.isfinite(packed).all(axis=1)
            ids = np.asarray(table["source_id"], dtype=np.int64)
            found.update({int(ids[i]): (whole[i], errors[i]) for i in np.flatnonzero(complete)})
        out[band] = {
            name: np.stack(part)
            for name, part in zip(("correlation", "errors"), zip(*found.values(), strict=True), strict=True)
        }
        print(f"{band}: correlations of {len(found)} stars")
    return out


def learn(coefficients, errors, correlations):
    """What `stellarlabels.inputs.xp.recovery` reads.

    Parameters
    ----------
    coefficients, errors : `~numpy.ndarray`, shape (N, 110)
    correlations : dict of str to `~numpy.ndarray`, shape (K, 55, 55)

    Returns
    -------
    dict of str to `~numpy.ndarray` of float32
    """
    design = design_matrix()
    level = np.sqrt(((coefficients @ design.T) ** 2).mean(axis=1))
    scaled = coefficients / level[:, None]
    covariance = np.cov(scaled.T)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(np.diag(covariance))
    learned = {
        "mean": scaled.mean(axis=0),
        "factor": factor(covariance),
        "profile": np.sqrt(((scaled @ design.T) ** 2).mean(axis=0)),
    }
    for band in BANDS:
        part = columns(band)
        own = noise(errors[:, part] / level[:, None], design[OWN[band]][:, part], correlations[band])
        learned.update({f"{band}_{name}": array for name, array in own.items()})
    return {name: np.asarray(array, dtype=np.float32) for name, array in learned.items()}


def noise(errors, design, measured):
    """The fields of `Noise` of one band.

    Parameters
    ----------
    errors : `~numpy.ndarray`, shape (N, 55)
        Errors of coefficients, for spectra of unit level.
    design : `~numpy.ndarray`, shape (S, 55)
    measured : dict of str to `~numpy.ndarray`
        ``correlation`` (K, 55, 55) and ``errors`` (K, 55) of the stars with known correlations.
    """
    correlation = measured["correlation"].mean(axis=0)
    roots = np.linalg.cholesky(correlation + 1e-10 * np.eye(SIZES["bp"]))
    flux_error = np.concatenate(
        [np.sqrt((((design * part[:, None, :]) @ roots) ** 2).sum(axis=2)) for part in np.array_split(errors, 10)]
    )
    log_flux_error, log_error = np.log(flux_error), np.log(errors)
    spread = log_flux_error - log_flux_error.mean(axis=0)
    components = np.linalg.svd(spread, full_matrices=False)[2][:COMPONENTS]
    slopes = np.linalg.lstsq(spread @ components.T, log_error - log_error.mean(axis=0), rcond=None)[0]
    return {
        "correlation": correlation,
        "flux_root": flux_root(design, **measured),
        "log_flux_error": log_flux_error.mean(axis=0),
        "components": components,
        "slopes": slopes,
        "log_error": log_error.mean(axis=0),
    }


def flux_root(design, correlation, errors):
    """A square root of the mean correlation of samples, without directions of no weight."""
    scaled = design * errors[:, None, :]
    covariance = scaled @ correlation @ scaled.transpose(0, 2, 1)
    size = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    values, vectors = np.linalg.eigh((covariance / size[:, :, None] / size[:, None, :]).mean(axis=0))
    kept = values > LEAST * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])
    return root / np.sqrt((root**2).sum(axis=1, keepdims=True))


def factor(covariance):
    """A square root of the covariance, stable for columns of very different size."""
    size = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / size / size[:, None])
    return size[:, None] * vectors * np.sqrt(np.maximum(values, 0))


if __name__ == "__main__":
    main()
