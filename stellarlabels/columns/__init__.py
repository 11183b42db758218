"""Columns: what each is called, holds and means, declared once; how tables come in, and how columns are taken out.

A `Column` knows its canonical name, the other names under which archives deliver it, its unit, dtype, UCD and
description. A `Schema` is an ordered list of columns. The columns of the library's own `vocabulary` (all inputs and all
labels) are in ``data/vocabulary.ecsv``; the published catalogs have a schema each in ``catalogs/schemas``.

Every table comes in through `intake`. `values` and `find` are the one way in which the parts of the library take
columns out of it: by canonical name or alias, in the declared unit, with missing values as NaN.
"""

from stellarlabels.columns import (
    jplus,
    products as products,
    typing as typing,
    units as units,
    wavelengths as wavelengths,
)
from stellarlabels.columns.access import (
    check_same_stars as check_same_stars,
    column_values,
    find,
    identifier,
    identifiers as identifiers,
    main_identifiers as main_identifiers,
    values,
)
from stellarlabels.columns.cells import (
    Ragged as Ragged,
    holds_arrays as holds_arrays,
    looks_like_array as looks_like_array,
    parse as parse,
    parse_column as parse_column,
)
from stellarlabels.columns.column import Column, alike as alike, column_name as column_name, without_unit
from stellarlabels.columns.conversion import (
    as_years as as_years,
    by_name as by_name,
    dressed as dressed,
    factor as factor,
    plain as plain,
)
from stellarlabels.columns.intake import (
    Notes,
    as_table as as_table,
    distinct as distinct,
    entrance as entrance,
    intake,
    is_table as is_table,
)
from stellarlabels.columns.portable import portable as portable
from stellarlabels.columns.schema import Schema
from stellarlabels.columns.star_table import StarTable as StarTable
from stellarlabels.columns.vocabulary import (
    column,
    declaration as declaration,
    declare,
    declare_labels,
    declared_dtype as declared_dtype,
    error_term as error_term,
    good_column as good_column,
    good_values as good_values,
    label_columns,
    vocabulary,
)

__all__ = [
    "Column",
    "Notes",
    "Schema",
    "column",
    "column_values",
    "declare",
    "declare_labels",
    "find",
    "identifier",
    "intake",
    "jplus",
    "label_columns",
    "values",
    "vocabulary",
    "without_unit",
]
