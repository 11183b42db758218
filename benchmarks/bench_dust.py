"""E(B-V) of stars from the SFD map, next to dustmaps' own look-up in the same process.

    python benchmarks/bench_dust.py [--quick] [--output FOLDER]

The map is a stand-in of the real size (two hemispheres of 4096 x 4096 pixels) in the real format, made of random
numbers, so that nothing has to be downloaded; the values do not matter for the speed.
"""

import tempfile
from pathlib import Path

import numpy as np
import timing
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable

from stellarlabels.corrections.extinction import ebv


def make(folder, size):
    """The two files of the map, with the keywords of the real ones."""
    random = np.random.default_rng(1)
    for pole, sign in (("ngp", 1), ("sgp", -1)):
        hdu = fits.PrimaryHDU(random.random((size, size), np.float32))
        hdu.header.update({"LAM_NSGP": sign, "LAM_SCAL": size // 2})
        hdu.header.update({"CRPIX1": size / 2 + 0.5, "CRPIX2": size / 2 + 0.5})
        hdu.writeto(Path(folder) / f"SFD_dust_4096_{pole}.fits")


def stars(count, seed=1):
    """Stars all over the sky."""
    rng = np.random.default_rng(seed)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    return QTable({"source_id": np.arange(count), "ra": rng.uniform(0, 360, count) * u.deg, "dec": dec * u.deg})


def run(quick=False):
    """Measure."""
    from dustmaps.sfd import SFDQuery

    count, repeat, size = (2_000, 1, 256) if quick else (1_000_000, 3, 4096)
    table = stars(count)
    with tempfile.TemporaryDirectory() as folder:
        make(folder, size)
        query, few = SFDQuery(map_dir=folder), table[:20]
        rates = timing.race(
            {
                "here": (count, lambda: ebv(table, path=folder)),
                "dustmaps": (count, lambda: query(SkyCoord(table["ra"], table["dec"]))),
                "one by one": (len(few), lambda: [query(SkyCoord(row["ra"], row["dec"])) for row in few]),
            },
            repeat,
        )
        expected = query(SkyCoord(table["ra"], table["dec"]))
        difference = np.abs(ebv(table, path=folder).value - expected).max()
    result = timing.Result(
        "E(B-V) from the map of Schlegel, Finkbeiner and Davis",
        "From right ascension and declination, next to ``SFDQuery`` of dustmaps with all stars at once and with one "
        "star at a time.",
    )
    result.row("SFD", rates["here"], size=count, peer="dustmaps, all at once", theirs=rates["dustmaps"], target=1)
    result.row("SFD", rates["here"], size=count, peer="dustmaps, star by star", theirs=rates["one by one"])
    result.fact("largest difference from dustmaps", difference, unit="mag")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
