"""Columns and schemas: what a column is called, holds, and means, declared once; and how it is taken out of a table."""

from stellarlabels.columns import schema

__all__ = ["schema"]
