"""A catalog of labels as a report: one page that needs nothing else, and the same numbers as files.

`write` makes the report, `validate` the table of the comparison alone.
"""

from stellarlabels.report.building import validate, write

__all__ = ["validate", "write"]
