"""Errors and warnings of stellarlabels.

Every error derives from `StellarLabelsError`, so one ``except`` clause catches them all, and from the built-in
error that a reader would expect (`ValueError`, `KeyError`, `OSError`), so older code keeps working. A message names
the argument, what was expected and what came.
"""

from astropy.utils.exceptions import AstropyUserWarning

__all__ = [
    "StellarLabelsError",
    "InputError",
    "MissingColumnError",
    "ColumnUnitError",
    "ReadError",
    "WriteError",
    "ModelFileError",
    "NotFittedError",
    "DataNotFoundError",
    "StellarLabelsWarning",
    "MissingUnitWarning",
    "SkippedFileWarning",
]


class StellarLabelsError(Exception):
    """Base of all errors raised on purpose by stellarlabels."""


class InputError(StellarLabelsError, ValueError):
    """An argument or a table does not hold what was asked for."""


class MissingColumnError(InputError, KeyError):
    """A required column is in the table under none of its known names."""

    def __str__(self):
        # KeyError would show the repr of the message, with its quotes escaped.
        return Exception.__str__(self)


class ColumnUnitError(InputError):
    """A column's unit cannot be converted to the unit that is needed."""


class ReadError(StellarLabelsError, OSError):
    """A file is missing, truncated, or not in the format it should be in."""


class WriteError(StellarLabelsError, OSError):
    """A file cannot be written: it exists already, its folder is missing, or the disk is full."""


class ModelFileError(ReadError):
    """A saved model is damaged, of an unknown version, or of another system."""


class NotFittedError(StellarLabelsError, RuntimeError):
    """A prediction was asked of a system that is neither trained nor loaded."""


class DataNotFoundError(StellarLabelsError, FileNotFoundError):
    """A data file that the user has to fetch (a dust map, say) is not there."""


class StellarLabelsWarning(AstropyUserWarning):
    """Base of all warnings issued by stellarlabels."""


class MissingUnitWarning(StellarLabelsWarning):
    """A column without a unit was taken to be in the unit of its declaration."""


class SkippedFileWarning(StellarLabelsWarning):
    """One of many files could not be read; the others were."""
