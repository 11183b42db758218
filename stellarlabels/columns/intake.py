"""The one door: whatever table comes in, it comes out as a new table with known names, units, masks and identifiers."""

from stellarlabels.columns.frames import as_table

__all__ = ["intake"]


def intake(table, *, argument="table"):
    """Take a table in.

    Parameters
    ----------
    table : `~astropy.table.Table`, `~astropy.table.Row` or data frame
        Of pandas, polars, Arrow or Dask's parts: named columns, one row for each star.
    argument : str
        What to call it in messages.

    Returns
    -------
    `~astropy.table.QTable`
        A new one with the same rows in the same order.

    Raises
    ------
    InputError
        If it is not a table.
    """
    return as_table(table, argument)
