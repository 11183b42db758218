"""Stars on the sphere: positions at an epoch, their motion to another one, and the search for neighbors.

Directions are unit vectors, distances on the sphere are chords; nothing is special at the poles or at 0 hours.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from astropy import units as u
from astropy.time import Time

from stellarlabels import columns, releases
from stellarlabels.exceptions import InputError, MissingUnitWarning

#: Astronomical unit in km yr/s: turns parallax times radial velocity into a proper motion.
_AU = (1 * u.au).to_value(u.km / u.s * u.yr)
_MAS = (1 * u.mas).to_value(u.rad)


@dataclass(frozen=True)
class Stars:
    """Unit vectors (N, 3), motion (N, 3) in rad/yr, radial velocity over distance (N,) in 1/yr, epochs, moving (N,)."""

    # Motions are 0 where unknown; ``moving`` says whether the proper motion is known; ``epoch`` is None if it is not.

    direction: np.ndarray
    motion: np.ndarray
    radial: np.ndarray
    epoch: np.ndarray | None
    moving: np.ndarray

    @classmethod
    def read(cls, table, epoch_given=None, argument="epoch"):
        """The stars of a table that have a usable position, and their row numbers; for ``epoch_given`` see `epoch`."""
        ra, dec = (np.radians(columns.values(table, name)) for name in ("ra", "dec"))
        rows = np.flatnonzero(np.isfinite(ra) & (np.abs(dec) <= np.pi / 2))
        when = epoch(table, epoch_given, argument)
        when = None if when is None else when[rows]
        ra, dec = ra[rows], dec[rows]
        pmra, pmdec = (columns.values(table, name, required=False)[rows] * _MAS for name in ("pmra", "pmdec"))
        moving = np.isfinite(pmra) & np.isfinite(pmdec)
        east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
        north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
        motion = np.where(moving, pmra, 0)[:, None] * east + np.where(moving, pmdec, 0)[:, None] * north
        direction = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
        return cls(direction, motion, _radial(table, rows), when, moving), rows

    def __len__(self):
        return len(self.direction)

    def __getitem__(self, rows):
        when = None if self.epoch is None else self.epoch[rows]
        return replace(
            self,
            direction=self.direction[rows],
            motion=self.motion[rows],
            radial=self.radial[rows],
            epoch=when,
            moving=self.moving[rows],
        )

    def at(self, when):
        """Unit vectors (N, 3) at another epoch (Julian years), by uniform motion in space; unmoved if unknown."""
        # The rigorous propagation of ESA SP-1200, volume 1, section 1.5.5, without the light-time effect: the direction
        # of u (1 + r t) + m t for the direction u, proper motion m and radial motion r.
        years = np.nan_to_num(when - self.epoch)[:, None]
        moved = self.direction * (1 + self.radial[:, None] * years) + self.motion * years
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _radial(table, rows):
    """Radial velocity over distance in 1/yr, 0 where either is unknown or the parallax is not positive."""
    parallax, velocity = (
        columns.values(table, name, required=False)[rows] if columns.find(table, name) else np.zeros(len(rows))
        for name in ("parallax", "radial_velocity")
    )
    usable = (parallax > 0) & np.isfinite(velocity)
    return np.where(usable, parallax * _MAS * velocity / _AU, 0.0)


def epoch(table, given, argument):
    """Epochs of the positions in Julian years (N,), given, from ``ref_epoch``, or the release's; None if unknown."""
    if given is None:
        return columns.values(table, "ref_epoch") if columns.find(table, "ref_epoch") else _of_release(table)[0]
    try:
        unit = getattr(given, "unit", None)
        given_years = (
            given.jyear if isinstance(given, Time) else np.asarray(getattr(given, "value", given), dtype=float)
        )
        years = np.broadcast_to(columns.as_years(given_years, unit)[0], len(table)).copy()
    except (TypeError, ValueError, u.UnitConversionError) as error:
        raise InputError(
            f"{argument}: expected a Julian year, or one for each of {len(table)} rows, got {given!r}"
        ) from error
    if not np.isfinite(years).all():
        raise InputError(
            f"{argument}: expected Julian years from 1800 to 2200, or Julian days of those years, got {given!r}"
        )
    return years


def epoch_source(table, given):
    """Where the epochs of `epoch` are from, in words."""
    if given is not None:
        return "given"
    return "ref_epoch" if columns.find(table, "ref_epoch") else _of_release(table)[1]


def _of_release(table):
    """Reference epochs of the rows' releases (N,), NaN where unknown, and their names; None for positions of 2000."""
    found = releases.of(table)
    known = [releases.get(name) for name in found.all if name in releases.available()]
    if not known or "2000" in columns.find(table, "ra"):
        return None, "unknown"
    years = np.full(len(table), np.nan)
    for release in known:
        years[found.names == release.name] = release.reference_epoch
    doubts = ["" if release.fact("reference_epoch").confirmed else " (not confirmed)" for release in known]
    told = [f"{release}: {release.reference_epoch}{doubt}" for release, doubt in zip(known, doubts, strict=True)]
    return years, ", ".join(told)


def angle(value, argument):
    """A positive angle up to 180 degrees as radians; without a unit it is in arcsec, with a warning."""
    if not isinstance(value, u.Quantity):
        warnings.warn(f"{argument} has no unit; it is taken to be in arcsec", MissingUnitWarning, stacklevel=3)
    try:
        plain = float((value if isinstance(value, u.Quantity) else value * u.arcsec).to_value(u.rad))
    except (u.UnitConversionError, TypeError, ValueError) as error:
        raise InputError(f"{argument}: expected one angle, got {value!r}") from error
    if not 0 < plain <= np.pi:
        raise InputError(f"{argument}: expected an angle above 0 and up to 180 deg, got {value}")
    return plain


def neighbors(first, second, radius):
    """Pairs of unit vectors (N, 3) and (M, 3) within a radius in radians, bound included: rows i, j and separations."""
    from scipy.spatial import cKDTree

    if not len(first) or not len(second):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    # A little farther than the radius: a chord and an angle round differently.
    reach = 2 * np.sin(radius / 2) * (1 + 1e-9) + 1e-15
    found = cKDTree(first).sparse_distance_matrix(cKDTree(second), reach, output_type="ndarray")
    i, j = found["i"], found["j"]
    separation = separations(first[i], second[j])
    near = separation <= radius
    return i[near], j[near], separation[near]


def separations(first, second):
    """Angular distances in radians of unit vectors, row by row, accurate at small angles (1e-16 rad)."""
    apart = np.linalg.norm(first - second, axis=1)
    return 2 * np.arcsin(np.minimum(apart / 2, 1))
