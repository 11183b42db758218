"""The table that the library hands out: a QTable whose columns in dex are plain numbers."""

from astropy.table import Column, MaskedColumn, QTable
from astropy.units import Quantity
from astropy.utils.masked import Masked

#: The unit in which logarithmic abundances are plain numbers, as in tables of TAP services.
_PLAIN = "dex"


class StarTable(QTable):
    """
    A `~astropy.table.QTable` of stars, in which ``table["feh"] < -1`` is what it looks like.

    Columns in dex are plain ones, with the unit beside the numbers as in tables of TAP services; those with other units
    are quantities, as in any QTable.
    """

    def _convert_col_for_table(self, col):
        """Columns that the table is made of: those in dex plain, all others as in any QTable."""
        return _plain(col) if _in_dex(col) else super()._convert_col_for_table(col)

    def add_column(self, col, *args, **kwargs):
        """Add a column, as in any QTable; one in dex becomes a plain one."""
        super().add_column(_plain(col), *args, **kwargs)

    def replace_column(self, name, col, copy=True):
        """Replace a column, as in any QTable; one in dex becomes a plain one."""
        super().replace_column(name, _plain(col), copy=copy)


def _in_dex(col):
    """Whether a column is in dex."""
    return str(getattr(col, "unit", None)) == _PLAIN


def _plain(col):
    """A quantity in dex as a column, sharing its numbers; anything else as it is."""
    if not (isinstance(col, Quantity) and _in_dex(col)):
        return col
    about = {name: getattr(col.info, name) for name in ("name", "description", "format", "meta")}
    if isinstance(col, Masked):
        return MaskedColumn(col.unmasked.value, mask=col.mask, unit=col.unit, copy=False, **about)
    return Column(col.value, unit=col.unit, copy=False, **about)
