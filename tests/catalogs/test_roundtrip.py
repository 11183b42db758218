"""What is written is read: one suite for every format and every schema."""

import re

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import HealthCheck, given, settings, strategies as st

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import InputError

#: By format: a file name. Those that the suffix does not tell are named.
FORMATS = {name: f"x{suffixes[0] if suffixes else '.dat'}" for name, suffixes in catalogs.supported_formats().items()}
FORMATS["fits.gz"] = "x.fits.gz"
for _other in ("csv", "tsv"):  # they do not say who wrote them, so that numbers for nothing are looked for
    del FORMATS[_other]
#: Formats that hold ASCII only.
ASCII = {"fits", "fits-plus", "fits.gz", "mrt"}
#: Formats that hold finite numbers only, and no metadata.
FINITE = WITHOUT_META = {"mrt"}
#: Formats that say too little of dtypes to be read without a schema.
WITHOUT_DTYPES = {"mrt"}


@pytest.fixture(params=FORMATS)
def format_name(request):
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    return request.param


def named(format_name):
    """The argument ``format`` where the suffix does not tell the format."""
    return format_name if format_name in catalogs.supported_formats() else None


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
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_round_trip_loses_nothing(data, kind, format_name, tables, tmp_path):
    if kind == "labels" and format_name in WITHOUT_DTYPES:
        pytest.skip(f"{format_name} needs a schema to give dtypes back")
    table = data.draw(tables(kind, unicode=format_name not in ASCII, finite=format_name in FINITE))
    path = tmp_path / FORMATS[format_name]
    declared = kind if kind in schemas.available() else None
    catalogs.write(table, path, declared, overwrite=True, format=named(format_name))
    found = catalogs.read(path, declared, format=named(format_name))
    assert_same(found, table)
    if format_name not in WITHOUT_META:
        assert {key: found.meta[key] for key in table.meta} == table.meta
    assert list(tmp_path.iterdir()) == [path]
    first = 0
    for piece in catalogs.scan(path, declared, rows=2, format=named(format_name)):
        assert_same(piece, table[first : first + 2])
        first += 2
    assert first >= len(table)


@pytest.mark.parametrize(
    ("format_name", "values", "message"),
    [
        ("fits", ["Grünes Auge"], "'x'.*ASCII"),
        ("fits-plus", ["Grünes Auge"], "'x'.*ASCII"),
        ("mrt", ["Grünes Auge"], "'x'.*ASCII"),
        ("mrt", [np.inf], "'x'.*infinite"),
        ("parquet", np.ones((1, 2, 2)), "'x'.*one-dimensional"),
        ("mrt", np.ones((1, 2, 2)), "'x'.*two or more dimensions"),
        ("votable.tabledata", ["\x01"], "'x'.*control"),
    ],
)
def test_what_a_format_cannot_hold_is_an_error_that_names_the_column(format_name, values, message, tmp_path):
    with pytest.raises(InputError, match=message):
        catalogs.write(QTable({"x": values}), tmp_path / FORMATS[format_name], format=format_name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*FORMATS.values(), "x.csv", "x.tsv"])
def test_good_labels_can_be_taken_from_any_file(name, tmp_path):
    labels = QTable({"source_id": [3, 4, 5], "feh": [-1.0, -0.5, 0.0], "feh_good": [False, True, False]})
    catalogs.write(labels, tmp_path / name, format=None if name != "x.dat" else "votable.tabledata")
    found = catalogs.read(tmp_path / name)
    assert found["feh_good"].dtype == bool and found[found["feh_good"]]["source_id"].tolist() == [4]


def test_the_input_is_not_changed(labels, format_name, tmp_path):
    before, meta = labels.copy(), dict(labels.meta)
    catalogs.write(labels, tmp_path / FORMATS[format_name], format=named(format_name))
    assert_same(labels, before)
    assert labels.meta == meta


def test_writing_what_was_read_gives_the_same_file(labels, format_name, tmp_path):
    if format_name in WITHOUT_META:
        labels.meta = {}
    for folder in "ab":
        (tmp_path / folder).mkdir()
    first, second = (tmp_path / folder / FORMATS[format_name] for folder in "ab")
    catalogs.write(labels, first, format=named(format_name))
    catalogs.write(catalogs.read(first, format=named(format_name)), second, format=named(format_name))
    assert first.read_bytes() == second.read_bytes()
    assert_same(catalogs.read(second, format=named(format_name)), catalogs.read(first, format=named(format_name)))


#: Formats in which blanks around a text are no part of it, and those that hold trailing ones only.
PADDED = ("ecsv", "mrt", "votable.tabledata", "fits", "fits-plus")


@given(
    text=st.builds(str.format, st.sampled_from(["a{}b", "{}b", "b{}"]), st.text(st.characters(codec=None), max_size=5)),
    format_name=st.sampled_from(
        ["csv", "tsv", "ecsv", "fits", "fits-plus", "votable", "votable.tabledata", "parquet", "hdf5", "mrt"]
    ),
)
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_or_its_column_is_refused_by_name(text, format_name, tmp_path_factory):
    text = text.rstrip("\0")  # arrays of text have no NUL at their ends
    path = tmp_path_factory.getbasetemp() / "texts"
    table = QTable({"source_id": [1, 2], "name": [text, "plain"]})
    try:
        catalogs.write(table, path, format=format_name, overwrite=True)
    except InputError as error:
        assert "'name'" in str(error)
        assert re.search("[^ -~]", text)
        return
    read = catalogs.read(path)
    assert read["source_id"].tolist() == [1, 2]
    back, plain = ("" if value is None or value is np.ma.masked else value for value in read["name"].tolist())
    assert plain == "plain"
    assert back == (text if format_name not in PADDED else back) and back.strip() == text.strip()
