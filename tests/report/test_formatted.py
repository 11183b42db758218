"""Numbers in sentences and cells."""

import numpy as np
import pytest

from stellarlabels.report.page import count, number, percent, slug, with_error, with_unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234.5, "1,234"),
        (0.01234, "0.0123"),
        (-0.5, "−0.500"),
        (np.nan, "n/a"),
        (None, "n/a"),
        (1e-9, "1.0e-09"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.23456, 0.012, "1.235 ± 0.012"),
        (5234.2, 44, "5,234 ± 44"),
        (-0.00003, 0.00099, "0.0000 ± 0.0010"),
        (-0.1, np.nan, "−0.100"),
        (np.nan, 1, "n/a"),
        (2, 0, "2.00"),
    ],
)
def test_with_error(value, error, text):
    assert with_error(value, error) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.02, "2.0 %"),
        (0.25, "25 %"),
        (0.9999, "> 99.9 %"),
        (1, "100 %"),
        (np.nan, "n/a"),
    ],
)
def test_percent(share, text):
    assert percent(share) == text


def test_others():
    assert with_unit(5000, "teff", 4) == "5,000 K" and with_unit(0.1, "ruwe") == "0.100"
    assert (count(1), count(2000), count(1, "row")) == ("1 star", "2,000 stars", "1 row")
    assert (slug("APOGEE DR17 (all)"), slug("!")) == ("apogee-dr17-all", "x")
