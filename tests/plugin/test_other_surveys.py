"""Two systems for other surveys, each one file in a package of its own: everything that the five systems can do."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

import stellarlabels
from stellarlabels import catalogs, columns, flags, report, scale, systems
from stellarlabels.archive.readers import read_table

ARMS = {"B": (3600.0, 5800.2), "R": (5760.0, 7620.2), "Z": (7520.0, 9824.2)}
FIRST = 39627000000000001
LIGHT = 299792.458


@pytest.fixture(autouse=True)
def installed(plugin):
    return plugin


def plain(column):
    """Numbers of a column, NaN where masked."""
    return np.ma.filled(columns.without_unit(column).astype(float), np.nan)


def label(arguments, folders):
    """Run the command line in a process of its own, which finds the example package by its entry points."""
    root = str(Path(stellarlabels.__file__).parents[1])
    path = os.pathsep.join([root, *folders, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "stellarlabels", "label", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sky_stars(count=400):
    """Magnitudes from labels by straight lines: the ultraviolet excess of metal-poor stars is in u-v."""
    random = np.random.default_rng(5)
    out = QTable({"object_id": FIRST + np.arange(count)})
    teff, feh = random.uniform(4500, 6800, count), random.uniform(-2.5, 0.3, count)
    color = 1.0 - (teff - 5500) / 2500
    i = random.uniform(12, 15, count)
    bands = {"i": i, "g": i + color, "v": i + 2 * color + 0.3 * feh, "u": i + 2.6 * color + 0.5 * feh}
    for name, values in bands.items():
        out[f"{name}_psf"] = (values + random.normal(0, 0.01, count)) * u.mag
        out[f"e_{name}_psf"] = np.full(count, 0.01) * u.mag
    out["teff"], out["feh"] = teff * u.K, feh * u.dex
    out["age"] = (6 - 2.5 * feh) * u.Gyr
    return out


def test_skymapper(tmp_path, installed):
    stars = sky_stars()
    system = systems.get("SkyMapper")(seed=1).fit(stars, validation=0.2, progress=False)
    path = tmp_path / "skymapper.stellarlabels"
    system.save(path)
    assert systems.load(path).labels == ("teff", "feh", "age")

    labels = system.predict(stars)
    assert labels.colnames[:5] == ["object_id", "teff", "teff_err", "teff_flag", "teff_good"]
    np.testing.assert_array_equal(labels["object_id"], FIRST + np.arange(len(stars)))
    assert labels["age"].unit == u.Gyr and labels["age"].info.meta["ucd"] == "time.age"
    for name, worst in (("teff", 150), ("feh", 0.3), ("age", 0.8)):
        assert np.nanstd(plain(labels[name]) - plain(stars[name])) < worst

    broken = stars[:3].copy()
    broken["u_psf"][1] = 99 * u.mag
    np.testing.assert_array_equal(np.isnan(plain(system.predict(broken)["teff"])), [False, True, False])

    catalog = system.catalog(stars, labels)
    catalog.write(tmp_path / "catalog.vot")
    back = catalogs.read(tmp_path / "catalog.vot", "skymapper")
    np.testing.assert_array_equal(back["object_id"], stars["object_id"])
    np.testing.assert_allclose(plain(back["age"]), plain(labels["age"]), rtol=1e-6)

    stars[[name for name in stars.colnames if "psf" in name or name == "object_id"]].write(tmp_path / "stars.fits")
    text = label(["skymapper", tmp_path / "stars.fits", "-o", tmp_path / "out.fits", "--weights", path], installed)
    assert f"{len(stars)} stars" in text
    written = catalogs.read(tmp_path / "out.fits")
    np.testing.assert_array_equal(written["object_id"], stars["object_id"])
    np.testing.assert_allclose(plain(written["feh"]), plain(labels["feh"]), rtol=1e-5, atol=1e-5)
    scale.label_file(system, tmp_path / "stars.fits", tmp_path / "parts.vot", rows=128, progress=False)
    parts = catalogs.read(tmp_path / "parts.vot")
    np.testing.assert_allclose(plain(parts["age"]), plain(labels["age"]), rtol=1e-5, atol=1e-5)

    pages = report.write(tmp_path / "catalog.vot", tmp_path / "report", schema="skymapper")
    assert "age" in Path(pages["index.html"]).read_text(encoding="utf-8")


def coadd(folder, number, count, seed):
    """A coadd file and its Redrock file in the form of DESI, and the labels of the stars in them."""
    random = np.random.default_rng(seed)
    targets = FIRST + 1000 * number + random.permutation(count)
    teff, feh = random.uniform(4500, 7000, count), random.uniform(-2, 0.3, count)
    velocity = random.normal(0, 80, count)
    fibermap = Table({"TARGETID": targets, "TARGET_RA": random.uniform(0, 360, count), "TARGET_DEC": np.zeros(count)})
    fibermap["OBJTYPE"], fibermap["COADD_FIBERSTATUS"] = "TGT", np.zeros(count, np.int32)
    units = [fits.PrimaryHDU(), fits.BinTableHDU(fibermap, name="FIBERMAP")]
    for arm, (low, high) in ARMS.items():
        wave = np.arange(low, high, 0.8)
        rest = wave / (1 + velocity[:, None] / LIGHT)
        flux = 10 * (rest / 5500) ** (-(teff[:, None] - 5500) / 1500)
        for line in (3933.7, 4226.7, 4384.0, 5175.0, 5270.0, 5892.0, 8544.0):
            flux *= 1 - (0.35 + 0.12 * feh[:, None]) * np.exp(-0.5 * ((rest - line) / 6) ** 2)
        for line in (4341.7, 4862.7, 6564.6):
            flux *= 1 - (teff[:, None] - 4000) / 6000 * np.exp(-0.5 * ((rest - line) / 8) ** 2)
        flux += 0.1 * random.standard_normal(flux.shape)
        unit = "10**-17 erg/(s cm2 Angstrom)"
        units.append(fits.ImageHDU(wave, name=f"{arm}_WAVELENGTH"))
        units[-1].header["BUNIT"] = "Angstrom"
        units.append(fits.ImageHDU(flux.astype(np.float32), name=f"{arm}_FLUX"))
        units[-1].header["BUNIT"] = unit
        units.append(fits.ImageHDU(np.full(flux.shape, 100.0, np.float32), name=f"{arm}_IVAR"))
        units.append(fits.CompImageHDU(np.zeros(flux.shape, np.int32), name=f"{arm}_MASK"))
        units.append(fits.ImageHDU(np.zeros((count, 11, 4), np.float32), name=f"{arm}_RESOLUTION"))
    path = folder / f"coadd-main-bright-{number}.fits"
    fits.HDUList(units).writeto(path)
    order = random.permutation(count)
    redshifts = Table({"TARGETID": targets[order], "Z": velocity[order] / LIGHT, "SPECTYPE": ["STAR"] * count})
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(redshifts, name="REDSHIFTS")]).writeto(
        folder / f"redrock-main-bright-{number}.fits"
    )
    return path, QTable(
        {"teff": teff * u.K, "logg": np.full(count, 4.0) * u.dex + feh * 0.1 * u.dex, "feh": feh * u.dex}
    )


def test_desi(tmp_path, installed):
    files = [coadd(tmp_path, number, 100, number) for number in range(3)]
    paths = [str(path) for path, _ in files]
    stars = read_table(paths)
    assert len(stars) == 300 and stars.colnames[0] == "TARGETID" and stars["flux"].shape[1] > 7000
    truth = {name: np.concatenate([plain(table[name]) for _, table in files]) for name in ("teff", "logg", "feh")}
    for name, values in truth.items():
        stars[name] = columns.column(name).dress(values)
    system = systems.get("desi")(seed=1).fit(stars[:200], validation=0.2, progress=False)
    path = tmp_path / "desi.stellarlabels"
    system.save(path)
    assert systems.load(path).labels == ("teff", "logg", "feh")

    new = stars[200:]
    labels = system.predict(new)
    assert labels.colnames[0] == "TARGETID"
    np.testing.assert_array_equal(labels["TARGETID"], new["TARGETID"])
    assert (labels["TARGETID"] >= FIRST).all() and labels["TARGETID"].dtype == np.int64
    assert np.nanstd(plain(labels["teff"]) - truth["teff"][200:]) < 150
    assert np.nanstd(plain(labels["feh"]) - truth["feh"][200:]) < 0.15

    masked = new[:3].copy()
    masked["mask"][0] = 1
    masked["mask"][1, masked["wavelength"][1] > 5800 * u.AA] = 4
    seen = system.predict(masked)["feh_flag"]
    np.testing.assert_array_equal(flags.LABEL.has(seen, "NO_INPUT"), [True, False, False])
    np.testing.assert_array_equal(flags.LABEL.has(seen, "MISSING_BAND"), [False, True, False])
    del masked["z"]
    assert flags.LABEL.has(system.predict(masked)["feh_flag"][2], "MISSING_VELOCITY")

    catalog = system.catalog(new, labels)
    catalog.write(tmp_path / "catalog.fits")
    back = catalogs.read(tmp_path / "catalog.fits", "desi")
    key = columns.identifier(back)
    assert key.lower() == "targetid"
    np.testing.assert_array_equal(back[key], new["TARGETID"])

    text = label(["desi", *paths, "-o", tmp_path / "out.vot", "--weights", path], installed)
    assert "300 stars" in text
    written = catalogs.read(tmp_path / "out.vot")
    np.testing.assert_array_equal(written[columns.identifier(written)], stars["TARGETID"])
    np.testing.assert_allclose(plain(written["feh"])[200:], plain(labels["feh"]), rtol=1e-4, atol=1e-4)
    scale.label_file(system, paths, tmp_path / "parts.parquet", rows=64, progress=False)
    parts = catalogs.read(tmp_path / "parts.parquet")
    np.testing.assert_allclose(plain(parts["teff"]), plain(written["teff"]), rtol=1e-5)

    pages = report.write(tmp_path / "catalog.fits", tmp_path / "report", schema="desi")
    assert "feh" in Path(pages["index.html"]).read_text(encoding="utf-8")
