"""Older name of `stellarlabels.columns`, under which scripts may have it."""

from stellarlabels.columns import (
    Column,
    Schema,
    check_same_stars,
    column,
    column_name,
    column_values,
    find,
    identifier,
    label_columns,
    values,
    vocabulary,
    without_unit,
)

__all__ = [
    "Column",
    "Schema",
    "check_same_stars",
    "column",
    "column_name",
    "column_values",
    "find",
    "identifier",
    "label_columns",
    "values",
    "vocabulary",
    "without_unit",
]
