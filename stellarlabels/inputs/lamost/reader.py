"""LAMOST spectra of any number of files, of any release, in one table or in a stream of tables."""

import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

import numpy as np
from astropy import units as u
from astropy.table import Column

from stellarlabels import flags
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError, ReadError, SkippedFileWarning
from stellarlabels.files import as_paths
from stellarlabels.inputs.lamost.files import ARMS, PIXELS, Observation, is_lamost, lamost_columns, obsid_of, read_file
from stellarlabels.inputs.readers import register_reader
from stellarlabels.inputs.spectra import pixel_column

#: So many files, and there is a progress bar.
_MANY = 20

#: Files that one process reads at a time.
_BATCH = 32

#: Wavelength (Angstrom) between the arms of medium resolution, at which those of low resolution meet.
_JOIN = 5900.0

#: What stands for a pixel that a shorter spectrum does not have.
_EMPTY = {"wavelength": np.nan, "flux": np.nan, "ivar": 0, "andmask": 0, "ormask": 0}


def read_lamost(path_or_paths, *, exposures=False, workers=1, progress=None):
    """LAMOST spectra from files as the survey delivers them.

    Parameters
    ----------
    path_or_paths : path-like or list of path-like
        FITS files of low (LRS) or medium resolution (MRS), also with gzip, of any data release. See
        ``stellarlabels.archive.readers.available``. All of them may be mixed.
    exposures : bool
        Whether the single exposures of MRS files are read, too; each is a row after the co-added one of its file.
    workers : int
        Processes that read at the same time. With more than one, a script must keep its work under
        ``if __name__ == "__main__":``, as Python's multiprocessing asks for.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 20 files.

    Returns
    -------
    `~astropy.table.QTable`
        One row per spectrum, in the order of the files:

        - ``obsid`` (int64), ``spectrum`` (name of the file) and what the header says: ``release``, ``designation``,
          ``exposure``, ``ra``, ``dec``, ``lmjd``, ``planid``, ``spid``, ``fiberid``, ``fibermask``, ``class``,
          ``subclass``, ``z``, ``z_err``, ``heliocentric_velocity``, ``snru`` to ``snrz``, ``snr_b``, ``snr_r``; what
          a file does not say is masked, and a column of which no file says anything is left out;
        - for LRS ``wavelength`` (Angstrom, vacuum, heliocentric, not corrected for the star's velocity), ``flux``
          (relative), ``ivar``, ``andmask``, ``ormask``: cells of M pixels, as many as the longest spectrum has; shorter
          ones end with wavelengths and fluxes of NaN and inverse variances of 0;
        - for MRS the same with ``_b`` and ``_r``;
        - ``spectrum_flag``: int32, bits of `stellarlabels.flags.SPECTRUM`.

        A file of several that cannot be read gives a row in which all but ``spectrum`` is missing, with the flag
        ``NO_SPECTRUM``; ``meta["failures"]`` has the reasons by path, also of single arms that cannot be read.

    Raises
    ------
    ReadError
        If the only file, or every one, cannot be read. The message names the file and what is wrong.
    InputError
        If no path is given, or ``workers`` is not a positive integer.

    Warns
    -----
    stellarlabels.exceptions.SkippedFileWarning
        If some files cannot be read: how many, and the reason of the first.

    See Also
    --------
    iter_lamost : the same in pieces, for more files than memory holds.
    """
    paths = as_paths(path_or_paths)
    observations, failures = [], {}
    for path, found, problem in _read_all(paths, exposures, workers, progress):
        observations += found
        if problem:
            failures[path] = problem
    _judge(observations, failures, len(paths))
    return _table(observations, failures)


def iter_lamost(path_or_paths, *, rows=1000, exposures=False, workers=1, progress=None):
    """LAMOST spectra in pieces: a stream of tables, of which only one is in memory.

    Parameters
    ----------
    path_or_paths, exposures, workers, progress
        As in `read_lamost`.
    rows : int
        Files in each piece.

    Yields
    ------
    `~astropy.table.QTable`
        As from `read_lamost`, for the next ``rows`` files. A piece without a single readable file is not an error: all
        its rows have the flag ``NO_SPECTRUM``. Spectra that occur in several files have the flag ``DUPLICATE`` in all
        pieces, for which the first headers of all files are read beforehand.

    Raises
    ------
    InputError
        If no path is given, or ``rows`` or ``workers`` is not a positive integer.
    """
    options = {"exposures": exposures, "workers": workers, "progress": progress}
    for _, table in pieces(path_or_paths, rows=rows, **options):
        yield table


def pieces(path_or_paths, *, rows, skip=(), exposures=False, workers=1, progress=False):
    """As `iter_lamost`, each piece with its number, without those whose number is in ``skip``."""
    paths, rows = as_paths(path_or_paths), _positive("rows", rows)
    wanted = [number for number in range(-(-len(paths) // rows)) if number not in skip]
    twice = None if exposures or len(paths) <= rows else _repeated([obsid_of(path) for path in paths])
    chosen = [path for number in wanted for path in paths[number * rows : (number + 1) * rows]]
    found = _read_all(chosen, exposures, workers, progress)
    for number in wanted:
        observations, failures, first = [], {}, number * rows
        count = len(paths[first : first + rows])
        for path, some, problem in islice(found, count):
            observations += some
            if problem:
                failures[path] = problem
        _warn(failures, count)
        yield number, _table(observations, failures, None if twice is None else twice[first : first + count])


def _repeated(identifiers):
    """Which identifiers (list of int or None) occur more than once, (N,)."""
    times = Counter(identifiers)
    return np.array([name is not None and times[name] > 1 for name in identifiers], bool)


def _positive(name, value):
    if not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name}: expected a positive integer, got {value!r}")
    return int(value)


def _read_all(paths, exposures, workers, progress):
    """For each path, in order: the path, its observations (one that is empty if there are none) and what went wrong."""
    from tqdm.auto import tqdm

    workers = _positive("workers", workers)
    quiet = not (len(paths) > _MANY if progress is None else progress)
    with tqdm(total=len(paths), desc="reading", unit="file", disable=quiet) as bar:
        for item in _results(paths, exposures, workers):
            bar.update()
            yield item


def _results(paths, exposures, workers):
    if workers == 1:
        yield from (_attempt(path, exposures) for path in paths)
        return
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = []
        for batch in batches:
            waiting.append(pool.submit(_attempt_batch, batch, exposures))
            if len(waiting) > 2 * workers:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _attempt_batch(paths, exposures):
    return [_attempt(path, exposures) for path in paths]


def _attempt(path, exposures):
    try:
        return path, *read_file(path, exposures=exposures)
    except ReadError as error:
        return path, [Observation({"spectrum": path.replace("\\", "/").rsplit("/", 1)[-1]})], str(error)


def _judge(observations, failures, count):
    """Raise if nothing could be read; warn if something could not."""
    if not any(row.arms for row in observations):
        first = next(iter(failures.values()))
        raise ReadError(first if count == 1 else f"none of {count} files could be read; the first: {first}")
    _warn(failures, count)


def _warn(failures, count):
    if failures:
        first = next(iter(failures.values()))
        warnings.warn(
            f"{len(failures)} of {count} files could not be read, or not fully; see meta['failures']; "
            f"the first: {first}",
            SkippedFileWarning,
            stacklevel=4,
        )


def _table(observations, failures, twice=None):
    """The table of the observations; which are of spectra that other pieces have as well, is (N,) where it is known."""
    out = StarTable()
    for item in lamost_columns():
        if item.name not in (*PIXELS, "snr_b", "snr_r", "spectrum_flag", "exposure"):
            _add(out, item, [row.header.get(item.name) for row in observations])
    _add(out, lamost_columns()["exposure"], [row.exposure for row in observations])
    for arm in ARMS:
        of_arm = [row.arms.get(arm) for row in observations]
        if arm:
            ratios = [None if pixels is None or np.isnan(pixels.snr) else pixels.snr for pixels in of_arm]
            _add(out, lamost_columns()[f"snr{arm}"], ratios)
        if any(pixels is not None for pixels in of_arm):
            _add_pixels(out, of_arm, arm)
    item = lamost_columns()["spectrum_flag"]
    out[item.name] = item.dress(_flags(out, observations, twice))
    if failures:
        out.meta["failures"] = dict(failures)
    return out


def _add(out, item, values):
    """A column of the header, masked where unknown; the identifier always, others only if anything is known."""
    unknown = np.array([value is None for value in values], bool)
    if unknown.all() and item.name not in ("obsid", "spectrum"):
        return
    null = item.null()
    data = np.array([null if value is None else value for value in values], str if item.is_text else item.dtype)
    out[item.name] = item.dress(np.ma.MaskedArray(data, unknown))


def _add_pixels(out, of_arm, arm):
    """The columns of pixels of one arm, as long as the longest spectrum."""
    length = max(len(pixels.flux) for pixels in of_arm if pixels is not None)
    for name in PIXELS:
        item = pixel_column(name, arm)
        data = np.full((len(of_arm), length), _EMPTY[name], item.dtype)
        for row, pixels in enumerate(of_arm):
            if pixels is not None:
                values = getattr(pixels, name)
                data[row, : len(values)] = values
        column = u.Quantity(data, item.unit, dtype=item.dtype, copy=False) if item.unit else Column(data)
        column.info.description, column.info.meta = item.description, {"ucd": item.ucd}
        out[item.name] = column


def _flags(out, observations, twice):
    """What is known of each spectrum, (N,)."""
    count = len(observations)
    bad, blue, red = (np.zeros(count, bool) for _ in range(3))
    for arm in ARMS:
        if f"flux{arm}" not in out.colnames:
            continue
        wavelength, good = out[f"wavelength{arm}"].value, np.asarray(out[f"ivar{arm}"]) > 0
        bad |= (~good & np.isfinite(wavelength)).any(axis=1)
        with np.errstate(invalid="ignore"):
            blue |= (good & (wavelength < _JOIN)).any(axis=1)
            red |= (good & (wavelength > _JOIN)).any(axis=1)
    if twice is None:
        single = any(row.exposure is not None for row in observations)
        twice = _repeated([None if single else row.header.get("obsid") for row in observations])
    return flags.SPECTRUM.where(
        NO_SPECTRUM=~blue & ~red, BAD_SAMPLES=bad, MISSING_BLUE=red & ~blue, MISSING_RED=blue & ~red, DUPLICATE=twice
    )


register_reader("lamost", recognizes=is_lamost, stream=pieces)(read_lamost)
