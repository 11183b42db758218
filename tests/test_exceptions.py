"""Every error is caught by one except clause, and by the built-in one that a reader would expect."""

import warnings

import pytest
from astropy.utils.exceptions import AstropyUserWarning, AstropyWarning

from stellarlabels import exceptions

ERRORS = [name for name in exceptions.__all__ if name.endswith("Error")]
WARNINGS = [name for name in exceptions.__all__ if name.endswith("Warning")]


def test_every_public_class_is_an_error_or_a_warning():
    defined = {
        name for name, value in vars(exceptions).items() if getattr(value, "__module__", "") == exceptions.__name__
    }
    assert defined == set(exceptions.__all__) == {*ERRORS, *WARNINGS}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_have_one_base(name):
    with pytest.raises(exceptions.StellarLabelsError, match="a message"):
        raise getattr(exceptions, name)("a message")


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InputError", ValueError),
        ("MissingColumnError", KeyError),
        ("MissingColumnError", ValueError),
        ("ColumnUnitError", ValueError),
        ("ReleaseError", ValueError),
        ("ReadError", OSError),
        ("WriteError", OSError),
        ("ModelFileError", OSError),
        ("NotFittedError", RuntimeError),
        ("DataNotFoundError", FileNotFoundError),
    ],
)
def test_errors_are_the_builtin_ones_too(name, builtin):
    with pytest.raises(builtin):
        raise getattr(exceptions, name)("a message")


def test_a_missing_column_is_told_without_the_quotes_of_a_key_error():
    assert str(exceptions.MissingColumnError("column 'ra' is missing")) == "column 'ra' is missing"
    assert str(KeyError("column 'ra' is missing")) != "column 'ra' is missing"


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings_are_silenced_with_those_of_astropy(name):
    category = getattr(exceptions, name)
    assert issubclass(category, AstropyUserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        warnings.warn("a message", category, stacklevel=1)
    with pytest.warns(exceptions.StellarLabelsWarning, match="a message"):
        warnings.warn("a message", category, stacklevel=1)
