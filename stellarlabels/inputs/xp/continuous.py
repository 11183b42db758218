"""XP spectra in their continuous representation: coefficients of basis functions, as arrays or one to a column."""

import numpy as np

from stellarlabels import flags
from stellarlabels.columns import plain, values, without_unit
from stellarlabels.exceptions import ReadError
from stellarlabels.files import Ragged, register
from stellarlabels.inputs.xp.gaiaxpy_adapter import BANDS, SIZE
from stellarlabels.inputs.xp.products import COEFFICIENTS, Spectra, beside, given_flags

__all__ = []


@register(
    "xp_continuous",
    product="xp",
    description="one row per star, with source_id and array cells bp_coefficients, bp_coefficient_errors, "
    "bp_coefficient_correlations, and the same of rp",
    accepts=lambda table: any(f"{band}_coefficients" in table.colnames for band in BANDS),
)
def read_continuous(raw, grid):
    """Coefficients in array cells, as the archive has them."""
    table = raw.table
    needed = ["source_id"]
    for band in BANDS:
        if f"{band}_coefficients" in table.colnames:
            needed.append(f"{band}_coefficient_errors")
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        raise ReadError(f"{raw.where}: column {missing[0]!r} is missing; the columns are {', '.join(table.colnames)}")
    columns = beside(table, [*COEFFICIENTS, "spectrum_flag"])
    for name, length in COEFFICIENTS.items():
        if name in table.colnames:
            data = Ragged.from_column(table[name]).matrix(length) if length else values(table, name)
            columns.add_column(plain(name, data), name=name, copy=False)
        elif not name.endswith(("correlations", "deviation")):  # a band that no star of the file has
            columns[name] = plain(name, np.full((len(table), length), np.nan))
    return _spectra(columns, given_flags(table), grid)


@register(
    "xp_coefficients",
    product="xp",
    description="one row per star, with source_id and columns bp_coeff_0 to bp_coeff_54, e_bp_coeff_0 to "
    "e_bp_coeff_54, and the same of rp",
    accepts=lambda table: any(f"{band}_coeff_0" in table.colnames for band in BANDS),
)
def read_coefficients(raw, grid):
    """One coefficient to a column, without correlations."""
    table = raw.table
    groups = {
        f"{band}_{name}": [f"{prefix}{band}_coeff_{index}" for index in range(SIZE)]
        for band in BANDS
        for name, prefix in (("coefficients", ""), ("coefficient_errors", "e_"))
    }
    missing = [name for name in ["source_id", *sum(groups.values(), [])] if name not in table.colnames]
    if missing:
        raise ReadError(f"{raw.where}: column {missing[0]!r} is missing, and {len(missing) - 1} more")
    columns = beside(table, [*sum(groups.values(), []), "spectrum_flag"])
    for name, members in groups.items():
        cells = np.stack([np.ma.filled(without_unit(table[key]), np.nan) for key in members], axis=1)
        columns[name] = plain(name, cells.astype(np.float64))
    return _spectra(columns, given_flags(table), grid)


def _spectra(columns, flag, grid):
    """Spectra that are still to be sampled."""
    has = [np.isfinite(columns[f"{band}_coefficients"]).all(axis=1) for band in BANDS]
    flag |= flags.SPECTRUM.where(
        NO_SPECTRUM=~has[0] & ~has[1], MISSING_BP=~has[0] & has[1], MISSING_RP=has[0] & ~has[1]
    )
    empty = np.full((len(columns), grid.size), np.nan)
    return Spectra(columns, empty, empty.copy(), np.zeros(len(columns), dtype=bool), flag)
