"""How fast is the crossmatch? Against astropy's two functions and, where it is installed, STILTS.

    python benchmarks/bench_crossmatch.py [--quick] [--output FOLDER]

Two catalogs of the same stars with 0.1 arcsec errors, at 40,000 stars per square degree, 16 years apart; the best match
within 1 arcsec. Our time includes the motion of the stars and the finished table; astropy's is the search alone, on
positions that have been moved already; STILTS' includes reading and writing FITS.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import timing
from astropy import units as u
from astropy.coordinates import SkyCoord, match_coordinates_sky, search_around_sky
from astropy.table import QTable

from stellarlabels.tables.crossmatch import crossmatch

YEARS = 16.0


def catalogs(stars):
    """The two catalogs, and the moved positions of the first."""
    random = np.random.default_rng(3)
    side = np.sqrt(stars / 40_000)
    ra, dec = 180 + random.uniform(0, side, stars), random.uniform(-side / 2, side / 2, stars)
    motion = random.normal(0, 20, (2, stars))
    left = QTable({"ra": ra * u.deg, "dec": dec * u.deg, "source_id": np.arange(1, stars + 1)})
    left["pmra"], left["pmdec"] = motion * u.mas / u.yr
    moved = ra + motion[0] * YEARS / 3.6e6 / np.cos(np.radians(dec)), dec + motion[1] * YEARS / 3.6e6
    noise = random.normal(0, 0.1 / 3600, (2, stars))
    order = random.permutation(stars)
    right = QTable({"ra": (moved[0] + noise[0])[order] * u.deg, "dec": (moved[1] + noise[1])[order] * u.deg})
    return left, right, SkyCoord(*moved, unit="deg")


def stilts(left, right, folder):
    """One run of tmatch2."""
    names = [str(Path(folder) / f"{name}.fits") for name in ("left", "right", "out")]
    for table, name in zip((left, right), names, strict=False):
        table.write(name, overwrite=True)
    move = f"epochProp({YEARS}, array(ra, dec, 0, pmra, pmdec, 0))"
    return lambda: subprocess.run(
        [
            *("stilts", "tmatch2", "matcher=sky", "params=1.0", "find=best1", "join=all1", "progress=none"),
            *(f"in1={names[0]}", f"in2={names[1]}", f"out={names[2]}", "values2=ra dec"),
            *(f'icmd1=addcol moved "{move}"', "values1=moved[0] moved[1]"),
        ],
        check=True,
        capture_output=True,
    )


def run(quick=False):
    """Measure."""
    result = timing.Result(
        "Crossmatch",
        "Two catalogs of the same stars at 40,000 stars per square degree, 16 years apart, within 1 arcsec. The time "
        "here includes the motion of the stars and the finished table; that of Astropy is the search alone, on "
        "positions that have been moved already; that of STILTS includes reading and writing FITS.",
    )
    for stars in (1_000,) if quick else (100_000, 1_000_000):
        left, right, moved = catalogs(stars)
        other = SkyCoord(right["ra"], right["dec"])
        epochs = {"left_epoch": 2000.0, "right_epoch": 2000.0 + YEARS}
        many = {**epochs, "right_epoch": np.linspace(2000, 2000 + YEARS, stars)}
        entries = {
            f"find={find!r}": (stars, lambda find=find: crossmatch(left, right, find=find, **epochs))  # noqa: B023
            for find in ("best", "both", "all")
        }
        entries["an epoch for each row"] = (stars, lambda: crossmatch(left, right, **many))  # noqa: B023
        entries["match"] = (stars, lambda: match_coordinates_sky(moved, other))  # noqa: B023
        entries["search"] = (stars, lambda: search_around_sky(moved, other, 1 * u.arcsec))  # noqa: B023
        with tempfile.TemporaryDirectory() as folder:
            if shutil.which("stilts"):
                entries["stilts"] = (stars, stilts(left, right, folder))
            rates = timing.race(entries, 1 if quick or stars > 500_000 else 3)
        peers = {"match": "astropy match_coordinates_sky", "search": "astropy search_around_sky", "stilts": "STILTS"}
        for name in (name for name in rates if name not in peers):
            peer = "search" if "all" in name else "match"
            result.row(f"{name}", rates[name], size=stars, peer=peers[peer], theirs=rates[peer])
        if "stilts" in rates:
            result.row("find='best'", rates["find='best'"], size=stars, peer="STILTS tmatch2", theirs=rates["stilts"])
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
