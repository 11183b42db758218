"""What is written is read: one suite for every format and every schema."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.schema import without_unit

FORMATS = {
    "fits": ".fits",
    "fits.gz": ".fits.gz",
    "votable": ".vot",
    "votable.tabledata": ".xml",
    "parquet": ".parquet",
    "ecsv": ".ecsv",
}


@pytest.fixture(params=FORMATS)
def format_name(request):
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    return request.param


def assert_same(found, wanted):
    """Names, dtypes, values, masks, units, UCDs, descriptions of two tables."""
    assert found.colnames == wanted.colnames
    for name in wanted.colnames:
        left, right = without_unit(found[name]), without_unit(wanted[name])
        mask = np.ma.getmaskarray(right)
        if right.dtype.kind == "U":
            mask = mask | (right.data == "")
            assert left.dtype.kind == "U"
        else:
            assert left.dtype == right.dtype, name
        np.testing.assert_array_equal(np.ma.getmaskarray(left), mask, err_msg=name)
        assert (left.data[~mask] == right.data[~mask]).all(), name
        unit = getattr(wanted[name], "unit", None)
        assert getattr(found[name], "unit", None) == unit, name
        assert found[name].info.description == wanted[name].info.description
        assert (found[name].info.meta or {}).get("ucd") == (wanted[name].info.meta or {}).get("ucd")
        if wanted[name].info.format:
            assert found[name].info.format == wanted[name].info.format


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_round_trip_loses_nothing(data, kind, format_name, tables, tmp_path):
    table = data.draw(tables(kind, unicode=not format_name.startswith("fits")))
    path = tmp_path / f"catalog{FORMATS[format_name]}"
    declared = kind if kind in schemas.available() else None
    named = format_name if format_name == "votable.tabledata" else None
    catalogs.write(table, path, declared, overwrite=True, format=named)
    found = catalogs.read(path, declared)
    assert_same(found, table)
    assert {key: found.meta[key] for key in table.meta} == table.meta
    assert list(tmp_path.iterdir()) == [path]


def test_the_input_is_not_changed(labels, format_name, tmp_path):
    before, meta = labels.copy(), dict(labels.meta)
    catalogs.write(labels, tmp_path / f"x{FORMATS[format_name]}")
    assert_same(labels, before)
    assert labels.meta == meta


def test_writing_what_was_read_gives_the_same_file(labels, format_name, tmp_path):
    first, second = (tmp_path / f"{name}{FORMATS[format_name]}" for name in "ab")
    catalogs.write(labels, first)
    catalogs.write(catalogs.read(first), second)
    assert first.read_bytes() == second.read_bytes()
    assert_same(catalogs.read(second), catalogs.read(first))
