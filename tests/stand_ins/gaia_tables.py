"""What a stand-in of the Gaia archive answers to the queries with which stars are listed and completed."""

import re

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table

from stellarlabels.archive import queries
from stellarlabels.columns import vocabulary, without_unit


def served(sample):
    """The table of the archive: magnitudes and parallaxes as Gaia and 2MASS have them."""
    names = [name for query in ("gaia_by_id", "gaia_distances") for name in queries.get(query).gives]
    names.remove("upload_row")
    out = Table({"source_id": sample["source_id"]})
    for name in dict.fromkeys((*names, "ra", "dec", "phot_g_mean_mag")):
        there = name in sample.colnames
        data = without_unit(sample[name]) if there else np.ma.masked_all(len(sample))
        out[name] = MaskedColumn(np.ma.masked_invalid(data))
    out["r_med_geo"] = np.full(len(out), 900.0)
    out["astrometric_params_solved"] = np.full(len(out), 31, np.int16)
    out["nu_eff_used_in_astrometry"], out["ecl_lat"] = np.full(len(out), 1.5), np.full(len(out), 40.0)
    for name in out.colnames:
        out[name].unit = vocabulary()[name].unit if name in vocabulary() else None
    return out


def answers(table):
    """A function that answers ADQL from a table of stars."""

    def answer(adql, uploads):
        if adql.startswith("SELECT COUNT(*)"):
            return Table({"stars": [len(answer(re.search(r"FROM \((.*)\) AS listed", adql, re.DOTALL)[1], {}))]})
        if "TAP_UPLOAD" in adql:
            return _joined(table, uploads["stars"], "there_ra" in adql)
        rows = table
        if circle := re.search(r"CIRCLE\('ICRS', (.+?), (.+?), (.+?)\)", adql):
            ra, dec, radius = (float(word.strip("()")) for word in circle.groups())
            sky = SkyCoord(table["ra"], table["dec"], unit="deg")
            rows = table[sky.separation(SkyCoord(ra, dec, unit="deg")) < radius * u.deg]
        if top := re.search(r"TOP (\d+)", adql):
            rows = rows[: int(top[1])]
        return rows if "parallax" in adql else rows["source_id", "ra", "dec", "phot_g_mean_mag"]

    return answer


def _joined(table, upload, by_position):
    """Rows of the archive's table for an upload."""
    place = {name: row for row, name in enumerate(table["source_id"].tolist())}
    if not by_position:
        found = [(number, place[name]) for number, name in upload.iterrows() if name in place]
    else:
        here = SkyCoord(upload["ra"], upload["dec"], unit="deg")
        one, other, *_ = SkyCoord(table["ra"], table["dec"], unit="deg").search_around_sky(here, 1 * u.arcsec)
        found = sorted(zip(upload["upload_row"][one].tolist(), other.tolist(), strict=True))
    out = table[[row for _, row in found]]
    out["upload_row"] = [number for number, _ in found]
    if by_position:
        out.rename_columns(["ra", "dec"], ["there_ra", "there_dec"])
        out.keep_columns(["upload_row", "source_id", "there_ra", "there_dec"])
    return out
