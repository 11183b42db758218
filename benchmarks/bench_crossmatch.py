"""How fast is the crossmatch? Against astropy's two functions and, where it is installed, STILTS.

    python benchmarks/bench_crossmatch.py [stars ...]

Two catalogs of the same stars with 0.1 arcsec errors, at 40,000 stars per square degree, 16 years apart; the best match
within 1 arcsec. Our time includes the motion of the stars and the finished table; astropy's is the search alone, on
positions that have been moved already; STILTS' includes reading and writing FITS.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
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


def timed(label, function, stars):
    """Run once and show the rate."""
    start = time.perf_counter()
    function()
    seconds = time.perf_counter() - start
    print(f"  {label:44s} {seconds:7.2f} s  {stars / seconds:12,.0f} stars/s")


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stars", nargs="*", type=int, default=[100_000, 1_000_000])
    for stars in parser.parse_args().stars:
        left, right, moved = catalogs(stars)
        other = SkyCoord(right["ra"], right["dec"])
        print(f"{stars:,} x {stars:,} stars")
        for find in ("best", "both", "all"):
            timed(
                f"crossmatch, find={find!r}",
                lambda left=left, right=right, find=find: crossmatch(
                    left, right, find=find, left_epoch=2000.0, right_epoch=2000.0 + YEARS
                ),
                stars,
            )
        epochs = np.linspace(2000, 2000 + YEARS, stars)
        timed(
            "crossmatch, an epoch for each right row",
            lambda left=left, right=right, epochs=epochs: crossmatch(
                left, right, left_epoch=2000.0, right_epoch=epochs
            ),
            stars,
        )
        timed("astropy match_coordinates_sky", lambda a=moved, b=other: match_coordinates_sky(a, b), stars)
        timed("astropy search_around_sky", lambda a=moved, b=other: search_around_sky(a, b, 1 * u.arcsec), stars)
        if shutil.which("stilts"):
            with tempfile.TemporaryDirectory() as folder:
                timed("stilts tmatch2 find=best1", stilts(left, right, folder), stars)


if __name__ == "__main__":
    main()
