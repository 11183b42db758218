"""What the archive's DataLink service has of each release, and how it is asked for; see `stellarlabels.releases`."""

from dataclasses import dataclass
from functools import lru_cache

from stellarlabels import releases
from stellarlabels.exceptions import InputError

__all__ = ["Product", "product"]


@dataclass(frozen=True)
class Product:
    """Spectra of one kind as a data release serves them.

    Parameters
    ----------
    url : str
        Address of the service.
    release, retrieval_type, structure, format : str
        Parameters of a request, in the archive's words.
    limit : int
        Largest number of stars in one request.
    """

    url: str
    release: str
    retrieval_type: str
    structure: str
    format: str
    limit: int

    def request(self, source_id):
        """The parameters of a request.

        Parameters
        ----------
        source_id : iterable of int

        Returns
        -------
        dict of str to str
        """
        return {
            "ID": ",".join(str(int(name)) for name in source_id),
            "RELEASE": self.release,
            "DATA_STRUCTURE": self.structure,
            "FORMAT": self.format,
            "RETRIEVAL_TYPE": self.retrieval_type,
            "VALID_DATA": "false",
            "USE_ZIP_ALWAYS": "true",
        }


def product(kind="sampled", release="Gaia DR3"):
    """How the archive serves a kind of spectra.

    Parameters
    ----------
    kind : {"sampled", "continuous"}
    release : str
        ``Gaia DR3``, or another one of `stellarlabels.releases.available`.

    Returns
    -------
    `Product`

    Raises
    ------
    InputError
        If the release has no such spectra; the message lists what there is.
    """
    known, release = _products(), releases.get(release).name
    if (release, kind) not in known:
        there = "; ".join(f"{other!r} of {name!r}" for name, other in known)
        raise InputError(f"kind: expected one of: {there}; got {kind!r} of {release!r}")
    return known[release, kind]


@lru_cache(maxsize=1)
def _products():
    """Products by name of the release and kind."""
    declared = [releases.get(name) for name in releases.available() if releases.get(name).knows("datalink_requests")]
    return {
        (release.name, kind): Product(
            release=release.name, retrieval_type=release.datalink[kind], **release.datalink_requests
        )
        for release in declared
        for kind in ("sampled", "continuous")
        if kind in release.datalink
    }
