"""Array cells in the spellings of the archive, of GaiaXPy, NumPy and JSON; wavelength grids."""

import numpy as np
import pyarrow
import pytest
from astropy import units as u
from astropy.table import MaskedColumn
from hypothesis import given, settings, strategies as st

from stellarlabels.columns import Ragged, holds_arrays, parse, parse_column
from stellarlabels.columns.wavelengths import DEFAULT, as_grid, regrid, resample
from stellarlabels.exceptions import InputError

floats = st.floats(allow_nan=True, allow_infinity=False)

SPELLINGS = {
    "tuple": lambda row: "(" + ", ".join(map(repr, row)) + ")",
    "list": lambda row: "[" + ",".join(map(repr, row)) + "]",
    "trailing comma": lambda row: "(" + "".join(f"{value!r}, " for value in row).rstrip() + ")",
    "null": lambda row: "[" + ",".join("null" if np.isnan(value) else repr(value) for value in row) + "]",
    "numpy 2 scalars": lambda row: "(" + ", ".join(f"np.float64({value!r})" for value in row) + ")",
    "blanks": lambda row: "[" + " ".join(map(repr, row)) + "]",
    "lines": lambda row: "[ " + "\n  ".join(map(repr, row)) + "]",
}


class TestParse:
    """Texts of arrays become the very numbers that were written."""

    @pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
    @settings(max_examples=25, deadline=None)
    @given(rows=st.lists(st.lists(floats, max_size=6), max_size=5))
    def test_round_trip(self, spelling, rows):
        ragged = parse([spelling(row) for row in rows])
        assert ragged.lengths.tolist() == [len(row) for row in rows]
        np.testing.assert_array_equal(ragged.values, np.array(sum(rows, [])))

    @settings(max_examples=50, deadline=None)
    @given(st.lists(floats, min_size=1, max_size=30))
    def test_what_numpy_prints(self, values):
        text = np.array2string(np.array(values), threshold=100, floatmode="unique")
        np.testing.assert_array_equal(parse([text]).values, values)

    @pytest.mark.parametrize("text", ["1.0, 2.0", "(1.0, 2.0", "(a, b)", "[1.0 ... 2.0]", "nan", "{1.0}", "('1', 'x')"])
    def test_what_is_no_array_is_named(self, text):
        with pytest.raises(InputError):
            parse(["(1.0, 2.0)", text])

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=30))
    def test_any_text_is_an_array_or_an_error(self, text):
        try:
            ragged = parse([text])
        except InputError:
            return
        assert ragged.lengths.size == 1 and ragged.values.size == ragged.lengths[0]


class TestParseColumn:
    """Columns in Arrow's memory become the same numbers as lists of texts, or the same error."""

    @pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
    @settings(max_examples=25, deadline=None)
    @given(rows=st.lists(st.lists(floats, max_size=6), max_size=5), cut=st.integers(0, 5))
    def test_round_trip(self, spelling, rows, cut):
        texts = ["", *(spelling(row) for row in rows)]
        column = pyarrow.chunked_array([texts[:cut], texts[cut:]], type=pyarrow.string())
        ragged = parse_column(column)
        assert ragged.lengths.tolist() == [0, *(len(row) for row in rows)]
        np.testing.assert_array_equal(ragged.values, np.array(sum(rows, [])))
        assert ragged.values.flags.writeable

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.text("()[], 12.e-", max_size=12) | st.sampled_from(["(1, 2)", "[3,4]", ""]), max_size=4))
    def test_any_texts(self, texts):
        column = pyarrow.chunked_array([texts], type=pyarrow.string())
        try:
            expected = parse(["" if text.strip() == "--" else text for text in texts])  # the text of a masked cell
        except InputError:
            with pytest.raises(InputError):
                parse_column(column)
            return
        found = parse_column(column)
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.lengths, expected.lengths)

    def test_slices_and_precision(self):
        column = pyarrow.chunked_array([pyarrow.array(["(9)", "(0.1, 2)", "null", "(3.0)"])[1:]])
        ragged = parse_column(column, np.float32)
        assert ragged.values.dtype == np.float32 and ragged.lengths.tolist() == [2, 0, 1]
        np.testing.assert_array_equal(ragged.values, np.array([0.1, 2, 3], np.float32))


class TestRagged:
    """Whatever holds arrays becomes the same rows."""

    @pytest.mark.parametrize(
        "column",
        [
            np.array([[1.0, 2.0], [3.0, np.nan]]),
            np.array([[1.0, 2.0], [3.0, np.nan]], dtype=">f4"),
            MaskedColumn([[1.0, 2.0], [3.0, 9.0]], mask=[[0, 0], [0, 1]]),
            [[1.0, 2.0], [3.0, np.nan]] * u.m,
            np.array(["(1, 2)", "[3 nan]"]),
            np.array([b"(1, 2)", b"[3 nan]"]),
        ],
        ids=["array", "big-endian", "masked", "quantity", "texts", "bytes"],
    )
    def test_kinds_of_columns(self, column):
        np.testing.assert_array_equal(Ragged.from_column(column).matrix(2), [[1, 2], [3, np.nan]])

    def test_cells_of_other_lengths_are_nan(self):
        cells = np.empty(5, dtype=object)
        cells[:] = [np.arange(3.0), np.arange(2), None, np.ma.masked_array([1.0, 2, 3], [0, 1, 0]), np.nan]
        ragged = Ragged.from_column(MaskedColumn(cells, mask=[False] * 5))
        assert ragged.lengths.tolist() == [3, 2, 0, 3, 0]
        np.testing.assert_array_equal(ragged.matrix(3)[[0, 3]], [[0, 1, 2], [1, np.nan, 3]])
        assert np.isnan(ragged.matrix(3)[[1, 2, 4]]).all()

    def test_numbers_are_no_arrays(self):
        assert not holds_arrays(np.arange(3.0)) and not holds_arrays(np.array(["a", "b"]))
        with pytest.raises(InputError, match="hold arrays of numbers"):
            Ragged.from_column(np.arange(3.0))


class TestGrid:
    """Resampling is linear, and never goes beyond the samples."""

    def test_default(self):
        assert (as_grid(None) == np.arange(336, 1021, 2)).all()

    def test_units(self):
        np.testing.assert_allclose(as_grid([4000, 5000] * u.AA), [400, 500])
        np.testing.assert_allclose(as_grid([0.4, 0.5] * u.um), [400, 500])

    @pytest.mark.parametrize("wavelength", [[400], [500, 400], [400, np.nan], 400, "x", [1, 2] * u.s, [[400, 500]]])
    def test_bad_wavelengths(self, wavelength):
        with pytest.raises(InputError, match="wavelength"):
            as_grid(wavelength)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.floats(330, 1050), min_size=2, max_size=40, unique=True), st.integers(0, 2**31))
    def test_equals_numpy_interp(self, own, seed):
        own = np.sort(np.round(own, 2))
        own = own[np.insert(np.diff(own) > 0.1, 0, True)]
        if own.size < 2:
            return
        flux, error = np.random.default_rng(seed).normal(size=(2, 3, own.size))
        got, got_error = resample(flux, error, own, DEFAULT)
        for values, result in ((flux, got), (error, got_error)):
            expected = [np.interp(DEFAULT, own, row, left=np.nan, right=np.nan) for row in values]
            np.testing.assert_allclose(result, np.array(expected), atol=1e-9)

    def test_a_missing_sample_hides_its_neighborhood_only(self):
        own = np.arange(336.0, 1021)
        flux = np.ones((1, own.size))
        flux[0, own == 501] = np.nan
        got, _ = resample(flux, flux, own, DEFAULT)
        assert np.isfinite(got).all()  # 500 and 502 are samples themselves
        flux[0, own == 502] = np.nan
        got, _ = resample(flux, flux, own, DEFAULT)
        assert DEFAULT[np.isnan(got[0])].tolist() == [502]

    def test_each_spectrum_on_its_own_grid(self):
        first, second = np.arange(330.0, 1031, 5), np.arange(1030.0, 329, -4)  # the second from red to blue
        grids = [first, DEFAULT, second, first]
        wave = Ragged(np.concatenate(grids), np.array([grid.size for grid in grids]))
        flux = Ragged(3 * wave.values + 1, wave.lengths)
        got, error, other = regrid(flux, Ragged(wave.values, wave.lengths), wave, DEFAULT)
        assert other.tolist() == [True, False, True, True]
        np.testing.assert_allclose(got, np.tile(3 * DEFAULT + 1, (4, 1)))
        np.testing.assert_allclose(error, np.tile(DEFAULT, (4, 1)))

    def test_unknown_wavelengths(self):
        flux = Ragged(np.ones(343 + 300), np.array([343, 300]))
        got, _, other = regrid(flux, flux, None, DEFAULT)
        assert other.tolist() == [False, True]
        assert np.isfinite(got[0]).all() and np.isnan(got[1]).all()
