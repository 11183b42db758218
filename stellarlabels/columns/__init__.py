"""Columns: what each is called, holds and means, declared once; how tables come in, and how columns are taken out.

A `Column` knows its canonical name, the other names under which archives deliver it, its unit, dtype, UCD and
description. A `Schema` is an ordered list of columns. The columns of the library's own `vocabulary` (all inputs and all
labels) are in ``data/vocabulary.ecsv``; the published catalogs have a schema each in ``catalogs/schemas``.

Every table comes in through `intake`. `values` and `find` are the one way in which the rooms of the library take
columns out of it: by canonical name or alias, in the declared unit, with missing values as NaN.
"""

from stellarlabels.columns import jplus, units, wavelengths
from stellarlabels.columns.access import check_same_stars, column_values, find, identifier, values
from stellarlabels.columns.archive_dtypes import declared_dtype
from stellarlabels.columns.cells import Ragged, holds_arrays, looks_like_array, parse, parse_column
from stellarlabels.columns.column import Column, column_name, without_unit
from stellarlabels.columns.dressing import by_name, dressed, factor, plain
from stellarlabels.columns.epochs import as_years
from stellarlabels.columns.frames import distinct, is_table
from stellarlabels.columns.identifiers import identifiers
from stellarlabels.columns.intake import Notes, as_table, entrance, intake
from stellarlabels.columns.portable import portable
from stellarlabels.columns.schema import Schema
from stellarlabels.columns.vocabulary import column, declare, declare_labels, error_term, label_columns, vocabulary

__all__ = [
    "Column",
    "Notes",
    "Ragged",
    "Schema",
    "as_table",
    "as_years",
    "by_name",
    "check_same_stars",
    "column",
    "column_name",
    "column_values",
    "declare",
    "declare_labels",
    "declared_dtype",
    "distinct",
    "dressed",
    "entrance",
    "error_term",
    "factor",
    "find",
    "holds_arrays",
    "identifier",
    "identifiers",
    "intake",
    "is_table",
    "jplus",
    "label_columns",
    "looks_like_array",
    "parse",
    "parse_column",
    "plain",
    "portable",
    "units",
    "values",
    "vocabulary",
    "wavelengths",
    "without_unit",
]
