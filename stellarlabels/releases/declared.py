"""What is declared of each data release, in data files."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from stellarlabels.exceptions import InputError, ReleaseError


@dataclass(frozen=True)
class Fact:
    """Something that is known of a release: a plain value, whether those who made it say so, and the source."""

    value: object
    confirmed: bool
    source: str


@dataclass(frozen=True)
class Release:
    """A data release. What is known of it are its attributes.

    Parameters
    ----------
    name : str
        As the archive calls it: ``Gaia DR3``.
    aliases : tuple of str
        Shorter names.
    catalog : str
        Name of the release with the same sources, astrometry and photometry, which may be the release itself.
    facts : dict of str to Fact
        ``tables``, ``reference_epoch`` (Julian year), ``coefficients`` of XP spectra by band, ``basis_ids`` by band,
        ``bases`` (file with the basis functions), ``photometric_systems``, ``datalink`` (retrieval types),
        ``datalink_requests`` (address, layout, format and size of requests),
        ``neighbourhood`` (tables by release), ``parallax_zero_point``, ``flux_excess``, ``band_zero_points``,
        ``photometric_errors`` (data files that hold for it), ``solution_ids``, and whatever else is declared.

    Raises
    ------
    ReleaseError
        By attributes: if nothing is declared of that name.
    """

    name: str
    aliases: tuple
    catalog: str
    facts: dict

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self.fact(name).value

    def __str__(self):
        return self.name

    def knows(self, name):
        """Whether a fact is declared."""
        return name in self.facts

    def fact(self, name):
        """A fact with its source.

        Parameters
        ----------
        name : str

        Returns
        -------
        Fact

        Raises
        ------
        ReleaseError
            If nothing is declared of that name.
        """
        if name not in self.facts:
            what = name.replace("_", " ")
            raise ReleaseError(
                f"{self.name}: no {what} is known for this release; there is one for "
                f"{', '.join(other for other in available() if get(other).knows(name)) or 'none'}"
            )
        return self.facts[name]

    def fits(self, other):
        """Whether what is measured in another release means the same: EDR3 fits DR3, DR4 does not."""
        return self.catalog == get(other).catalog


@cache
def declared():
    """All releases by name, in order of their names."""
    folder = resources.files("stellarlabels") / "data" / "releases"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            given = tomllib.loads(entry.read_text(encoding="utf-8"))
            facts = {name: Fact(**fact) for name, fact in given["facts"].items()}
            found[given["name"]] = Release(given["name"], tuple(given["aliases"]), given["catalog"], facts)
    return found


def available():
    """Names of the releases that are declared.

    Returns
    -------
    list of str
    """
    return list(declared())


def get(name):
    """A release.

    Parameters
    ----------
    name : str or Release
        ``Gaia DR3``, or ``DR3``, ``gaia_dr3``, in any case.

    Returns
    -------
    Release

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if isinstance(name, Release):
        return name
    wanted = _plain(name)
    for release in declared().values():
        if wanted in {_plain(known) for known in (release.name, *release.aliases)}:
            return release
    raise InputError(f"release: expected one of {', '.join(available())}, got {name!r}")


def _plain(name):
    return re.sub(r"[\s_-]", "", str(name)).lower()
