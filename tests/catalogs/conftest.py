"""Tables for the tests of catalogs."""

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stellarlabels import schema
from stellarlabels.catalogs import schemas

_INTEGERS = {"int16": st.integers(-(2**15), 2**15 - 1), "int32": st.integers(-(2**31), 2**31 - 1)}
#: Small and large identifiers, among them the extremes of 64 bits.
_IDENTIFIERS = st.one_of(st.integers(0, 9), st.integers(2**63 - 4, 2**63 - 1), st.integers(-(2**63), -(2**63) + 3))


def _values(item, unicode):
    if item.is_text:
        last = 0x2FFFF if unicode else 126
        letters = st.characters(min_codepoint=33, max_codepoint=last, exclude_categories=["Cs", "Cc"])
        return "U12", st.text(letters, max_size=12)
    kind = np.dtype(item.dtype)
    if kind.kind == "f":
        return kind, st.floats(width=8 * kind.itemsize, allow_nan=True, allow_infinity=True)
    if kind.kind == "b":
        return kind, st.booleans()
    return kind, _INTEGERS.get(kind.name, _IDENTIFIERS)


def _draw(draw, columns, unicode):
    rows = draw(st.integers(0, 5))
    table = QTable(meta={"system": "uacsnet", "stars": 40226, "note": "two words, and 'quotes' <&>", "bins": [10, 15]})
    for item in columns:
        shape = (rows, *item.shape)
        dtype, elements = _values(item, unicode)
        data = draw(hnp.arrays(dtype, shape, elements=elements, fill=st.nothing()))
        mask = draw(hnp.arrays(bool, shape, fill=st.nothing()))
        table[item.name] = item.dress(np.ma.MaskedArray(data, mask=mask))
    return table


def _label_columns():
    """A table of labels, and a column of each kind that a table may hold beside them."""
    columns = [schema.column("source_id"), *schema.label_columns("teff"), *schema.label_columns("feh")]
    columns.append(schema.Column("note", dtype="str", description="Free text"))
    columns.append(schema.Column("good", dtype="bool", ucd="meta.code", description="A truth value"))
    columns.append(schema.Column("pair", unit="mag", dtype="float32", shape=(2,), format=".3f", description="Two"))
    columns.append(schema.Column("counts", dtype="int16", shape=(3,)))
    columns.append(schema.Column("rate", unit="electron / s", dtype="float64"))
    columns.append(schema.Column("pixels", unit="pix", dtype="int64"))
    return columns


#: By kind of table: the schema to write and read with, and the columns.
KINDS = {"labels": (None, _label_columns()), **{name: (name, list(schemas.get(name))) for name in schemas.available()}}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def tables():
    """A function that makes the strategy for tables of a kind."""

    def strategy(kind, unicode=True):
        return st.composite(lambda draw: _draw(draw, KINDS[kind][1], unicode))()

    return strategy


@pytest.fixture
def labels():
    """Three rows of labels; the last one has nothing but its identifier, which is the largest there is."""
    table = QTable({"source_id": np.array([5853498713190525696, 4295806720, 2**63 - 1])})
    table.meta = {"system": "uacsnet", "recipe": "apogee", "trained_on": "APOGEE DR17"}
    data = {"teff": (5772.0, 40.0), "logg": (4.44, 0.1), "feh": (-0.5, 0.05)}
    for label, pair in data.items():
        value, error, flag = schema.label_columns(label)
        for item, number in zip((value, error), pair, strict=True):
            table[item.name] = item.dress([number, -number, np.nan])
        table[flag.name] = flag.dress([0, 64, 1])
    return table
