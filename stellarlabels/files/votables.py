"""Tables as VOTable documents on their way to and from other programs, with units, UCDs, masks and 64-bit integers."""

import warnings
from io import BytesIO

import numpy as np
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels.exceptions import ReadError

__all__ = ["dumps", "loads"]


def dumps(table, *, serialization="binary2"):
    """A table as a VOTable document.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Columns of numbers, booleans and text, also with masks and units; UCDs are those in ``info.meta["ucd"]``.
    serialization : {"binary2", "tabledata"}
        BINARY2 tells apart a missing integer and any number; every program reads TABLEDATA.

    Returns
    -------
    bytes
    """
    from astropy.io.votable import converters, from_table

    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dex and electron are no VOUnits; programs show them as they are
        file = from_table(Table(table))
        for field in file.get_first_table().fields:
            if field.datatype == "bit":  # astropy's choice for truth values, which TOPCAT cannot read in BINARY2
                field.datatype = "boolean"
                field.converter = converters.get_converter(field)
        file.to_xml(out, tabledata_format=serialization)
    return out.getvalue()


def loads(data, *, where="VOTable"):
    """The first table of a VOTable document.

    Parameters
    ----------
    data : bytes
    where : str
        What to call the document in messages.

    Returns
    -------
    `~astropy.table.QTable`
        Missing values, NaN and empty texts are masked; UCDs are in ``info.meta["ucd"]``.

    Raises
    ------
    ReadError
        If it is damaged, truncated, or no VOTable.
    """
    from astropy.io.votable import parse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small faults of other programs' documents
        try:
            found = parse(BytesIO(data), verify="ignore").get_first_table().to_table(use_names_over_ids=True)
            for name in found.colnames:
                if found[name].dtype.kind == "U" and (found[name] == "").any():
                    found[name] = MaskedColumn(found[name], mask=np.asarray(found[name] == ""))
            return QTable(found)
        except Exception as error:  # damaged documents make the XML and VOTable parsers raise errors of any kind
            raise ReadError(f"{where}: damaged, truncated or no VOTable; {type(error).__name__}: {error}") from error
