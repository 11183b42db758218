"""Data releases of Gaia: what each of them is called, holds and needs, and of which one a table is.

What is known of a release is data (``data/releases/*.toml``): a new fact is a line there. Each fact says whether it is
confirmed and where it comes from.

Examples
--------
>>> from stellarlabels import releases
>>> releases.get("DR3").reference_epoch
2016.0
>>> releases.get("Gaia DR4").fact("reference_epoch").confirmed
False
"""

from stellarlabels.releases.declared import Fact as Fact, Release, available, get
from stellarlabels.releases.found import (
    META as META,
    STATED as STATED,
    Found as Found,
    fact_for as fact_for,
    of,
    require,
    stated as stated,
    told as told,
)

__all__ = ["Release", "available", "get", "of", "require"]
