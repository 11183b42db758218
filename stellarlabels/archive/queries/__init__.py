"""Query files: the selections of the papers in ADQL, readable without Python; parameters are bound, never pasted.

Each ``*.adql`` file here declares what it is for and what can be set: the system and the sample, the services that
know its names, and the type and range of each parameter. `available` lists them, `get` and `find` load one, and
`Query.bind` gives the text that is sent.
"""

from stellarlabels.archive.queries.parameters import Parameter as Parameter
from stellarlabels.archive.queries.query import (
    BoundQuery as BoundQuery,
    Query as Query,
    Upload as Upload,
    available,
    find,
    get,
    read,
)

__all__ = ["available", "find", "get", "read"]
