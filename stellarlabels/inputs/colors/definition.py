"""What a set of colors is: bands and their columns, colors between them, and how they are dereddened."""

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from astropy.table import Table

from stellarlabels import columns, packaged
from stellarlabels.corrections.extinction import SFD, check_scale, coefficients as coefficient_set
from stellarlabels.exceptions import InputError, ReadError

_FOLDER = resources.files("stellarlabels") / "data" / "colors"


@dataclass(frozen=True)
class Band:
    """A measured magnitude (or color) and where it is found.

    Parameters
    ----------
    name : str
        Name in the colors, without a minus sign.
    columns : tuple of str
        Names of columns with one value for each star; letters in any case.
    errors : tuple of str
        Names of columns with its standard error.
    array, array_error : str
        Names in the vocabulary of columns whose cells hold several bands; empty if there are none.
    element : int
        Place of the band in these cells.
    flux, flux_error : str
        Names in the vocabulary of mean flux and its error, from which the magnitude's error follows where no column has
        it; empty if there are none.
    typical_error : float or None
        Error in mag that counts where none is known.
    """

    name: str
    columns: tuple = ()
    errors: tuple = ()
    array: str = ""
    array_error: str = ""
    element: int = 0
    flux: str = ""
    flux_error: str = ""
    typical_error: float | None = None


@dataclass(frozen=True)
class ColorSet:
    """Colors of a survey. Made by `color_set`, `read`, `make` or `from_dict`.

    Parameters
    ----------
    name : str
    bands : tuple of Band
        B bands.
    colors : tuple of str
        C colors: ``"u-g"`` for the difference of two bands, or the name of a band that is a color itself.
    coefficients : str
        Name of the extinction coefficients (see `stellarlabels.corrections.extinction.coefficients`) with which colors
        are dereddened; empty for colors that need not be, or with ``ratios``.
    ratios : tuple of float
        Instead of these, E(color)/E(B-V) of each color, with E(B-V) on the scale ``ebv_scale``.
    ebv_scale : {"sfd", "true"}
    color : str
        The color of which applicability ranges speak, one of ``colors``.
    magnitude : str
        The magnitude of which applicability ranges speak: name of a band, or in the vocabulary.
    flags : str
        Name in the vocabulary of a column of the survey's own flags, 0 where all is good; empty if there is none.
    largest_error, faintest : float or None
        Errors of bands, and magnitudes, beyond which stars are flagged.
    zero_points : str
        Name of a table of the package's ``data/photometry`` with zero-points of the colors in the survey's fields,
        which are subtracted; empty if there is none. See `zero_point`.
    description, reference : str

    Raises
    ------
    InputError
        If a color is made of bands that there are not, names are used twice, or what dereddens is contradictory.
    """

    name: str
    bands: tuple
    colors: tuple
    coefficients: str = ""
    ratios: tuple = ()
    ebv_scale: str = SFD
    color: str = ""
    magnitude: str = "phot_g_mean_mag"
    flags: str = ""
    largest_error: float | None = None
    faintest: float | None = None
    zero_points: str = ""
    description: str = ""
    reference: str = ""

    def __post_init__(self):
        names = [band.name for band in self.bands]
        for what, values in (("bands", names), ("colors", self.colors)):
            if not values or len(set(values)) != len(values):
                raise InputError(f"{what}: expected at least one, and no name twice, got {list(values)}")
        _ = self.matrix
        if self.ratios and (self.coefficients or len(self.ratios) != len(self.colors)):
            raise InputError(f"ratios: expected {len(self.colors)} numbers and no coefficients, got {self.ratios}")
        check_scale(self.ebv_scale, "ebv_scale")
        if self.coefficients:
            known = coefficient_set(self.coefficients)
            unknown = [color for color in self.colors if color not in known]
            if unknown:
                raise InputError(f"coefficients: {self.coefficients!r} has none for {', '.join(unknown)}")
        if self.color and self.color not in self.colors:
            raise InputError(f"color: expected one of {', '.join(self.colors)}, got {self.color!r}")

    @classmethod
    def make(cls, name, bands, colors, **others):
        """A set of one's own.

        Parameters
        ----------
        name : str
        bands : iterable of str or Band
            A name stands for a band in the column of that name, with its error in the column ``<name>_err``.
        colors : iterable of str
        **others
            Other parameters of `ColorSet`.

        Returns
        -------
        ColorSet
        """
        own = tuple(
            band if isinstance(band, Band) else Band(band, (band,), (f"{band}_err", f"e_{band}")) for band in bands
        )
        return cls(name, own, tuple(colors), **others)

    @classmethod
    def read(cls, path):
        """Read a set from an ECSV file.

        Parameters
        ----------
        path : path-like
            One row for each band, with the columns ``name``, and, as far as needed, ``columns`` and ``errors``
            (separated by blanks) and the others of `Band`. In ``meta``: ``name``, ``colors`` (a list), and the others
            of `ColorSet`.

        Raises
        ------
        ReadError
            If the file is missing or is not such a file.
        InputError
            If what it says is contradictory.
        """
        try:
            table = Table.read(path, format="ascii.ecsv")
            bands = [{key: _plain(row[key]) for key in table.colnames} for row in table]
            for band in bands:
                for key in ("columns", "errors"):
                    band[key] = tuple(str(band.get(key) or "").split())
            definition = {**table.meta, "bands": [_known(Band, band) for band in bands]}
            return cls.from_dict(_known(cls, definition))
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise ReadError(f"{path}: expected an ECSV file of a color set; {type(error).__name__}: {error}") from error

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`."""
        values = dict(values)
        bands = tuple(
            band if isinstance(band, Band) else Band(**{key: _tuple(value) for key, value in band.items()})
            for band in values.pop("bands")
        )
        return cls(bands=bands, **{key: _tuple(value) for key, value in values.items()})

    def to_dict(self):
        """The set as plain values that JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    @property
    def matrix(self):
        """Derivatives of the colors with respect to the bands, shape (C, B): 1, -1 and 0."""
        place = {band.name: index for index, band in enumerate(self.bands)}
        out = np.zeros((len(self.colors), len(self.bands)))
        for row, color in enumerate(self.colors):
            blue, minus, red = ("", "", "") if color in place else color.partition("-")
            parts = {color: 1.0} if color in place else {blue: 1.0, red: -1.0}
            unknown = [part for part in parts if part not in place]
            if unknown or (not minus and color not in place):
                raise InputError(f"colors: {color!r} is not made of the bands {', '.join(place)}")
            for part, sign in parts.items():
                out[row, place[part]] = sign
        return out

    def select(self, colors):
        """The set with other colors of its bands, in no more bands than they need."""
        needed = {part for color in colors for part in (color, *color.partition("-")[::2])}
        kept = tuple(band for band in self.bands if band.name in needed)
        return replace(self, bands=kept, colors=tuple(colors), color="")

    @property
    def dereddens(self):
        """Whether the colors are dereddened, so that E(B-V) is needed."""
        return bool(self.coefficients or self.ratios)

    def reddening(self):
        """E(color)/E(B-V) of each color and the scale of E(B-V) that they are for.

        Returns
        -------
        ratios : `~numpy.ndarray`, shape (C,)
        scale : {"sfd", "true"}
        """
        if self.coefficients:
            known = coefficient_set(self.coefficients)
            return np.array([known.ratio(color) for color in self.colors]), known.scale
        return np.asarray(self.ratios or np.zeros(len(self.colors)), dtype=float), self.ebv_scale

    def zero_point(self, table):
        """What is to be subtracted from the colors of stars, and how much the zero-points of their bands may be off.

        Parameters
        ----------
        table : `~astropy.table.Table`
            N stars, with the field in which each was observed under the name that the table of zero-points has.

        Returns
        -------
        offset : `~numpy.ndarray`, shape (N, C)
            In mag; 0 in a field that is not known.
        error : `~numpy.ndarray`, shape (N, B)
            In mag; 0 where the field is known, else the scatter of the zero-points between fields.
        """
        shape = len(table), len(self.colors)
        if not self.zero_points:
            return np.zeros(shape), np.zeros((len(table), len(self.bands)))
        known = packaged.table("photometry", self.zero_points)
        values = np.stack([known[color] for color in self.colors], axis=1)
        name = known.colnames[0]
        found = columns.column_name(table, columns.Column(name, "", "str"))
        if found is None:
            place = np.full(len(table), -1)
        else:
            places = {str(field): row for row, field in enumerate(known[name])}
            place = np.array([places.get(str(field).strip(), -1) for field in table[found]], dtype=int)
        error = np.array([known.meta["scatter"][band.name] for band in self.bands])
        unknown = (place < 0)[:, None]
        return np.where(unknown, 0.0, values[place]), np.where(unknown, error, 0.0)

    def covariance(self, error):
        """Covariance of the colors of stars; two colors that share a band are correlated.

        Parameters
        ----------
        error : array_like, shape (N, B)
            Independent standard errors of the bands.

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, C, C)
        """
        scaled = self.matrix * np.asarray(error, dtype=float)[:, None, :]
        return scaled @ scaled.transpose(0, 2, 1)

    def color_error(self, error):
        """Standard errors of the colors, shape (N, C), from those of the bands, shape (N, B)."""
        return np.sqrt(np.asarray(error, dtype=float) ** 2 @ (self.matrix**2).T)


def _plain(value):
    """A cell as a plain value, "" where it is masked."""
    if np.ma.is_masked(value):
        return ""
    return value.item() if hasattr(value, "item") else value


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def _known(cls, values):
    """The fields of a dataclass that have a value."""
    names = {item.name for item in fields(cls)}
    return {key: value for key, value in values.items() if key in names and value not in ("", None)}


def available():
    """Names and descriptions of the color sets that ship with the package.

    Returns
    -------
    dict of str to str
    """
    names = sorted(Path(entry.name).stem for entry in _FOLDER.iterdir() if entry.name.endswith(".ecsv"))
    return {name: _shipped(name).description for name in names}


@cache
def _shipped(name):
    with resources.as_file(_FOLDER / f"{name}.ecsv") as path:
        return ColorSet.read(path)


def color_set(colors):
    """A color set.

    Parameters
    ----------
    colors : str, path-like, dict or ColorSet
        Name of one that ships (`available`), path of an ECSV file (see `ColorSet.read`), or its definition.

    Returns
    -------
    ColorSet

    Raises
    ------
    InputError
        If there is no such set.
    ReadError
        If the file cannot be read.
    """
    if isinstance(colors, ColorSet):
        return colors
    if isinstance(colors, dict):
        return ColorSet.from_dict(colors)
    if (_FOLDER / f"{colors}.ecsv").is_file():
        return _shipped(str(colors))
    if str(colors).endswith(".ecsv"):
        return ColorSet.read(colors)
    raise InputError(f"colors: expected one of {', '.join(available())}, an .ecsv file or a definition, got {colors!r}")
