"""Errors and warnings of stellarlabels.

Every error derives from `StellarLabelsError`, so one ``except`` clause catches them all, and from the built-in
error that a reader would expect (`ValueError`, `KeyError`, `OSError`), so older code keeps working. A message names
the argument, what was expected and what came.
"""

from astropy.utils.exceptions import AstropyUserWarning

__all__ = [
    "ChunksFailedError",
    "ColumnUnitError",
    "DataNotFoundError",
    "FileWarning",
    "ImpossibleValueWarning",
    "IncompleteResultWarning",
    "InputError",
    "LoginError",
    "MissingColumnError",
    "MissingUnitWarning",
    "ModelFileError",
    "NotFittedError",
    "PartsFailedError",
    "QueryCancelledError",
    "QueryError",
    "QuerySyntaxError",
    "QueryTimeoutError",
    "ReadError",
    "ReleaseError",
    "RenamedColumnWarning",
    "ReplyError",
    "SampError",
    "ServiceBusyError",
    "ServiceConnectionError",
    "ServiceError",
    "ServiceTimeoutError",
    "SkippedFileWarning",
    "StellarLabelsError",
    "StellarLabelsWarning",
    "TruncatedResultError",
    "UnknownTableError",
    "UploadTooLargeError",
    "WriteError",
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


class ReleaseError(InputError):
    """Data are of another release than what they are to be used with, or nothing is known for their release."""


class ReadError(StellarLabelsError, OSError):
    """A file is missing, truncated, or not in the format it should be in."""


class WriteError(StellarLabelsError, OSError):
    """A file cannot be written: it exists already, its folder is missing, or the disk is full."""


class ModelFileError(ReadError):
    """A saved model is damaged, of an unknown version, or of another system."""


class NotFittedError(StellarLabelsError, RuntimeError):
    """A prediction was asked of a system that is neither trained nor loaded."""


class PartsFailedError(StellarLabelsError, RuntimeError):
    """Some parts of a long run on files failed; the others are kept.

    Parameters
    ----------
    message : str
    failures : sequence
        One entry for each part, with ``where``, ``stars`` and ``error``.
    """

    def __init__(self, message, failures=()):
        super().__init__(message)
        self.failures = tuple(failures)


class DataNotFoundError(StellarLabelsError, FileNotFoundError):
    """A data file that the user has to fetch (a dust map, say) is not there."""


class SampError(StellarLabelsError, ConnectionError):
    """A table could not be exchanged with another program: no hub, no such program, no answer, or a refusal."""


class ServiceError(StellarLabelsError, OSError):
    """A service of an archive did not do what was asked of it; base of the errors below."""


class ServiceConnectionError(ServiceError, ConnectionError):
    """No connection could be made, or it broke before the reply was complete."""


class ServiceTimeoutError(ServiceError, TimeoutError):
    """The service did not answer, or did not finish, in the time that it was given."""


class ServiceBusyError(ServiceError):
    """The service is down or overloaded and says so (HTTP 429, 500, 502, 503, 504)."""


class ReplyError(ServiceError):
    """The reply is not the VOTable that it should be: truncated, damaged, or something else."""


class LoginError(ServiceError, PermissionError):
    """The service wants a login, or refuses the one that was given: an expired token, say."""


class QueryError(ServiceError, ValueError):
    """The service could not carry out the query."""


class QuerySyntaxError(QueryError):
    """The service could not read the ADQL."""


class UnknownTableError(QueryError, LookupError):
    """The service has no table or column of a name in the query."""


class UploadTooLargeError(QueryError):
    """The service does not take a table of this size."""


class QueryTimeoutError(QueryError, TimeoutError):
    """The query takes longer than the service allows."""


class TruncatedResultError(QueryError):
    """The service gave only the first rows of the result (MAXREC overflow)."""


class ChunksFailedError(ServiceError):
    """Some chunks of a long run failed for good; the others are kept.

    Parameters
    ----------
    message : str
    failed : sequence
        One entry for each chunk, with ``start`` and ``stop`` (rows of the uploaded table) and ``error``.
    result : `~astropy.table.QTable`, optional
        What the other chunks gave.
    """

    def __init__(self, message, failed=(), result=None):
        super().__init__(message)
        self.failed = tuple(failed)
        self.result = result


class QueryCancelledError(ServiceError):
    """The run was cancelled."""


class StellarLabelsWarning(AstropyUserWarning):
    """Base of all warnings issued by stellarlabels."""


class MissingUnitWarning(StellarLabelsWarning):
    """A column without a unit was taken to be in the unit of its declaration."""


class ImpossibleValueWarning(StellarLabelsWarning):
    """Values that no star can have, such as magnitudes of 99, were taken as missing."""


class RenamedColumnWarning(StellarLabelsWarning):
    """Two columns had the same name; the second got another one."""


class FileWarning(StellarLabelsWarning):
    """A file was read, but not all as it is there: columns that are left out, an incomplete result, odd words."""


class SkippedFileWarning(StellarLabelsWarning):
    """One of many files could not be read; the others were."""


class IncompleteResultWarning(StellarLabelsWarning):
    """Some chunks of a long run failed for good; the rows of the others were returned."""
