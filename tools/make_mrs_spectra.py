"""Synthetic LAMOST medium-resolution spectra from the Cannon models of thedoppler.

    python tools/make_mrs_spectra.py models --models DOPPLER/data --noise LAMOST_MRS_FILES --output mrs-models.npz
    python tools/make_mrs_spectra.py templates --models mrs-models.npz
    python tools/make_mrs_spectra.py sample --models mrs-models.npz

"models" makes the file that everything else needs: the windows of the two arms, the factors on the strengths of lines
that real low-resolution spectra ask for (mrs_strengths.py), and the noise of real files; 2 MB. "templates" writes
stellarlabels/data/lamost/mrs_templates.fits, with which radial velocities are measured; "sample" writes
stellarlabels/data/sample/mrs_synthetic.fits, a few spectra for examples and tests. The forward model itself is in
mrs_synthesis.py.

The models (PyPI thedoppler 1.1.32, MIT) give continuum-normalised flux from 3000 to 18000 Angstrom (air) in steps of
0.1 Angstrom as cubic polynomials of Teff, log g and [Fe/H], made from a grid of synthetic spectra. Their files are
pickles: they are opened here only, and with an unpickler that knows nothing but NumPy arrays.
"""

import argparse
import pickle
from dataclasses import replace
from pathlib import Path

import lamost_lrs
import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table
from mrs_strengths import Strengths, real_stars
from mrs_synthesis import LOG_STEP, Models, Synthesis, vacuum

import stellarlabels
from stellarlabels.inputs.lamost.medium_resolution import ARMS, GRIDS, normalised_arm

DATA = Path(stellarlabels.__file__).parent / "data"
MODELS = "cannongrid_3000_18000_coolstars_norm_cubic_model.pkl"
HOT_MODELS = "cannongrid_3000_18000_hotdwarfs_norm_cubic_model.pkl"

#: How far beyond its window each arm is made, in Angstrom.
MARGIN = 15.0

#: Templates for radial velocities.
TEMPLATES = [
    (4000, 1.5, -0.5), (4000, 4.5, 0.0), (4500, 2.0, -1.5), (4750, 2.5, -0.2), (5000, 2.5, -2.2), (5200, 4.5, -0.2),
    (5800, 4.3, 0.0), (5800, 4.0, -1.5), (6400, 4.1, -0.2), (7000, 4.1, 0.0), (7700, 4.2, 0.0),
]  # fmt: skip


class ArraysOnly(pickle.Unpickler):
    """Reads pickles of NumPy arrays and plain values, and nothing else."""

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a model file")


def read_models(folder, name=MODELS):
    """The models of thedoppler in the windows of the two arms, from its folder of data (`Models`)."""
    with open(Path(folder) / name, "rb") as file:
        state = ArraysOnly(file).load()
    nodes = np.asarray(state["training_set_labels"], float)
    center = np.percentile(nodes, 50, axis=0)  # as in CannonModel of thecannon 0.2.93
    scale = np.ptp(np.percentile(nodes, [2.5, 97.5], axis=0), axis=0)
    wave = vacuum(np.asarray(state["dispersion"]))
    parts = {arm: (wave > low - MARGIN) & (wave < high + MARGIN) for arm, (low, high) in ARMS.items()}
    theta, scatter = np.asarray(state["theta"]), np.sqrt(np.asarray(state["s2"]))
    return Models(
        {arm: wave[part] for arm, part in parts.items()},
        {arm: theta[part] for arm, part in parts.items()},
        {arm: scatter[part] for arm, part in parts.items()},
        center,
        scale,
        nodes,
        state["vectorizer"][1]["terms"],
    )


def noise_profiles(folder):
    """Shapes of the noise along each arm in real files, from the inverse variances of their brighter spectra.

    Parameters
    ----------
    folder : path-like
        With LAMOST medium-resolution files of the old format (one row a pixel).

    Returns
    -------
    dict of str to `~numpy.ndarray`
        Standard deviations relative to a smooth flux, with median 1, on the grid of each arm, (K, 4000).
    """
    from numpy.polynomial import Chebyshev

    out = {arm: [] for arm in ARMS}
    for path in sorted(Path(folder).glob("med-*.fits*")):
        with fits.open(path) as hdus:
            for hdu in hdus[1:]:
                arm = hdu.name.removeprefix("COADD_")[0].lower()
                if hdu.header.get("SNR", 0) < 15:
                    continue
                wave = 10 ** np.asarray(hdu.data["LOGLAM"], float)
                ivar, flux = (np.asarray(hdu.data[name], float) for name in ("IVAR", "FLUX"))
                good = (ivar > 0) & (wave > ARMS[arm][0] - 5) & (wave < ARMS[arm][1] + 5)
                smooth = Chebyshev.fit(wave[good], flux[good], 4)
                error = np.interp(GRIDS[arm], wave[good], 1 / np.sqrt(ivar[good])) / smooth(GRIDS[arm])
                out[arm].append(error / np.median(error))
    return {arm: np.array(shapes) for arm, shapes in out.items()}


def write_templates(models, path):
    """The templates for radial velocities, at rest and without noise."""
    synthesis = Synthesis(models, None, 0)
    labels = np.array(TEMPLATES, float)
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["SOURCE"] = "Cannon models of thedoppler 1.1.32 (MIT), R = 7500, vacuum"
    for arm, grid in GRIDS.items():
        slow, still, resolution = (np.full(len(labels), value) for value in (3.0, 0.0, 7500.0))
        flux = synthesis.observed(arm, labels, slow, still, resolution)
        flux = np.stack([np.interp(grid, synthesis.pixels[arm], row) for row in flux])
        ratio, _ = normalised_arm(flux)
        hdu = fits.ImageHDU(np.round(ratio * 20000).astype(np.int16), name=f"FLUX_{arm}".upper())
        hdu.header["BSCALE"] = 1 / 20000
        hdu.header["CRVAL1"], hdu.header["CDELT1"], hdu.header["CUNIT1"] = grid[0], 0.1, "Angstrom"
        hdus.append(hdu)
    columns = QTable(labels, names=["teff", "logg", "feh"])
    hdus.append(fits.BinTableHDU(columns, name="LABELS"))
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def write_sample(models, path, count=32):
    """A few spectra of stars like those that LAMOST sees, with equal noise in all pixels of an arm and velocities."""
    synthesis = Synthesis(models, {arm: np.ones((1, grid.size)) for arm, grid in GRIDS.items()}, 2026)
    snr = np.geomspace(12, 120, count)[synthesis.random.permutation(count)]
    table = synthesis.table(synthesis.labels(count), snr, plain=True)
    table["radial_velocity"] = np.round(synthesis.random.normal(0, 40, count), 2) * table["radial_velocity"].unit
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["SOURCE"] = (
        "Cannon models of thedoppler 1.1.32 (MIT) with LASP's strengths of lines, R = 7500, vacuum"
    )
    names = ("source_id", "radial_velocity", "teff", "logg", "feh")
    columns = Table({name: getattr(table[name], "value", table[name]) for name in names})
    units = []
    for arm, pixels in synthesis.pixels.items():
        flux, ivar = (np.asarray(table[f"{name}_{arm}"], float) for name in ("flux", "ivar"))
        level = np.median(flux, axis=1, keepdims=True)
        columns[f"snr_{arm}"] = np.median(flux * np.sqrt(ivar), axis=1)
        scaled = np.where(ivar > 0, np.clip(np.round(flux / level * 10000), -32000, 32000), -32768)
        units.append(fits.CompImageHDU(scaled.astype(np.int16), name=f"FLUX_{arm}".upper()))
        units[-1].header["CRVAL1"], units[-1].header["CDELT1"] = np.log10(pixels[0]), LOG_STEP
        units[-1].header["CTYPE1"], units[-1].header["BLANKVAL"] = "log10 Angstrom", -32768
    hdus += [fits.BinTableHDU(columns, name="STARS"), *units]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("product", choices=["models", "templates", "sample"])
    parser.add_argument("--models", required=True, help="file of the models; for itself, the folder of thedoppler's")
    parser.add_argument("--noise", help="folder of real LAMOST MRS files")
    parser.add_argument("--stars", help="lamost_lrs_labelled.npz; by default that of the folder STELLARLABELS_DATA")
    parser.add_argument("--output", type=Path, default=Path("mrs-models.npz"))
    args = parser.parse_args()
    if args.product == "models":
        table, path = lamost_lrs.load(args.stars), args.output
        models = read_models(args.models)
        stars = real_stars(table, lamost_lrs.folds(table) != 0)
        models = replace(models, strengths=Strengths.fit(models, stars))
        models.write(path, noise_profiles(args.noise))
        print(f"strengths of lines from {len(stars['labels'])} real stars")
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
        return
    models, _ = Models.load(args.models)
    if args.product == "templates":
        path = DATA / "lamost" / "mrs_templates.fits"
        write_templates(models, path)
    else:
        path = DATA / "sample" / "mrs_synthetic.fits"
        write_sample(models, path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
