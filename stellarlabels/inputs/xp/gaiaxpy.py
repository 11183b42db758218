"""The one door to GaiaXPy, for photometric systems that are not data of this package, and for its configuration.

Nothing else in the package imports GaiaXPy, and sampling, recovery and the photometric systems that are used by default
do without it. What is read here is not all public there: each part is looked for, and its absence is told.

On import GaiaXPy silences all RuntimeWarnings of the process, leaves files open, and tells Matplotlib to set texts with
LaTeX; `quiet` lets none of this through.
"""

import warnings
from ast import literal_eval
from configparser import ConfigParser
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

import numpy as np
from astropy.table import Table

from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.layout import BANDS, TOTAL

#: Newest version with which this door was tried.
TRIED = "2.1.5"

#: Models of the mean instrument whose basis functions those of Gaia DR3 are.
MODELS = {"bp": "v375wi", "rp": "v142r"}


@contextmanager
def quiet():
    """Without output and warnings; with the filters and the settings of Matplotlib of before afterwards."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _part(module, name):
    """A part of GaiaXPy by its module and name, or an error that says what has changed."""
    with quiet():
        try:
            import_module("gaiaxpy")
        except Exception as error:  # somebody else's code may raise anything
            raise InputError(
                f"GaiaXPy cannot be imported ({error}); install gaiaxpy for photometric systems of its own"
            ) from error
    try:
        with quiet():
            return getattr(import_module(f"gaiaxpy.{module}"), name)
    except ImportError as error:
        raise _changed(f"gaiaxpy.{module}: {error}") from error
    except AttributeError as error:
        raise _changed(f"gaiaxpy.{module} has no {name}") from error


def _changed(what):
    """The error for a GaiaXPy that is not as expected."""
    return InputError(
        f"GaiaXPy is not what it was up to version {TRIED} ({what}); install that one for photometric systems of its "
        "own. Sampling, recovery and the photometric systems that ship with this package do without it"
    )


def photometric_systems():
    """Names of the photometric systems that GaiaXPy packages."""
    return tuple(_part("core.generic_functions", "_get_built_in_systems")())


def photometric_system(name):
    """What GaiaXPy knows of a photometric system, as arguments of `PhotometricSystem`."""
    found = _part("generator.photometric_system", "PhotometricSystem")[name]
    try:
        with quiet():
            bases = found.value.load_xpsampling_from_xml()
            _, merge = found.value.load_xpmerge_from_xml()
            label, bands = found.get_system_label(), tuple(found.get_bands())
            standardised = type(found.value).__name__ == "StandardisedPhotometricSystem"
            zero_points = np.asarray(found.get_zero_points(), float)
            offsets = np.asarray(found.get_offsets() if standardised else np.zeros(len(bands)), float)
            matrix = np.hstack([bases[band].T * merge[band][:, None] for band in BANDS])
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise _changed(f"system {name}: {type(error).__name__}: {error}") from error
    if matrix.shape != (len(bands), TOTAL) or zero_points.shape != (len(bands),) or offsets.shape != zero_points.shape:
        raise _changed(f"system {name}: {matrix.shape[1]} weights for each of {len(matrix)} bands")
    return {
        "name": name,
        "label": label,
        "bands": bands,
        "matrix": matrix,
        "zero_points": zero_points,
        "offsets": offsets,
        "color_equation": _color_equation(label),
        "error_factors": _error_factors(label),
    }


def _color_equation(label):
    """Band, color, coefficients and limits of the color equation of a system; None if it has none."""
    folder = _part("colour_equation.xp_filter_system_colour_equation", "colour_eq_dir")
    parser = ConfigParser()
    if not parser.read(Path(folder) / f"{label}_colour_eq.ini"):
        return None
    given = parser[label]
    coefficients, limits = literal_eval(given["POLY_COEFFICIENTS"]), literal_eval(given["COLOUR_RANGE"])
    return given["FILTER"], tuple(given["COLOUR_INDEX"].split("-")), tuple(coefficients), tuple(limits)


def _error_factors(label):
    """G (K,) and factors of flux errors (K, M): constant to the center of a bin in G, then linear to the next value."""
    path = Path(_part("config.paths", "correction_tables_path")) / f"DIDREQ-465-{label}-correction-factors.csv"
    if not path.is_file():
        return None
    table = Table.read(path, format="ascii.csv")
    low, high = np.asarray(table["min_Gmag_bin"], float), np.asarray(table["max_Gmag_bin"], float)
    factor = np.stack([np.asarray(table[name], float) for name in table.colnames if "factor_" in name], axis=1)
    return np.stack([low, (low + high) / 2], axis=1).ravel(), np.repeat(factor, 2, axis=0)


def instrument():
    """GaiaXPy's samples on its own grid, and its model of the mean instrument, as arrays by name."""
    # Samples and matrices of a band (n, ...), tables of wavelengths (nm) and values (2, ...), limits in nm.
    config, satellite = "core.config", import_module("gaiaxpy.core.satellite")
    nature, paths = import_module("gaiaxpy.core.nature"), Path(_part("config.paths", "config_path"))
    model = _part("calibrator.external_instrument_model", "ExternalInstrumentModel")
    out = {}
    with quiet():
        grid, merge = _part(config, "load_xpmerge_from_xml")(bp_model=MODELS["bp"])
        samples = _part(config, "load_xpsampling_from_xml")(bp_model=MODELS["bp"])
        out["wavelength"] = np.asarray(grid, float)
        out["scale"] = np.array(1.0e9 * nature.C * nature.PLANCK / satellite.TELESCOPE_PUPIL_AREA)
        out["limits"] = np.array([[*satellite.BP_WL], [*satellite.RP_WL]], float)
        for band, version in MODELS.items():
            own = model.from_config_csv(
                *(paths / f"{band}C03_{version}_{kind}.csv" for kind in ("dispersion", "response", "bases"))
            )
            given, there = own.bases, np.flatnonzero(merge[band] > 0)
            out[f"{band}_first"] = np.array(there[0])
            out[f"{band}_samples"] = samples[band][:, there[0] : there[-1] + 1]
            out[f"{band}_inverse"] = given["inverseBasesCoefficients"]
            out[f"{band}_transformation"] = given["transformationMatrix"]
            out[f"{band}_dispersion"] = np.stack([own.dispersion["wavelength"], own.dispersion["pseudo-wavelength"]])
            out[f"{band}_response"] = np.stack([own.response["wavelength"], own.response["response"]])
            names = ("pwlRangeMin", "pwlRangeMax", "normRangeMin", "normRangeMax")
            out[f"{band}_ranges"] = np.array([float(given[name]) for name in names])
    return out
