"""Every shipped query runs on a real server, on tables with the archives' names and rows made of real stars."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels.archive import TAP, queries
from stellarlabels.archive.tap import Retry
from stellarlabels.columns import jplus, vocabulary, without_unit
from stellarlabels.corrections.parallax import zero_point
from stellarlabels.exceptions import MissingUnitWarning
from stellarlabels.inputs.examples import xp_apogee_sample

pytestmark = pytest.mark.vo

DESCRIPTORS = sorted(Path(__file__).parent.glob("*.rd"))

#: The order of the J-PLUS arrays, which is not that of the wavelengths.
ARRAYS = (
    *("rSDSS", "gSDSS", "iSDSS", "zSDSS", "uJAVA", "J0378"),
    *("J0395", "J0410", "J0430", "J0515", "J0660", "J0861"),
)
#: Effective wavelengths of the filters, nm.
WAVELENGTHS = {
    "uJAVA": 348.5, "J0378": 378.5, "J0395": 395.0, "J0410": 410.0, "J0430": 430.0, "gSDSS": 480.3,
    "J0515": 515.0, "rSDSS": 625.4, "J0660": 660.0, "iSDSS": 766.8, "J0861": 861.0, "zSDSS": 911.4,
}  # fmt: skip

#: Values of parameters that have no default.
NEEDED = {
    "uncertain_apply_catwise": {"region": (264.86, -21.11, 5)},
    "uncertain_unwise": {"ra": (100, 260), "dec": (0, 80)},
}


def for_dachs(adql):
    """The text as DaCHS can read it.

    It wants regular names for VizieR's tables, and quotes around a schema whose name is a word of ADQL. The names of
    filters, which CEFCA's service looks up itself, become the places of the filters in the arrays.
    """
    adql = re.sub(r"\bexternal\.", '"external".', adql)
    for name in re.findall(r'"[^"]+/[^"]+"', adql):
        if not name.startswith(('"[', '"e_[')):
            adql = adql.replace(name, "vizier." + re.sub(r"\W+", "_", name.strip('"')).lower())
    return re.sub(r"\[jplus::(\w+)\]", lambda match: f"[{ARRAYS.index(match[1]) + 1}]", adql)


def masked(values, missing):
    return MaskedColumn(np.where(missing, 0, values), mask=missing)


def ab_magnitudes(stars):
    """Magnitudes in the filters of J-PLUS from the real XP spectra, in the order of the arrays."""
    wave = stars.meta.get("wavelength", np.arange(336.0, 1021.0, 2.0) * u.nm)
    columns = []
    for name in ARRAYS:
        flux = stars["flux"][:, np.abs(wave.to_value(u.nm) - WAVELENGTHS[name]) <= 6].mean(axis=1)
        jansky = flux.to(u.Jy, u.spectral_density(WAVELENGTHS[name] * u.nm)).value
        columns.append(np.where(jansky > 0, -2.5 * np.log10(np.maximum(jansky, 1e-12) / 3631), 99.0))
    return np.stack(columns, axis=1).round(4)


@pytest.fixture(scope="module")
def stars():
    """The real stars of the package, in plain columns."""
    return xp_apogee_sample()


@pytest.fixture(scope="module")
def tables(stars):
    """Rows for all tables: real positions, identifiers, magnitudes, parallaxes, labels; the rest follows from them."""
    random = np.random.default_rng(11)
    count = len(stars)
    index = np.arange(count)

    def plain(name):
        data = without_unit(stars[name])
        return np.ma.masked_invalid(data) if data.dtype.kind == "f" else data

    ra, dec = plain("ra").data, plain("dec").data
    sky = SkyCoord(ra * u.deg, dec * u.deg)
    names, magnitude, bp, rp = (
        plain(n) for n in ("source_id", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")
    )
    parallax, error = plain("parallax"), plain("parallax_error")
    missing = np.ma.getmaskarray(parallax) | np.ma.getmaskarray(error)
    ratio = np.ma.MaskedArray(np.where(missing, 0, parallax.data / np.where(missing, 1, error.data)), missing)
    flux = {band: 10 ** (0.4 * (25.7 - mag.filled(15))) for band, mag in (("g", magnitude), ("bp", bp), ("rp", rp))}
    position = {"ra": ra, "dec": dec}
    gaia = {
        "source_id": names, **position, "l": sky.galactic.l.deg, "b": sky.galactic.b.deg,
        "ecl_lat": sky.barycentrictrueecliptic.lat.deg, "parallax": parallax, "parallax_error": error,
        "parallax_over_error": ratio,
        "astrometric_params_solved": np.where(index % 7 == 0, 95, 31),
        "nu_eff_used_in_astrometry": masked(1.75 - 0.25 * (bp - rp).filled(1), index % 7 == 0),
        "pseudocolour": masked(1.75 - 0.25 * (bp - rp).filled(1), index % 7 != 0),
        "ruwe": np.where(index % 11 == 0, 1.8, 1.02), "phot_bp_rp_excess_factor": np.where(index % 13 == 0, 3.5, 1.25),
        "bp_rp": bp - rp, "has_xp_continuous": index % 5 != 0, "has_xp_sampled": index % 5 != 0,
        "phot_g_mean_mag": magnitude, "phot_bp_mean_mag": bp, "phot_rp_mean_mag": rp,
        "teff_gspphot": plain("teff"), "logg_gspphot": plain("logg"), "mh_gspphot": plain("feh"),
        "distance_gspphot": masked(np.full(count, 900.0), index % 3 == 0),
        "azero_gspphot": np.full(count, 0.3), "ag_gspphot": np.full(count, 0.25),
        "ebpminrp_gspphot": np.full(count, 0.13),
    }  # fmt: skip
    for band in ("g", "bp", "rp"):
        gaia[f"phot_{band}_mean_flux"], gaia[f"phot_{band}_mean_flux_error"] = flux[band], flux[band] / 500
    away = random.uniform(0, 0.8, count) / 3600
    near = {"ra": ra, "dec": dec + away}
    labels = {"teff": plain("teff"), "logg": plain("logg"), "[Fe/H]": plain("feh")}
    errors = {"e_teff": plain("teff_err"), "e_logg": plain("logg_err"), "e_[Fe/H]": plain("feh_err")}
    jhk = {
        name: plain(name) if name in stars.colnames else np.full(count, 0.02)
        for name in ("j_m", "j_msigcom", "h_m", "h_msigcom", "ks_m", "ks_msigcom")
    }
    w1 = jhk["ks_m"] - 0.05
    lamost = {"obsid": 101001 + index, "snrg": 8.0 + index % 60}
    lasp = {**lamost, "raj2000": near["ra"], "dej2000": near["dec"], **labels, **errors}
    mrs = {
        "obsid": 600000000 + index, "lmjd": np.full(count, 58269), "lmjm": np.full(count, 83907000) + index % 3,
        "planid": np.full(count, "HIP95119KP01"), "spid": np.full(count, 12), "fiberid": index % 250,
        **near, "coadd": index % 2, "fibermask": np.zeros(count, int), "rv_b1": np.full(count, -12.5),
        "rv_r1": np.full(count, -12.1),
    }  # fmt: skip
    flags = np.zeros((count, 12), dtype=int)
    flags[index % 4 == 0, 3] = 2
    magnitudes = ab_magnitudes(stars)
    abundances = {}
    for name in ("M/H", "a/M", "C/Fe", "N/Fe"):
        abundances[f"[{name}]"] = plain("alpha_m" if name == "a/M" else "feh")
        abundances[f"e_[{name}]"] = plain("feh_err")
    bibcodes = np.where(index % 2, "1985A&A...149...21C", "2001A&A...373.1019E")
    made = {
        "gaiadr3.gaia_source": gaia,
        "gaiadr3.tmass_psc_xsc_best_neighbour": {"source_id": names, "clean_tmass_psc_xsc_oid": index},
        "gaiadr3.tmass_psc_xsc_join": {
            "original_psc_source_id": np.char.add("t", index.astype(str)), "clean_tmass_psc_xsc_oid": index,
        },
        "gaiadr3.allwise_best_neighbour": {"source_id": names[index % 6 != 0], "allwise_oid": index[index % 6 != 0]},
        "gaiadr2.gaia_source": {key: gaia[key] for key in (
            "source_id", "ra", "dec", "parallax", "parallax_error", "phot_g_mean_mag", "phot_bp_mean_mag",
            "phot_rp_mean_mag", "phot_bp_rp_excess_factor")},
        "gaiadr1.tmass_original_valid": {
            "designation": np.char.add("t", index.astype(str)), "tmass_oid": index, **position, **jhk,
            "ph_qual": np.full(count, "AAA"),
        },
        "gaiadr1.allwise_original_valid": {
            "allwise_oid": index, **position, "w1mpro": w1, "w1mpro_error": np.full(count, 0.023), "w2mpro": w1 - 0.02,
            "w2mpro_error": np.full(count, 0.021),
        },
        "external.gaiaedr3_distance": {
            "source_id": names, **{f"r_{kind}_{how}": np.full(count, value) for how in ("geo", "photogeo")
                                   for kind, value in (("lo", 880.0), ("med", 900.0), ("hi", 925.0))},
        },
        "external.gaiadr2_geometric_distance": {
            "source_id": names[index % 4 != 0], **{name: np.full(count, value)[index % 4 != 0] for name, value in (
                ("r_est", 910.0), ("r_lo", 890.0), ("r_hi", 930.0))},
        },
        "external.catwise2020": {
            "obj_id": np.char.add("c", index.astype(str)), "ra_icrs": ra, "de_icrs": dec + away, "w1mpro_pm": w1,
            "e_w1mpro_pm": np.full(count, 0.012), "w2mpro_pm": w1 - 0.02, "e_w2mpro_pm": np.full(count, 0.011),
        },
        "external.lamost_dr9_lrs": {
            **lamost, **near, "class": np.where(index % 10 == 9, "QSO", "STAR"), "subclass": np.full(count, "G5"),
            "z": np.full(count, 1e-4), "fibermask": (index % 12 == 0).astype(int), "lmjd": np.full(count, 56309),
            "planid": np.full(count, "GAC088N20V1"), "spid": np.full(count, 8), "fiberid": index % 250,
        },
        "jplus.magabdualobj": {
            "tile_id": 26000 + index // 100, "number": index, "alpha_j2000": near["ra"], "delta_j2000": near["dec"],
            "class_star": np.where(index % 8 == 0, 0.2, 0.98), "flags": flags, "mask_flags": flags * 0,
            "mag_aper_6_0": magnitudes,
            "mag_err_aper_6_0": np.where(magnitudes == 99, 99, 0.004 + 0.002 * (index % 3)[:, None]),
        },
        "jplus.xmatch_gaia_dr3": {"tile_id": 26000 + index // 100, "number": index, "source": names},
        "jplus.filter": {"filter_id": np.arange(1, 13), "name": np.array(ARRAYS)},
        "vizier.v_164_stellar5": lasp, "vizier.v_156_dr7slrs": lasp,
        "vizier.iii_286_catalog": {
            "apogee": np.char.add("2M", index.astype(str)), "gaiaedr3": names, "raj2000": ra, "dej2000": dec,
            "snr": 50.0 + index, "aflag": np.where(index % 9 == 0, 2**23, 0), **labels, **errors, **abundances,
        },
        "vizier.b_pastel_pastel": {
            "id": np.char.add("HD ", index.astype(str)), "radeg": near["ra"], "dedeg": near["dec"], **labels, **errors,
            "bibcode": bibcodes,
        },
        "vizier.j_mnras_506_150_stars": {
            "galah": 160000000000000 + index, "gaiaedr3": names, "raj2000": ra, "dej2000": dec,
            "redflag": (index % 4 == 0).astype(int), **labels, **errors, "[alpha/Fe]": plain("alpha_m"),
            "e_[alpha/Fe]": plain("alpha_m_err"),
        },
        "vizier.j_apjs_245_34_catalog": {
            "raj2000": near["ra"], "dej2000": near["dec"], "snrg": 30.0 + index % 60, **labels, **errors,
            **{f"{end}[{name}/Fe]": plain("alpha_m_err" if end else "alpha_m")
               for name in ("alpha", "C", "N", "Mg", "Ca") for end in ("", "e_")},
        },
        "vizier.j_apj_879_69_table1": {
            "apogee": np.char.add("2M", index.astype(str)), "raj2000": ra, "dej2000": dec, **labels,
            **{f"[{name}/H]": plain("feh") for name in (
                "C", "N", "O", "Mg", "Al", "Si", "S", "Ca", "Ti", "Cr", "Ni", "Cu")},
            "qual": np.where(index % 4 == 0, "bad", "good"),
        },
        "unwise_dr1.object": {
            "unwise_objid": np.char.add("u", index.astype(str)), **near, "flux_w1": 10 ** (0.4 * (22.5 - w1)),
            "flux_w2": 10 ** (0.4 * (22.5 - w1 + 0.02)), "dflux_w1": np.full(count, 2.0),
            "dflux_w2": np.full(count, 3.0), "mag_w1_vg": w1, "mag_w2_vg": w1 - 0.02,
            "primary": (index % 3 != 0).astype(int),
        },
    }  # fmt: skip
    out = {name: Table({key: MaskedColumn(value) for key, value in columns.items()}) for name, columns in made.items()}
    arms = []
    for band, snr in (("B", 5.0 + index % 40), ("R", 7.0 + index % 50)):
        arms.append(
            Table({**mrs, "mobsid": np.char.add(band, index.astype(str)), "band": np.full(count, band), "snr": snr})
        )
    for name, arm in zip(("B", "R"), arms, strict=True):
        out[f"external.lamost_dr9_mrs {name}"] = arm
    return out


@pytest.fixture(scope="module")
def server(dachs, tables):
    for path in DESCRIPTORS:
        dachs.import_rd(path)
    for name, table in tables.items():
        dachs.fill(table, name.split()[0])
    return dachs


@pytest.fixture(scope="module")
def tap(server):
    return TAP(server.url, interval=0, retry=Retry(times=1, first=0.1), progress=False)


@pytest.fixture(scope="module")
def uploaded(stars):
    """A user's table: the stars in an order of their own, with other columns too."""
    random = np.random.default_rng(5)
    return QTable(stars[random.permutation(len(stars))[:200]]["source_id", "ra", "dec", "teff"])


def bound(name, **values):
    """A query with values for all parameters."""
    return queries.get(name).bind(**{**NEEDED.get(name, {}), **values})


def run(tap, query, uploaded, mode="run_sync"):
    """The result of a query, in the dialect of DaCHS."""
    query = replace(query, adql=for_dachs(query.adql))
    return getattr(tap, mode)(query, upload=uploaded if query.query.upload else None, maxrec=20000)


def aliases(adql):
    """Names that the result has to have, by the text of the query."""
    selected = re.split(r"\bFROM\b", re.sub(r"^\s*SELECT( TOP \d+)?", "", adql, flags=re.IGNORECASE), maxsplit=1)[0]
    parts, depth, start = [], 0, 0
    for place, character in enumerate(selected):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append(selected[start:place])
            start = place + 1
    parts.append(selected[start:])
    return [re.split(r"\s+AS\s+|\.", part.strip())[-1].strip('"').lower() for part in parts]


class TestEveryQuery:
    """What is shipped runs."""

    @pytest.mark.parametrize("name", queries.available())
    def test_runs(self, tap, uploaded, name):
        query = bound(name)
        result = run(tap, query, uploaded)
        assert len(result) > 0
        assert [column.lower() for column in result.colnames] == aliases(query.adql)
        known = vocabulary()
        for column in result.colnames:
            if column in known and known[column].unit and result[column].unit is not None:
                result[column].unit.to(known[column].unit)

    @pytest.mark.parametrize("name", queries.available())
    def test_names_are_those_of_the_tables(self, name):
        """What the files call unconfirmed or not, the mock tables have no names of their own invention."""
        columns = described()
        text = re.sub(r"'[^']*'", "", for_dachs(bound(name).adql)).replace('"external"', "external")
        used = dict(re.findall(r"(?:FROM|JOIN)\s+([\w.]+)\s+AS\s+(\w+)", text))
        assert used
        for table, alias in used.items():
            if table.startswith("TAP_UPLOAD"):
                continue
            names = {found.strip('"').lower() for found in re.findall(rf'\b{alias}\.("[^"]+"|\w+)', text)}
            assert names and names <= columns[table.lower()], table


def described():
    """Columns of the tables in the resource descriptors."""
    out = {}
    for path in DESCRIPTORS:
        root = ElementTree.parse(path).getroot()
        for table in root.iter("table"):
            names = {column.get("name").removeprefix("quoted/").lower() for column in table.iter("column")}
            out[f"{root.get('schema')}.{table.get('id')}"] = names
    return out


class TestSelections:
    """The rows are those that the papers' cuts leave, selected here once more with NumPy."""

    def test_uncertain_apply(self, tap, tables, uploaded):
        gaia = tables["gaiadr3.gaia_source"]
        keep = gaia["has_xp_continuous"] & (gaia["phot_bp_rp_excess_factor"] < 3) & (gaia["ruwe"] <= 1.4)
        keep &= (gaia["phot_g_mean_mag"] >= 9) & (gaia["phot_g_mean_mag"] <= 14)
        result = run(tap, bound("uncertain_apply", g_mag=(9, 14)), uploaded)
        assert sorted(result["source_id"]) == sorted(gaia["source_id"][keep])
        without = np.isin(result["source_id"], gaia["source_id"][np.arange(len(gaia)) % 6 == 0])
        assert without.any() and (np.ma.getmaskarray(result["w1mpro"]) == without).all()

    def test_uncertain_train_keeps_identifiers_and_rows(self, tap, uploaded):
        result = run(tap, bound("uncertain_train"), uploaded)
        np.testing.assert_array_equal(uploaded["source_id"][result["upload_row"]], result["source_id"])
        assert result["source_id"].dtype == np.int64

    @pytest.mark.parametrize("name", ["uacsnet_apply", "csnet_labels", "uncertain_compare"])
    def test_limits(self, tap, uploaded, name):
        assert len(run(tap, bound(name, limit=3), uploaded)) == 3

    def test_in_chunks(self, tap, uploaded, tmp_path):
        query = bound("uacsnet_train")
        whole = run(tap, query, uploaded)
        parts = tap.run_chunks(query, uploaded, chunk_rows=60, mode="sync", store=tmp_path)
        assert len(whole) == len(parts) > 0
        key = ("upload_row", "source_id")
        assert sorted(zip(*(parts[name] for name in key), strict=True)) == sorted(
            zip(*(whole[name] for name in key), strict=True)
        )

    def test_regions(self, tap, tables, uploaded):
        center = SkyCoord(180 * u.deg, 40 * u.deg)
        gaia = tables["gaiadr3.gaia_source"]
        near = SkyCoord(gaia["ra"] * u.deg, gaia["dec"] * u.deg).separation(center) < 30 * u.deg
        result = run(tap, bound("uacsnet_apply", region=(180, 40, 30), bp_rp=(-5, 10), g_mag=(0, 25)), uploaded)
        assert sorted(result["source_id"]) == sorted(gaia["source_id"][near & gaia["has_xp_continuous"]])

    def test_uacsnet_train_by_position(self, tap, tables, uploaded):
        result = run(tap, bound("uacsnet_train"), uploaded)
        gaia = tables["gaiadr3.gaia_source"]
        keep = gaia["has_xp_continuous"] & (np.abs(gaia["b"]) > 20) & (gaia["phot_g_mean_mag"] > 6)
        expected = np.intersect1d(np.asarray(uploaded["source_id"]), np.asarray(gaia["source_id"][keep]))
        np.testing.assert_array_equal(np.unique(result["source_id"]), expected)
        own = result["source_id"] == uploaded["source_id"][result["upload_row"]]
        assert own.sum() == len(expected)

    def test_solardis_apply(self, tap, tables, uploaded):
        lamost, gaia = tables["external.lamost_dr9_lrs"], tables["gaiadr3.gaia_source"]
        poor = np.ma.getmaskarray(gaia["parallax_over_error"]) | (gaia["parallax_over_error"].filled(0) <= 5)
        poor |= np.ma.getmaskarray(gaia["distance_gspphot"])
        keep = (lamost["class"] == "STAR") & (lamost["snrg"] >= 10) & poor
        result = run(tap, bound("solardis_apply"), uploaded)
        assert sorted(result["obsid"]) == sorted(lamost["obsid"][keep])  # each once, with its own star
        assert (result["source_id"] == gaia["source_id"][result["obsid"] - 101001]).all()
        assert result["separation"].max() < 0.81 and result["separation"].min() >= 0
        assert set(result["subclass"]) == {"G5"}

    def test_solardis_train(self, tap, tables, uploaded):
        lamost, gaia = tables["external.lamost_dr9_lrs"], tables["gaiadr3.gaia_source"]
        keep = (lamost["class"] == "STAR") & (lamost["snrg"] > 10) & (lamost["fibermask"] == 0)
        keep &= gaia["parallax_over_error"].filled(0) > 5
        result = run(tap, bound("solardis_train"), uploaded)
        expected = np.intersect1d(np.asarray(uploaded["source_id"]), np.asarray(gaia["source_id"][keep]))
        assert set(expected) <= set(result["source_id"])
        assert (np.ma.getdata(result["r_med_geo"]) == 900 * u.pc).all()

    def test_spcanet_apply_has_both_arms(self, tap, tables, uploaded):
        blue, red = (tables[f"external.lamost_dr9_mrs {arm}"] for arm in "BR")
        keep = (blue["snr"] > 10) & (red["snr"] > 10)
        result = run(tap, bound("spcanet_apply"), uploaded)
        assert sorted(result["obsid"]) == sorted(blue["obsid"][keep])
        assert all(name.startswith("B") for name in result["mrs_id_b"]) and min(result["snr_r"]) > 10

    def test_solardis_labels(self, tap, tables, uploaded):
        lasp = tables["vizier.v_156_dr7slrs"]
        teff, logg, feh = (lasp[name].filled(-9999) for name in ("teff", "logg", "[Fe/H]"))
        keep = (lasp["snrg"] > 10) & (teff >= 4800) & (teff <= 6800) & (np.abs(feh) < 1)
        keep &= logg >= 5.98 - 0.00035 * teff
        result = run(tap, bound("solardis_labels"), uploaded)
        assert set(result["obsid"]) ^ set(lasp["obsid"][keep]) == set()
        assert result["teff"].unit == u.K and "feh" in result.colnames

    def test_distances(self, tap, stars, uploaded):
        result = run(tap, bound("gaia_distances"), uploaded)
        assert sorted(result["upload_row"]) == list(range(len(uploaded))) and result["r_med_geo"].unit == u.pc
        found = run(tap, bound("csnet_gaia"), uploaded)
        place = {name: row for row, name in enumerate(np.asarray(stars["source_id"]).tolist())}
        known = np.array([place[name] % 4 != 0 for name in found["source_id"].tolist()])
        distance = without_unit(found["r_med_geo"])
        np.testing.assert_array_equal(distance.mask, ~known)
        assert set(distance.compressed().tolist()) == {910.0}

    def test_labels_of_the_paynes(self, tap, tables, uploaded):
        dwarfs = tables["vizier.j_apjs_245_34_catalog"]
        result = run(tap, bound("csnet_labels_ddpayne"), uploaded)
        assert len(result) == np.sum(dwarfs["snrg"] > 50) and {"mg_fe", "ca_fe_err"} < set(result.colnames)
        payne = tables["vizier.j_apj_879_69_table1"]
        teff, logg, feh = (payne[name].filled(-9999) for name in ("teff", "logg", "[Fe/H]"))
        keep = (payne["qual"] == "good") & (teff >= 3050) & (teff <= 7950) & (logg >= 0) & (logg <= 5)
        keep &= (feh >= -1.45) & (feh <= 0.45)
        result = run(tap, bound("spcanet_labels"), uploaded)
        assert sorted(result["apogee_id"]) == sorted(payne["apogee"][keep]) and "cu_h" in result.colnames

    def test_hostile_values_do_not_reach_the_server(self):
        for value in ("9, 14; DROP TABLE x", "9' OR '1'='1", "9 -- , 14"):
            with pytest.raises(ValueError, match="g_mag"):
                bound("uacsnet_apply", g_mag=value)


class TestJPLUS:
    """The arrays of J-PLUS, read by the names of the filters."""

    def test_filters(self, tap, tables, uploaded):
        result = jplus.gather(run(tap, bound("csnet_apply", r_mag=(5, 30)), uploaded))
        mock = tables["jplus.magabdualobj"]
        order = [ARRAYS.index(name) for name in jplus.FILTERS]
        keep = (mock["class_star"] >= 0.6) & (mock["mag_aper_6_0"][:, 0] < 30)
        rows = {number: row for row, number in enumerate(result["number"])}
        assert sorted(rows) == sorted(mock["number"][keep])
        got = result["mag_aper_6_0"][[rows[number] for number in mock["number"][keep]]]
        expected = mock["mag_aper_6_0"][keep][:, order]
        assert got.unit == u.mag and got.shape[1] == 12
        data = without_unit(got)
        np.testing.assert_array_equal(data.mask, expected == 99)
        np.testing.assert_allclose(data.compressed(), expected[expected != 99], rtol=1e-6)
        assert result["flags"].shape == (len(result), 12) and result["flags"].dtype.kind == "i"

    def test_the_papers_cuts(self, tap, tables, uploaded, stars):
        result = jplus.gather(run(tap, bound("csnet_train"), uploaded))
        mock = tables["jplus.magabdualobj"]
        clean = (mock["flags"] == 0).all(axis=1) & (mock["mag_aper_6_0"] < 99).all(axis=1)
        names = np.asarray(stars["source_id"])
        assert set(result["number"]) == set(np.flatnonzero(clean & np.isin(names, uploaded["source_id"])))
        assert (result["flags"] == 0).all()

    def test_identifiers_of_dr3(self, tap, stars, uploaded):
        result = run(tap, bound("csnet_apply_dr3"), uploaded)
        np.testing.assert_array_equal(result["source_id"], np.asarray(stars["source_id"])[result["number"]])


def test_a_result_goes_into_the_library(tap, uploaded):
    """The columns of the archive are what the corrections ask for."""
    result = run(tap, bound("uncertain_apply"), uploaded)
    with pytest.warns(MissingUnitWarning, match="'phot_g_mean_flux' in electron / s"):  # this server knows none of them
        offset = zero_point(result)
    assert np.isfinite(without_unit(offset).compressed()).sum() > 100


def rows_of(table):
    """Rows in an order and a form that do not depend on the client."""
    columns = []
    for column in Table(table).itercols():
        data = without_unit(column)
        if data.dtype.kind == "f" or (data.dtype.kind in "iu" and np.abs(data.filled(0)).max() < 2**53):
            data = np.round(data.astype(float).filled(np.nan), 4)
        columns.append(np.ma.filled(data.astype(str), ""))
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed")
@pytest.mark.parametrize(
    ("name", "sync"),
    [
        ("solardis_apply", "true"),
        ("csnet_apply", "true"),
        ("uncertain_labels", "false"),
        ("uacsnet_train", "true"),
        ("uacsnet_train", "false"),
    ],
)
def test_stilts_gives_the_same_rows(server, tap, uploaded, tmp_path, name, sync):
    """An independent client, synchronous and asynchronous, with and without an upload."""
    query = bound(name)
    command = ["stilts", "tapquery", f"tapurl={server.url}", f"adql={for_dachs(query.adql)}", f"sync={sync}"]
    if query.query.upload:
        table = Table({"upload_row": np.arange(len(uploaded)), **{n: uploaded[n].value for n in ("ra", "dec")}})
        table.write(tmp_path / "upload.vot", format="votable")
        command += ["nupload=1", f"upload1={tmp_path}/upload.vot", "upname1=stars"]
    command += [f"out={tmp_path}/out.vot", "ofmt=votable"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ours = run(tap, query, uploaded, "run_async" if sync == "false" else "run_sync")
    theirs = Table.read(tmp_path / "out.vot", format="votable")
    assert theirs.colnames == ours.colnames and len(ours) > 0
    assert rows_of(theirs) == rows_of(ours)
