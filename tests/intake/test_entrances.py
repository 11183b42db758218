"""Every kind of trouble through every entrance: the same numbers, the same gaps, or the same refusal.

An entrance is a function that labels stars; a kind is what is done to good stars, and which stars it amounts to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import UACSNet, catalogs, columns, scale
from stellarlabels.cli import main
from stellarlabels.exceptions import StellarLabelsError
from stellarlabels.inputs.examples import xp_apogee_sample

pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
pytestmark = pytest.mark.filterwarnings("ignore")

#: More digits than a float has, in different pixels of HEALPix.
IDS = 479359925517769601 + 2 * np.arange(6)
NAMES = ("flux", "flux_error", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
LABELS = ("teff", "logg", "feh", "alpha_m")
NEAR_INFRARED = ("j_m", "h_m", "ks_m")


@pytest.fixture(scope="module")
def system():
    return UACSNet.pretrained().fewer(1)


def stars():
    """Six real stars as other programs write them: a Table with units."""
    sample = xp_apogee_sample()[: len(IDS)]
    out = Table({"source_id": IDS, "ra": np.linspace(10, 60, 6), "dec": np.linspace(-30, 30, 6)})
    out["ra"].unit = out["dec"].unit = u.deg
    for name in NAMES:
        plain = columns.without_unit(sample[name]).filled(np.nan)
        out[name] = plain.astype(np.float64)
        out[name].unit = sample[name].unit
    return out


def changed(**new):
    """The stars with other columns."""
    table = stars()
    for name, data in new.items():
        unit = table[name].unit if name in table.colnames else None
        table[name] = data
        table[name].unit = unit
    return table


# Entrances ------------------------------------------------------------------------------------------------------------


def of_frame(table):
    """A pandas DataFrame of a table, with lists in its cells, and without units."""
    import pandas as pd

    return pd.DataFrame(
        {name: list(table[name]) if table[name].ndim > 1 else table[name].tolist() for name in table.colnames}
    )


def write_csv(table, path):
    """Comma-separated values with arrays in brackets, as the archive writes them."""
    frame = of_frame(table)
    for name in table.colnames:
        if table[name].ndim > 1:
            frame[name] = [f"({', '.join(map(repr, row))})" for row in table[name].tolist()]
    frame.to_csv(path, index=False)


def write_parquet(table, path):
    """Parquet as pandas writes it."""
    of_frame(table).to_parquet(path, index=False)


def write_hats(table, folder):
    """A HATS catalog of two partitions, without units."""
    for number, rows in enumerate((slice(0, 4), slice(4, 6))):
        path = folder / "dataset" / "Norder=0" / "Dir=0" / f"Npix={number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(table[rows], path)
    (folder / "hats.properties").write_text("obs_collection=stars\ndataproduct_type=object\nhats_order=0\n")


def in_memory(system, table, folder):
    return system.predict(table)


def as_quantities(system, table, folder):
    return system.predict(QTable(table))


def as_frame(system, table, folder):
    return system.predict(of_frame(table))


def as_arrow(system, table, folder):
    import pyarrow as pa

    return system.predict(pa.Table.from_pandas(of_frame(table), preserve_index=False))


def by_rows(system, table, folder):
    return [system.predict(row) for row in table]


@dataclass(frozen=True)
class Written:
    """Stars that come from a file: read and labelled, labelled as a file, in parts, or on the command line."""

    write: Callable
    how: str
    name: str = "stars"
    rows: int | None = None

    def __call__(self, system, table, folder):
        path = folder / self.name
        self.write(table, path)
        if self.how == "read":
            return system.predict(catalogs.read(path))
        if self.how == "cli":
            command = ["label", "uacsnet", str(path), "-o", str(folder / "out.fits"), "--networks", "1"]
            if main(command) != 0:
                raise StellarLabelsError("the command line says so")
        else:
            scale.label_file(system, path, folder / "out.fits", rows=self.rows, progress=False)
        return catalogs.read(folder / "out.fits")


FORMATS = {
    "fits": lambda table, path: table.write(path, format="fits"),
    "votable": lambda table, path: table.write(path, format="votable", tabledata_format="binary2"),
    "ecsv": lambda table, path: table.write(path, format="ascii.ecsv"),
    "csv": write_csv,
    "parquet": write_parquet,
    "hdf5": lambda table, path: table.write(path, format="hdf5", path="stars", serialize_meta=True),
}
ENTRANCES = {
    "memory": in_memory,
    "quantities": as_quantities,
    "frame": as_frame,
    "arrow": as_arrow,
    "rows": by_rows,
    **{f"read {name}": Written(write, "read", f"stars.{name}") for name, write in FORMATS.items()},
    **{f"label {name}": Written(write, "label", f"stars.{name}") for name, write in FORMATS.items()},
    "label parts": Written(FORMATS["fits"], "label", "stars.fits", rows=4),
    "label hats": Written(write_hats, "label", "stars"),
    "cli": Written(FORMATS["fits"], "cli", "stars.fits"),
}
#: Entrances that take no other way than their format, which is read, and `label_file`, which labels FITS.
TWICE = ("label votable", "label ecsv", "label csv", "label parquet", "label hdf5")
#: Kinds that a format cannot hold: VOTable has no unsigned integers.
IMPOSSIBLE = {("read votable", "uint64"), ("label votable", "uint64")}
#: Entrances that know no units.
UNITLESS = ("frame", "arrow", "read csv", "label csv", "read parquet", "label parquet", "label hats")


# Kinds ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What is done to the stars, and the stars that it amounts to; or what the refusal must name."""

    given: Callable
    means: Callable = stars
    refused: str = ""
    units: bool = False


def without(*names, rows=slice(None)):
    """The stars without some magnitudes, in some rows."""
    table = stars()
    for name in names:
        table[name][rows] = np.nan
    return table


def sentinel(value, *names, rows=slice(None)):
    """A kind of which some magnitudes are a value that stands for none."""

    def given():
        table = stars()
        for name in names:
            table[name][rows] = value
        return table

    return Kind(given, lambda: without(*names, rows=rows))


def renamed(**names):
    table = stars()
    for name, new in names.items():
        table.rename_column(name, new)
    return table


def dark(value, samples=slice(None), rows=slice(None), names=("flux", "flux_error")):
    """The stars with samples of the spectrum that are all of one value."""
    table = stars()
    for name in names:
        cells = np.array(table[name])
        cells[rows, samples] = value
        table[name][:] = cells
    return table


def other_wavelengths():
    table = stars()
    own, other = np.arange(336, 1021, 2.0), np.linspace(400, 900, 343)
    for name in ("flux", "flux_error"):
        table[name][:] = [np.interp(other, own, row) for row in np.array(table[name])]
    table["wavelength"] = np.tile(other, (len(table), 1))
    table["wavelength"].unit = u.nm
    return table


def in_other_units():
    table = stars()
    table["j_m"], table["ra"] = table["j_m"] * 1000, np.radians(np.array(table["ra"]))
    table["j_m"].unit, table["ra"].unit = u.mmag, u.rad
    return table


KINDS = {
    "good": Kind(stars),
    "99": sentinel(99, *NEAR_INFRARED),
    "-9999": sentinel(-9999, *NEAR_INFRARED),
    "0": sentinel(0, *NEAR_INFRARED),
    "1e20": sentinel(1e20, *NEAR_INFRARED),
    "inf": sentinel(np.inf, *NEAR_INFRARED),
    "one of 99.999": sentinel(99.999, "h_m", rows=slice(2, 3)),
    "uint64": Kind(lambda: changed(source_id=IDS.astype(np.uint64))),
    "text": Kind(lambda: changed(source_id=IDS.astype(str))),
    "designations": Kind(lambda: changed(source_id=[f"Gaia DR3 {value}" for value in IDS])),
    "floats": Kind(lambda: changed(source_id=IDS.astype(float)), refused="source_id"),
    "of another name": Kind(lambda: renamed(source_id="Source", j_m="Jmag", h_m="Hmag", ks_m="Kmag", ra="RA_ICRS")),
    "capitals": Kind(lambda: renamed(source_id="SOURCE_ID", j_m="J_M", flux="FLUX", phot_g_mean_mag="Gmag")),
    "units": Kind(in_other_units, units=True),
    "no spectrum": Kind(lambda: dark(np.nan, rows=slice(1, 3)), lambda: dark(np.nan, rows=slice(1, 3))),
    "filled spectrum": Kind(lambda: dark(1e20), lambda: dark(np.nan)),
    "samples of 0": Kind(lambda: dark(0.0, slice(0, 40), names=["flux"]), lambda: dark(np.nan, slice(0, 40))),
    "dark samples": Kind(lambda: dark(0.0, slice(0, 40)), lambda: dark(np.nan, slice(0, 40))),
}


def column_of(labels, name):
    return columns.without_unit(labels[name])


#: Kinds that go through every entrance in the quick tier; what is in memory takes all kinds there.
QUICK = {"good", "one of 99.999", "designations", "no spectrum"}


def marks(entrance, kind):
    return [pytest.mark.slow] if entrance in TWICE or (entrance != "memory" and kind not in QUICK) else []


CASES = [
    pytest.param(entrance, kind, marks=marks(entrance, kind))
    for entrance in ENTRANCES
    for kind in KINDS
    if (entrance, kind) not in IMPOSSIBLE and not (KINDS[kind].units and entrance in UNITLESS)
]


@cache
def right_labels(system, means):
    """The labels of the stars that a kind amounts to."""
    return system.predict(means())


@pytest.mark.parametrize(("entrance", "kind"), CASES)
def test_every_kind_through_every_entrance(system, entrance, kind, tmp_path, capsys):
    trouble, enter = KINDS[kind], ENTRANCES[entrance]
    if trouble.refused:
        with pytest.raises(StellarLabelsError) as caught:
            enter(system, trouble.given(), tmp_path)
        assert trouble.refused in (capsys.readouterr().err if entrance == "cli" else str(caught.value))
        return
    found = enter(system, trouble.given(), tmp_path)
    right = right_labels(system, trouble.means)
    found = found if isinstance(found, list) else [found]
    ids = np.concatenate([np.asarray(part[columns.identifier(part)]) for part in found])
    assert ids.dtype == np.int64 and ids.tolist() == IDS.tolist()
    for label in LABELS:
        values = np.ma.concatenate([column_of(part, label) for part in found])
        flags = np.concatenate([np.asarray(part[f"{label}_flag"]) for part in found])
        expected, errors = column_of(right, label), column_of(right, f"{label}_err")
        np.testing.assert_array_equal(np.ma.getmaskarray(values), np.ma.getmaskarray(expected))
        np.testing.assert_array_equal(flags, right[f"{label}_flag"])
        assert (np.abs(values - expected) <= 1e-4 * errors).filled(True).all()


@pytest.mark.slow
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_wavelengths_of_ones_own_are_not_taken_for_others(system, entrance, tmp_path, capsys):
    """Spectra of 400 to 900 nm in as many samples: refused, or resampled and flagged, never read as 336 to 1020 nm."""
    grid = np.arange(336, 1021, 2.0)
    right = system.predict(dark(np.nan, (grid < 400) | (grid > 900)))
    try:
        found = ENTRANCES[entrance](system, other_wavelengths(), tmp_path)
    except StellarLabelsError as error:
        assert "wavelength" in (capsys.readouterr().err if entrance == "cli" else str(error))
        return
    found = found if isinstance(found, list) else [found]
    assert all((np.asarray(part["teff_flag"]) != 0).all() for part in found)
    values = np.ma.concatenate([column_of(part, "teff") for part in found])
    assert (np.abs(values - column_of(right, "teff")) < 3 * column_of(right, "teff_err")).all()
