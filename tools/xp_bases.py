"""Write the basis functions and photometric systems of Gaia DR3's XP spectra as data of the package.

They are those of GaiaXPy's configuration (BSD-3-Clause): what is written is what GaiaXPy computes with, in float64, and
the credit travels in the files. Run it again when GaiaXPy's configuration of that release has changed.

    python tools/xp_bases.py
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np

import stellarlabels
from stellarlabels import releases
from stellarlabels.inputs.xp import gaiaxpy

FOLDER = Path(stellarlabels.__file__).parent / "data" / "xp"

#: Systems that the package uses by default or that have a set of colors.
SYSTEMS = ("JPLUS", "Gaia_DR3_Vega", "SDSS", "SDSS_Std", "Sky_Mapper", "JPAS", "PanSTARRS1", "JKC_Std")

CREDIT = (
    "Computed from the configuration of GaiaXPy {version} (D. Ruz-Mieres, F. De Angeli, P. Montegriffo, L. Palaversa; "
    "BSD 3-Clause Licence, Copyright (c), DPAC, CU5, DPCI)."
)


def stored(system):
    """Arrays of a photometric system."""
    name = system["name"]
    out = {f"{name}/{key}": np.asarray(system[key]) for key in ("label", "bands", "matrix", "zero_points", "offsets")}
    if system["color_equation"] is not None:
        band, color, coefficients, limits = system["color_equation"]
        out[f"{name}/color_bands"] = np.array([band, *color])
        out[f"{name}/color_coefficients"], out[f"{name}/color_limits"] = np.array(coefficients), np.array(limits)
    if system["error_factors"] is not None:
        out[f"{name}/g"], out[f"{name}/factor"] = system["error_factors"]
    return out


def main():
    """Write both files."""
    dr3, credit = releases.get("Gaia DR3"), np.array(CREDIT.format(version=version("gaiaxpy")))
    bands = {}
    for name in SYSTEMS:
        bands |= stored(gaiaxpy.photometric_system(name))
    np.savez_compressed(FOLDER / dr3.bases, credit=credit, **gaiaxpy.instrument())
    np.savez_compressed(FOLDER / dr3.photometric_systems, credit=credit, systems=np.array(SYSTEMS), **bands)


if __name__ == "__main__":
    main()
