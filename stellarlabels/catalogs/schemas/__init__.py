"""The published catalogs, one ECSV file each: columns, units, dtypes, UCDs, descriptions, nulls, and corrections.

A file that is added to this folder is available under its name, also to Astropy as the format ``stellarlabels.<name>``.
Beside what `stellarlabels.columns.Schema.read` asks for, the metadata of a file may hold

``null_values``
    For ``*``, all columns of numbers, the values that stand for "missing" in the published file, beside those that the
    column ``null`` says.
``coosys``
    ``system`` and ``epoch`` of the equatorial coordinates.
``flag_sets``
    The sets of flags that the column ``flag`` names; see `stellarlabels.catalogs.flagsets`.
``flag_rules``
    How the flags of the catalog follow from those of labels; see `stellarlabels.catalogs.published.with_flags`.
``samples``, ``expressions``
    The paper's samples; see `stellarlabels.catalogs.filters.of_samples`.
``corrections``, ``comments``
    What is wrong in the published description, and what else a reader of the published file should know.
``paper``, ``authors``, ``title``, ``year``, ``journal``, ``bibcode``, ``doi``, ``eprint``, ``file``, ``rows``
    The paper, and the published file.
"""

from functools import lru_cache
from importlib import resources

from stellarlabels.columns import Schema
from stellarlabels.exceptions import InputError

__all__ = ["available", "get"]


def available():
    """Names of the schemas.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".ecsv") for file in files if file.name.endswith(".ecsv"))


def get(name):
    """The schema of a published catalog.

    Parameters
    ----------
    name : str or `~stellarlabels.columns.Schema`
        One of `available`, in any case of letters. A schema is returned as it is.

    Returns
    -------
    `~stellarlabels.columns.Schema`

    Raises
    ------
    InputError
        If there is no such schema; the message lists those there are.
    """
    if isinstance(name, Schema):
        return name
    key = str(name).lower()
    if key not in available():
        raise InputError(f"schema: there is none called {name!r}; there are {available()}")
    return _read(key)


@lru_cache
def _read(key):
    with resources.as_file(resources.files(__name__) / f"{key}.ecsv") as path:
        return Schema.read(path)
