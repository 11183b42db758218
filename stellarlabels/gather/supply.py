"""What archives have of the inputs of a system, and where they are asked for it."""

import warnings
from dataclasses import dataclass, field, replace

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError


@dataclass(frozen=True)
class Supply:
    """What archives have of the inputs of a system.

    Parameters
    ----------
    key : str
        The identifier by which archives find its stars, ``source_id`` or ``obsid``.
    stars : str
        Name of the query that lists stars of a region; see `stellarlabels.archive.queries`.
    steps : tuple of str
        What is fetched of each star that lacks it, in this order: names of queries to which identifiers are uploaded,
        ``"xp samples"`` and ``"xp coefficients"`` for Gaia's spectra, ``"lamost low"`` and ``"lamost medium"`` for
        LAMOST's, ``"distances"`` for those of Bailer-Jones et al. where there are any for the release, and ``"ebv"``
        for E(B-V) where the map of SFD is on this machine.
    size : int
        Bytes that travel for a star, about.
    for_distances : tuple of str
        What is fetched, too, where distances are asked for; ``"gaia near"`` is the identifier of the nearest source of
        Gaia within 3 arcsec.
    """

    key: str
    stars: str
    steps: tuple
    size: int
    for_distances: tuple = ()


@dataclass(frozen=True)
class Archives:
    """Which servers are asked, and how patiently.

    Parameters
    ----------
    service : str or dict of str to str, optional
        Address of a TAP service instead of those that the queries name, or addresses by their names.
    spectra : str, optional
        Address of another server of spectra.
    token : str, optional
        To log in with at the TAP service.
    spectra_token : str, optional
        To log in with at the server of spectra.
    retry : `~stellarlabels.archive.tap.Retry`, optional
        How often and after what time a request is repeated.
    timeout : float
        How long a server may be silent, s.
    """

    service: str | dict | None = None
    spectra: str | None = None
    token: str | None = field(default=None, repr=False)
    spectra_token: str | None = field(default=None, repr=False)
    retry: object = None
    timeout: float = 300.0

    def tap(self, query):
        """The `TAP` service for a query."""
        from stellarlabels.archive import TAP

        name = query.services[0]
        given = self.service.get(name, name) if isinstance(self.service, dict) else self.service
        return TAP(given or name, token=self.token, retry=self.retry, timeout=(10, self.timeout), progress=False)


def of(system, distances=False):
    """The `Supply` of a system, with the steps of distances if they are wanted; an error if none is declared."""
    found = getattr(system, "supply", None)
    if found is None:
        raise InputError(
            f"system: no archive is declared for the inputs of {system.name}; give a table or files that have them, or "
            "declare a stellarlabels.gather.Supply as the attribute 'supply' of its class"
        )
    return replace(found, steps=(*found.steps, *found.for_distances)) if distances else found


def lacks(system, table):
    """Whether a table lacks what no star can be labelled without."""
    try:
        with warnings.catch_warnings(action="ignore"):  # whoever uses the table says what is to be said
            system.feature_set.compute(system.admitted(columns.intake(table[:1]), "ignore")[0])
    except MissingColumnError:
        return True
    return False


def has(table, name):
    """Whether a table has a column, by its name in the vocabulary or as it is, in any case of letters."""
    if name in columns.vocabulary():
        return columns.find(table, name) is not None
    return name.lower() in {key.lower() for key in table.colnames}
