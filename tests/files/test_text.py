"""Delimited text in the dialects of surveys, tools and spreadsheets; no cell makes floats of identifiers."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import Table
from hypothesis import HealthCheck, given, settings, strategies as st

from stellarlabels import catalogs
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import (
    FileWarning,
    ImpossibleValueWarning,
    ReadError,
    RenamedColumnWarning,
    StellarLabelsError,
)

BIG = 4295806720123456789


def table_of(tmp_path, text, name="x.csv"):
    """A text as a table, read at once and in pieces of one row, which must be the same."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    whole = catalogs.read(path)
    pieces = list(catalogs.scan(path, rows=1))
    for column in whole.colnames:
        parts = [without_unit(piece[column]) for piece in pieces]
        assert np.ma.concatenate(parts).tolist() == without_unit(whole[column]).tolist()
        assert {part.dtype.kind for part in parts} == {without_unit(whole[column]).dtype.kind}
    return whole


@pytest.mark.parametrize("odd", ["-9999.0", "5853498713190525697.0", "", "<NA>", "nan", "-1"])
def test_one_odd_cell_makes_no_floats_of_identifiers(odd, tmp_path):
    text = f"source_id,z\n{BIG},0\n{odd},0\n"
    if odd.startswith("-"):
        with pytest.warns(ImpossibleValueWarning, match="taken as missing"):
            found = table_of(tmp_path, text)["source_id"]
    else:
        found = table_of(tmp_path, text)["source_id"]
    assert found.dtype == np.int64 and found[0] == BIG
    is_number = odd[-1:].isdigit() and not odd.startswith("-")
    assert found.tolist()[1] == (int(odd.removesuffix(".0")) if is_number else None)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".ecsv"])
@pytest.mark.parametrize("values", [[BIG, 5, 7], ["a", "b", "c"], [1.5, 2.0, 1e-300]])
def test_a_missing_value_of_an_only_column_is_a_row(values, suffix, tmp_path):
    catalogs.write(Table({"x": np.ma.MaskedArray(values, [False, True, False])}), tmp_path / f"x{suffix}")
    assert catalogs.read(tmp_path / f"x{suffix}")["x"].tolist() == [values[0], None, values[2]]
    if suffix == ".csv":
        assert len(pd.read_csv(tmp_path / "x.csv")) == 3


@pytest.mark.parametrize("kind", ["uint8", "uint16", "uint32", "int8", "int64", "float32", "bool"])
@pytest.mark.parametrize("write", [catalogs.write, lambda table, path: table.write(path)])
def test_ecsv_with_missing_values_of_any_type(kind, write, tmp_path):
    write(Table({"x": np.ma.MaskedArray(np.array([1, 0, 1], kind), [False, True, False])}), tmp_path / "x.ecsv")
    assert catalogs.read(tmp_path / "x.ecsv")["x"].tolist() == [1, None, 1]


@pytest.mark.parametrize("text", ['[{"source_id": 1}]', ' {\n "source_id": [1]}', '[ {"a": "<b"}]'])
def test_json_is_told_from_text(text, tmp_path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ReadError, match="JSON, which is not read; make a CSV or Parquet file of it"):
        catalogs.read(tmp_path / "x.json")


def test_names_in_brackets_are_no_json(tmp_path):
    assert table_of(tmp_path, '[Fe/H],"{x}"\n-1,2\n').colnames == ["[Fe/H]", "{x}"]


@pytest.mark.parametrize("odd", ["4.5", "1e20", "7x"])
def test_identifiers_beside_what_is_none_stay_text(odd, tmp_path):
    text = f"source_id,z\n{BIG},0\n{odd},0\n"
    if odd == "7x":
        with pytest.warns(FileWarning, match="'source_id' is read as text, since '7x' is no number"):
            found = table_of(tmp_path, text)
    else:
        found = table_of(tmp_path, text)
    assert found["source_id"].tolist() == [str(BIG), odd]


def test_identifiers_above_the_largest_signed_integer_are_exact(tmp_path):
    found = table_of(tmp_path, f"specobjid,z\n{BIG},0\n{2**63 + 5},0\n")["specobjid"]
    assert found.dtype == np.uint64 and found.tolist() == [BIG, 2**63 + 5]


@pytest.mark.parametrize("word", ["<NA>", r"\N", "INDEF", "masked", "...", "null", "None", "--", "NaN", "N/A", " "])
def test_words_for_nothing_are_missing_numbers(word, tmp_path):
    found = table_of(tmp_path, f"source_id,teff\n1,5000.5\n2,{word}\n")["teff"]
    assert found.dtype == np.float64 and found.tolist() == [5000.5, None]


@pytest.mark.parametrize(
    ("text", "value"), [("a;b\n1;5,5\n2;6\n", 5.5), ("a,b\n1,5.5D0\n2,6\n", 5.5), ("a,b\n1,+5.5\n2,6\n", 5.5)]
)
def test_other_spellings_of_numbers(text, value, tmp_path):
    assert table_of(tmp_path, text)["b"].tolist() == [value, 6]


def test_the_index_of_pandas_is_a_column_and_does_no_harm(tmp_path):
    frame = pd.DataFrame({"source_id": [BIG, 7], "flux": ["(1.0, 2.0)", "(3.0, 4.0)"]})
    found = table_of(tmp_path, frame.to_csv())
    assert found["source_id"].tolist() == [BIG, 7] and found["flux"].tolist() == [[1, 2], [3, 4]]
    assert found.colnames == ["column_1", "source_id", "flux"]


def test_units_and_dashes_of_vizier(tmp_path):
    text = "#\n#   VizieR\n\nRA_ICRS\tGmag\tName\ndeg\tmag\t\n-------\t-----\t---\n10.5\t12.5\tx\n11.5\t\ty\n"
    found = table_of(tmp_path, text, "x.tsv")
    assert found["RA_ICRS"].unit == u.deg and found["RA_ICRS"].value.tolist() == [10.5, 11.5]
    assert found["Gmag"].unit == u.mag and without_unit(found["Gmag"]).tolist() == [12.5, None]
    assert found["Name"].tolist() == ["x", "y"]


def test_a_header_in_a_comment(tmp_path):
    stars = Table({"source_id": [11, 22, 33], "ra": [1.5, 2.5, 3.5]})
    stars.write(tmp_path / "topcat.txt", format="ascii.commented_header")
    found = table_of(tmp_path, (tmp_path / "topcat.txt").read_bytes(), "y.txt")
    assert found.colnames == ["source_id", "ra"] and found["source_id"].tolist() == [11, 22, 33]
    assert table_of(tmp_path, "# a note\n# x,y\n1,2\n")["y"].tolist() == [2]
    assert table_of(tmp_path, "# key: value, more\nx,y\n1,2\n").colnames == ["x", "y"]


def test_rows_without_names_are_an_error_and_not_a_header(tmp_path):
    with pytest.raises(ReadError, match=r"x\.csv: has no line of column names; the first line is '1,2.5'"):
        table_of(tmp_path, "1,2.5\n2,3.5\n")


def test_blanks_comments_latin_letters_and_utf16(tmp_path):
    found = table_of(tmp_path, 'source_id  name\n 1  "a b"\n# in between\n22  c\n', "x.txt")
    assert found["source_id"].tolist() == [1, 22] and found["name"].tolist() == ["a b", "c"]
    assert table_of(tmp_path, "a,b\n1,2\n# end\n")["b"].tolist() == [2]
    assert table_of(tmp_path, "a,b\n1,Bébé\n".encode("latin-1"))["b"].tolist() == ["Bébé"]
    assert table_of(tmp_path, "a,b\n1,Bébé\n".encode("utf-16"))["b"].tolist() == ["Bébé"]
    assert table_of(tmp_path, 'a,b\n1,"x\ny"\n2,z\n')["b"].tolist() == ["x\ny", "z"]
    assert table_of(tmp_path, 'a, b\n1, "(1, 2)"\n')["b"].tolist() == [[1, 2]]


def test_second_columns_of_a_name_get_a_suffix(tmp_path):
    with pytest.warns(RenamedColumnWarning, match="a second 'g' is called 'g_3'"):
        found = table_of(tmp_path, "g,g_2,g\n1,2,3\n")
    assert [found[name][0] for name in ("g", "g_2", "g_3")] == [1, 2, 3]


def test_arrays_of_other_lengths_and_empty_ones(tmp_path):
    found = table_of(tmp_path, 'a,flux,empty\n1,"[1,2]",""\n2,"",""\n3,"[3,null]",\n')
    assert found["flux"].tolist() == [[1, 2], [None, None], [3, None]] and found["empty"].mask.all()
    path = tmp_path / "y.csv"
    path.write_text('a,flux\n1,"(1, 2)"\n2,"(3.0)"\n3,\n')
    ragged = catalogs.read(path)["flux"]
    assert [cell.tolist() for cell in ragged.data] == [[1, 2], [3], []] and ragged.mask.tolist() == [False, False, True]


def test_what_is_written_as_csv_is_read(stars, tmp_path):
    for name in ("x.csv", "x.csv.gz", "x.tsv"):
        catalogs.write(stars, tmp_path / name)
        found = catalogs.read(tmp_path / name)
        assert found.colnames == stars.colnames
        for column in stars.colnames:
            assert without_unit(found[column]).tolist() == without_unit(stars[column]).tolist()
    assert pd.read_csv(tmp_path / "x.csv")["source_id"].tolist() == stars["source_id"].tolist()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='ab1.,-"\n\t #;()', max_size=60))
def test_any_text_is_a_table_or_an_error(tmp_path, text):
    (tmp_path / "x").write_text(text)
    try:
        catalogs.read(tmp_path / "x")
    except (StellarLabelsError, FileWarning, RenamedColumnWarning) as error:
        assert str(error)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("odd", ["", "null", '"(1.5, null)"', '"( 2.5, 3.5 )"', "text", '"(a ""(b"""'])
def test_long_arrays_are_the_same_numbers_beside_cells_of_any_kind(end, odd, tmp_path):
    rng = np.random.default_rng(3)
    long = rng.standard_normal((4, 300)) * 10.0 ** rng.integers(-300, 300, (4, 300))
    lines = ["source_id,a,b,note"]
    for number, row in enumerate(long):
        cell = '"(' + ", ".join(map(repr, row.tolist())) + ')"'
        other = '"[' + ",".join(map(repr, row.tolist())) + ']"'
        note = f'"{"(1)" if number == 2 else "(x) é" * 200}"'
        lines.append(f"{BIG + number},{cell if number else odd},{other},{note}" if number < 3 else f"5,{cell},{other},")
    for text in (end.join(lines), end.join(lines).replace("é", "e")):
        found = catalogs.read(write_text(tmp_path, text)) if "5" in odd else table_of(tmp_path, text)
        assert (found["b"] == long).all()
        if "te" in odd or "b" in odd:
            assert found["a"][1].startswith(f"({long[1].tolist()[0]}, ") and found["a"].tolist()[0] in (
                "text",
                '(a "(b"',
            )
        else:
            cells = found["a"] if found["a"].ndim > 1 else np.stack(found["a"][1:])
            assert (cells[-3:] == long[1:]).all()
        assert found["source_id"][0] == BIG and found["note"].tolist()[2:] == ["(1)", None]


def write_text(tmp_path, text):
    """The path of a file with that text."""
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("word", ["ab\u3000", "\xa0x", "\u2028", "x y"])
@pytest.mark.parametrize("suffix", [".ecsv", ".csv", ".tsv"])
def test_blanks_beyond_ascii_belong_to_a_text(word, suffix, tmp_path):
    catalogs.write(Table({"source_id": [1, 2], "x": ["'", word]}), tmp_path / f"x{suffix}")
    assert catalogs.read(tmp_path / f"x{suffix}")["x"].tolist() == ["'", word]
