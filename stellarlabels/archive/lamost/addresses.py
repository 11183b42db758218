"""Where the spectra of each data release are, as ``data/archive/lamost.ecsv`` declares it."""

from functools import cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import InputError

#: Resolutions, with what is in the addresses of another server, and how names of files begin.
RESOLUTIONS = {"low": ("spectrum", "spec"), "medium": ("medspectrum", "med")}


def available():
    """Names of the data releases of which addresses are known (list of str); the first is the default."""
    return list(_addresses())


def address(resolution, release=None, url=None):
    """The address of a spectrum with ``{obsid}`` in it; ``url`` is that of another server, or such an address."""
    if resolution not in RESOLUTIONS:
        raise InputError(f"resolution: expected one of {', '.join(RESOLUTIONS)}, got {resolution!r}")
    if url is not None:
        return url if "{obsid}" in url else f"{url.rstrip('/')}/{RESOLUTIONS[resolution][0]}/fits/{{obsid}}"
    release = available()[0] if release is None else release
    found = _addresses().get(release, {}).get(resolution)
    if not found:
        known = ", ".join(name for name, one in _addresses().items() if one[resolution])
        raise InputError(
            f"release: spectra of {resolution} resolution are known of {known}; got {release!r}; give the address of "
            "another with url (--url), with {obsid} in it"
        )
    return found


@cache
def _addresses():
    """Addresses by release and resolution."""
    rows = packaged.table("archive", "lamost")
    cells = {name: np.ma.filled(np.ma.asarray(rows[name]), "").tolist() for name in ("release", *RESOLUTIONS)}
    return {release: {name: cells[name][row] for name in RESOLUTIONS} for row, release in enumerate(cells["release"])}
