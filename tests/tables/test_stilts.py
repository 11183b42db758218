"""The crossmatch against STILTS, on two catalogs of 100,000 stars with the density and motions of a field of Gaia."""

import shutil
import subprocess

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels.tables.crossmatch import crossmatch

STARS = 100_000
EPOCHS = 2016.0, 2000.0

pytestmark = [
    pytest.mark.vo,
    pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not on the PATH"),
]


@pytest.fixture(scope="module")
def catalogs():
    """40,000 stars per square degree; the second catalog is the sky of 16 years before, with 0.1 arcsec errors.

    Both lack some of the other's stars. Proper motions are missing for 2 % of the stars and reach several arcsec/yr.
    """
    random = np.random.default_rng(20)
    side = np.sqrt(STARS / 40_000)
    sky = QTable(
        {
            "ra": (359.2 + random.uniform(0, side, STARS) / np.cos(np.radians(-30))) % 360 * u.deg,
            "dec": (-30 + random.uniform(-side / 2, side / 2, STARS)) * u.deg,
        }
    )
    speed = 10 ** random.normal(0.8, 0.6, STARS)
    speed[:30] = random.uniform(1000, 6000, 30)
    direction = random.uniform(0, 2 * np.pi, STARS)
    missing = random.random(STARS) < 0.02
    sky["pmra"] = np.where(missing, np.nan, speed * np.sin(direction)) * u.mas / u.yr
    sky["pmdec"] = np.where(missing, np.nan, speed * np.cos(direction)) * u.mas / u.yr
    sky["parallax"] = np.where(missing, np.nan, 10 ** random.normal(0, 0.5, STARS)) * u.mas
    sky["radial_velocity"] = random.normal(0, 60, STARS) * u.km / u.s
    years = EPOCHS[1] - EPOCHS[0]
    noise = random.normal(0, 0.1 / 3600, (2, STARS))
    move = [np.where(missing, 0, speed * f(direction)) * years / 3.6e6 for f in (np.sin, np.cos)]
    old = QTable()
    old["ra"] = (sky["ra"].value + (move[0] + noise[0]) / np.cos(sky["dec"].to_value(u.rad))) % 360 * u.deg
    old["dec"] = (sky["dec"].value + move[1] + noise[1]) * u.deg
    lost = random.random(STARS) < 0.1
    old["ra"][lost], old["dec"][lost] = np.roll(sky["ra"][lost], 1), np.roll(sky["dec"][lost], 7)
    return sky, old[random.permutation(STARS)]


@pytest.fixture(scope="module")
def stilts_pairs(catalogs, tmp_path_factory):
    """All pairs that tmatch2 finds with the propagated positions, with their separations."""
    folder = tmp_path_factory.mktemp("stilts")
    for table, name in zip(catalogs, ("left", "right"), strict=True):
        plain = Table({key: column.value for key, column in zip(table.colnames, table.itercols(), strict=True)})
        plain.write(folder / f"{name}.fits")
    years = EPOCHS[1] - EPOCHS[0]
    move = f"epochProp({years}, array(ra, dec, parallax, pmra, pmdec, radial_velocity))"
    still = "NULL_pmra || NULL_pmdec"

    out = folder / "pairs.fits"
    subprocess.run(
        [
            *("stilts", "tmatch2", "runner=sequential", "progress=none", "matcher=sky", "params=1.0", "find=all"),
            *("join=1and2", f"in1={folder / 'left.fits'}", f"in2={folder / 'right.fits'}", f"out={out}", "ofmt=fits"),
            f'icmd1=addcol row1 "$index-1"; addcol moved "{move}"; '
            f'addcol ra0 "{still} ? ra : moved[0]"; addcol dec0 "{still} ? dec : moved[1]"; '
            'keepcols "row1 ra0 dec0"',
            'icmd2=addcol row2 "$index-1"; keepcols "row2 ra dec"',
            *("values1=ra0 dec0", "values2=ra dec"),
        ],
        check=True,
        capture_output=True,
    )
    found = Table.read(out)
    pairs = zip(found["row1"].tolist(), found["row2"].tolist(), strict=True)
    return dict(zip(pairs, found["Separation"].tolist(), strict=True))


def matched(catalogs, find, **epochs):
    """Our pairs of rows with their separations."""
    left = QTable(catalogs[0], copy=True)
    left["row"] = np.arange(STARS)
    out = crossmatch(left, catalogs[1], 1 * u.arcsec, find=find, **epochs)
    out = out[~np.ma.getmaskarray(out["match_row"])]
    pairs = list(zip(out["row"].tolist(), out["match_row"].tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    return dict(zip(pairs, np.asarray(out["separation"].to_value(u.arcsec)).tolist(), strict=True))


def test_pairs_are_those_of_stilts(catalogs, stilts_pairs):
    pairs = matched(catalogs, "all", left_epoch=EPOCHS[0], right_epoch=EPOCHS[1])
    assert len(stilts_pairs) > 90_000
    assert pairs.keys() == stilts_pairs.keys()
    ours, theirs = (np.array([found[pair] for pair in pairs]) for found in (pairs, stilts_pairs))
    np.testing.assert_allclose(ours, theirs, atol=1e-8)
    still = matched(catalogs, "all")
    assert len(still.keys() ^ stilts_pairs.keys()) > 1000, "without proper motions the pairs should be others"


def test_best_pairs_are_the_nearest_of_stilts(catalogs, stilts_pairs):
    nearest = {}
    for (i, j), separation in stilts_pairs.items():
        nearest[i] = min(nearest.get(i, (np.inf, -1)), (separation, j))
    best = matched(catalogs, "best", left_epoch=EPOCHS[0], right_epoch=EPOCHS[1])
    assert best.keys() == {(i, j) for i, (_, j) in nearest.items()}
