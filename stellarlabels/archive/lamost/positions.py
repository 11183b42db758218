"""Spectra of stars of which only positions are known: the nearest one of the survey's catalog in a TAP service."""

import numpy as np
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.archive import TAP, queries
from stellarlabels.archive.tap import payload
from stellarlabels.exceptions import MissingColumnError

#: Separations (rad) that tell different stars: of spectra of one star the best is taken. Half an arcsecond.
_SAME = np.radians(0.5 / 3600)


def with_obsids(stars, *, resolution="low", tap=None, **options):
    """A table of stars (N,) with ``obsid``, found by ``ra`` and ``dec`` within 3 arcsec where the table has none."""
    if columns.find(stars, "obsid") is not None:
        return stars
    if columns.find(stars, "ra") is None or columns.find(stars, "dec") is None:
        raise MissingColumnError(
            f"stars: expected obsid, or ra and dec, by which the archive finds spectra; got {', '.join(stars.colnames)}"
        )
    query = queries.get("lamost_near" if resolution == "low" else "lamost_mrs_near")
    tap = TAP(query.services[0]) if tap is None else tap
    pairs = tap.run_chunks(query.bind(), stars, **options)
    out = QTable(stars, copy=False)
    out.add_column(columns.column("obsid").dress(_best(stars, pairs)), name="obsid", index=0)
    return out


def _best(stars, pairs):
    """Identifiers (N,), masked, of the spectrum of the nearest star, and of its spectra of that of the highest S/N."""
    from astropy.coordinates import angular_separation

    rows = np.asarray(pairs[payload.ROW], int)
    here = [np.radians(columns.values(stars, name)[rows]) for name in ("ra", "dec")]
    there = [np.radians(np.asarray(columns.without_unit(pairs[f"there_{name}"]), float)) for name in ("ra", "dec")]
    apart = angular_separation(*here, *there)
    nearest = np.full(len(stars), np.inf)
    np.minimum.at(nearest, rows, apart)
    ratio = np.ma.filled(np.ma.asarray(columns.without_unit(pairs["snr"]), float), -1.0)
    order = [row for row in np.lexsort((ratio,)) if apart[row] <= nearest[rows[row]] + _SAME]
    out = np.ma.masked_all(len(stars), np.int64)
    out[rows[order]] = np.asarray(pairs["obsid"], np.int64)[order]  # the best one is written last
    return out
