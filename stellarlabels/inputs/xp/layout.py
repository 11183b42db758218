"""How many coefficients an XP spectrum has, where those of a band are, and in which columns; all from the release."""

from stellarlabels import releases

#: The release whose spectra the basis functions, the prior and the photometric systems of this package are for.
RELEASE = releases.get("Gaia DR3")

#: Coefficients of a spectrum by band, in this order, and in both together.
SIZES = RELEASE.coefficients
BANDS = tuple(SIZES)
TOTAL = sum(SIZES.values())

#: Place of the first coefficient of RP, by which others are divided.
REFERENCE = SIZES["bp"]


def columns(band):
    """Place of a band's coefficients among those of both, as a slice."""
    start = sum(SIZES[other] for other in BANDS[: BANDS.index(band)])
    return slice(start, start + SIZES[band])


def _cells(band, size):
    """Columns of a band with so many coefficients, and how many numbers a cell has; 0 for one outside of an array."""
    return {
        f"{band}_coefficients": size,
        f"{band}_coefficient_errors": size,
        f"{band}_coefficient_correlations": size * (size - 1) // 2,
        f"{band}_standard_deviation": 0,
    }


def lengths(release=RELEASE):
    """Columns of coefficients in a release and their cell lengths, 0 for one number."""
    sizes = releases.get(release).coefficients
    return {name: length for band, size in sizes.items() for name, length in _cells(band, size).items()}


#: The same of the release of this package; and the columns of values, errors and correlations of each band.
COLUMNS = lengths()
CELLS = {band: tuple(_cells(band, size))[:3] for band, size in SIZES.items()}
