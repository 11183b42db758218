"""Tables for the tests of catalogs."""

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import strategies as st

from stellarlabels import flags
from stellarlabels.catalogs import schemas
from stellarlabels.columns import Column, column, good_column, label_columns

#: Values that files like to lose, among them the extremes of each type and those of published null values.
_EXTREMES = {
    "b": [True, False],
    "i2": [0, 1, -1, 2**15 - 1, -(2**15), -9999, 99],
    "i4": [0, 1, 2**31 - 1, -(2**31), -9999, 99],
    "i8": [0, 7, 2**63 - 1, 2**63 - 2, -(2**63), -(2**63) + 1, 2**53 + 1, -9999, 99, 5853498713190525697],
    "f4": [0.0, -0.0, 1.5, -9999.0, 99.0, 3.4028235e38, -3.4028235e38, 1e-45, np.inf, -np.inf, np.nan],
    "f8": [0.0, -0.0, 0.1, -9999.0, 99.0, 1.7976931348623157e308, 5e-324, -1e-300, np.inf, -np.inf, np.nan],
    "ascii": ["", "a", "J2303+3213", "two words", "'", '"', "<&>", "%,;|", "nan", "-9999", "007"],
    "unicode": ["", "Å", "\u6c49\u5b57", "\U0001f31f", "e\u0301"],
}


def _pool(item, unicode, finite):
    """Dtype, and a strategy for a few values: the extremes and others."""
    if item.is_text:
        last = 0x2FFFF if unicode else 126
        letters = st.characters(min_codepoint=33, max_codepoint=last, exclude_categories=["Cs", "Cc"])
        known = _EXTREMES["ascii"] + (_EXTREMES["unicode"] if unicode else [])
        return "U12", known, st.text(letters, max_size=12)
    kind = np.dtype(item.dtype)
    known = _EXTREMES[kind.str[1:] if kind.kind != "b" else "b"]
    if kind.kind == "b":
        return kind, known, st.booleans()
    if kind.kind == "f":
        known = [value for value in known if not (finite and np.isinf(value))]
        return kind, known, st.floats(width=8 * kind.itemsize, allow_nan=True, allow_infinity=not finite)
    limits = np.iinfo(kind)
    return kind, known, st.integers(int(limits.min), int(limits.max))


def _draw(draw, columns, unicode, finite):
    """A table of up to 5 rows. Each column has values from a pool of its own; masks and places are from one seed."""
    rows = draw(st.integers(0, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = QTable(meta={"system": "uacsnet", "stars": 40226, "note": "two words, and 'quotes' <&>", "bins": [10, 15]})
    drawn = {}
    for item in columns:
        shape = (rows, *item.shape)
        dtype, known, elements = _pool(item, unicode, finite)
        if dtype not in drawn:
            drawn[dtype] = draw(st.lists(elements, max_size=4))
        pool = np.array(known + drawn[dtype], dtype=dtype)
        data = pool[generator.integers(0, len(pool), shape)]
        mask = generator.random(shape) < generator.choice([0, 0.3, 1], p=[0.4, 0.5, 0.1])
        table[item.name] = item.dress(np.ma.MaskedArray(data, mask=mask))
    return table


def _label_columns():
    """A table of labels, and a column of each kind that a table may hold beside them."""
    columns = [column("source_id"), *label_columns("teff"), good_column("teff"), *label_columns("feh")]
    columns.append(Column("note", dtype="str", description="Free text"))
    columns.append(Column("good", dtype="bool", ucd="meta.code", description="A truth value"))
    columns.append(Column("pair", unit="mag", dtype="float32", shape=(2,), format=".3f", description="Two"))
    columns.append(Column("counts", dtype="int16", shape=(3,)))
    columns.append(Column("rate", unit="electron / s", dtype="float64"))
    columns.append(Column("pixels", unit="pix", dtype="int64"))
    return columns


#: By kind of table: the schema to write and read with, and the columns.
KINDS = {"labels": (None, _label_columns()), **{name: (name, list(schemas.get(name))) for name in schemas.available()}}


#: Kinds of the quick tier: every kind of column, and a schema with arrays.
_QUICK = {"labels", "csnet"}


@pytest.fixture(params=[pytest.param(key, marks=[] if key in _QUICK else [pytest.mark.slow]) for key in KINDS])
def kind(request):
    return request.param


@pytest.fixture
def tables():
    """A function that makes the strategy for tables of a kind."""

    def strategy(kind, unicode=True, finite=False):
        return st.composite(lambda draw: _draw(draw, KINDS[kind][1], unicode, finite))()

    return strategy


@pytest.fixture
def labels():
    """Three rows of labels; the last one has nothing but its identifier, which is the largest there is."""
    table = QTable({"source_id": np.array([5853498713190525696, 4295806720, 2**63 - 1])})
    table.meta = {"system": "uacsnet", "recipe": "apogee", "trained_on": "APOGEE DR17"}
    data = {"teff": (5772.0, 40.0), "logg": (4.44, 0.1), "feh": (-0.5, 0.05)}
    for label, pair in data.items():
        value, error, flag = label_columns(label)
        for item, number in zip((value, error), pair, strict=True):
            table[item.name] = item.dress([number, -number, np.nan])
        table[flag.name] = flag.dress([0, 64, 1])
    return table


#: Ranges in which the papers cut.
_RANGES = {
    **{"teff": (3000, 9000), "logg": (3, 5), "feh": (-1.5, 1.5), "snrg": (0, 100), "snr_b": (0, 30), "snr_r": (0, 30)},
    **{"phot_g_mean_mag": (10, 20), "phot_bp_mean_mag": (14, 16), "phot_rp_mean_mag": (13, 14.5), "m_g": (-2, 8)},
    **{"bp_rp_0": (0.5, 2.1), "b": (-90, 90), "r_med_geo": (10, 3000), "phot_bp_rp_excess_factor": (1.1, 2.2)},
    **{"mag_err_aper_6_0": (0, 0.105), "ebv": (0, 0.8)},
}


def _filled(name, rows):
    generator = np.random.default_rng(11)
    table = QTable()
    for item in schemas.get(name):
        shape = (rows, *item.shape)
        if item.flags:
            bits = sum(flag.value for flag in flags.get(item.flags))
            data = generator.integers(0, bits + 1, shape) & generator.integers(0, bits + 1, shape)
            data[: rows // 2] = flags.get(item.flags).good
        elif item.is_text:
            data = np.array([f"star {number}" for number in range(rows)])
        elif np.dtype(item.dtype).kind == "i":
            data = 2**62 + np.arange(rows)
        else:
            data = generator.uniform(*_RANGES.get(item.canonical, (0, 1)), shape)
        table[item.name] = item.dress(data)
    return table


@pytest.fixture
def filled():
    """A function that makes a table in a schema, with flags and values on both sides of the papers' cuts."""
    return _filled
