"""Gaia XP spectra of any number of files, in any of the formats, in one table."""

import warnings
from dataclasses import replace

import numpy as np
from astropy import units as u
from astropy.table import vstack

import stellarlabels.inputs.xp.formats  # noqa: F401  (the formats register themselves)
from stellarlabels import flags, releases
from stellarlabels.columns import Notes, StarTable, by_name, column, dressed, intake, plain, products, without_unit
from stellarlabels.columns.wavelengths import as_grid, quality
from stellarlabels.exceptions import InputError, ReadError, ReleaseError, SkippedFileWarning
from stellarlabels.files import as_paths
from stellarlabels.inputs.readers import reader_of
from stellarlabels.inputs.xp.cache import read_cached, read_raw
from stellarlabels.inputs.xp.formats import duplicates, join_products, stack
from stellarlabels.inputs.xp.layout import BANDS, COLUMNS, RELEASE
from stellarlabels.inputs.xp.sampling import sample_arrays

#: Beginnings of the names of other products that the archive packs together with XP spectra.
_OTHER_PRODUCTS = ("RVS", "MCMC", "EPOCH")

#: So many files, and there is a progress bar.
_MANY = 20


def read_xp(path_or_paths, *, sample=True, wavelength=None, cache=None, progress=None, release=None):
    """Gaia XP spectra from files as the archive and GaiaXPy write them.

    Parameters
    ----------
    path_or_paths : path-like or list of path-like
        FITS, VOTable, CSV or ECSV (also with gzip), or zip archives of these; sampled spectra (one row per star, or one
        table per star) or coefficients. See ``stellarlabels.archive.readers.available``. All of them may be mixed.
    sample : bool
        Whether spectra that come as coefficients are sampled, as GaiaXPy does it.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Wavelengths of the samples of the result; in nm where there is no unit. By default the 343 of the archive, 336
        to 1020 nm in steps of 2 nm. Sampled spectra on other wavelengths are interpolated linearly.
    cache : path-like, optional
        Folder in which the content of text files and VOTables is kept in binary, so that each is parsed only once. An
        entry is not used when the file has changed, or the entry is damaged.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 20 files or 100,000 spectra to be sampled.
    release : str, optional
        Of which data release the spectra are, where they do not tell; "ignore" samples those of another one, too. See
        `stellarlabels.releases`.

    Returns
    -------
    `~astropy.table.QTable`
        One row per star, in the order of the files:

        - ``source_id``: int64;
        - ``flux``, ``flux_error``: `~astropy.units.Quantity`, float64, cells of M samples, W / (m2 nm), NaN where there
          is no sample. Absent if all spectra are coefficients and ``sample`` is False;
        - ``spectrum_flag``: int32, bits of `stellarlabels.flags.SPECTRUM`. No spectrum is left out for its flags;
        - for coefficients ``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations``,
          ``bp_standard_deviation`` and the same of ``rp``: float64 (correlations float32, as in the archive, if that
          holds them), NaN where the band is missing;
        - all other columns of the files, under the names and in the units of the vocabulary where it knows them, with
          missing values masked.

        ``meta["wavelength"]`` has the wavelengths (nm). ``meta["without_correlations"]`` lists the files whose flux
        errors were computed from coefficient errors alone, because there were no correlations; ``meta["release"]`` has
        the data release, if it is known and the same for all.

    Raises
    ------
    ReadError
        If the only file, or every one, cannot be read: it is missing, empty, truncated, or has other columns. The
        message names the file and what is wrong.
    ReleaseError
        If coefficients that are to be sampled are of a release whose basis functions are not known here, or if files
        of several releases are mixed.
    InputError
        If no path is given, the wavelengths are not increasing or out of range, or the cache is no folder.

    Warns
    -----
    stellarlabels.exceptions.SkippedFileWarning
        For each file of several (or member of a zip archive) that cannot be read.
    stellarlabels.exceptions.ImpossibleValueWarning
        Of values beside the spectra that were taken as missing, since no star has such; also in ``meta["intake"]``.

    Notes
    -----
    A zip archive that holds the samples of a star and its coefficients gives one row, with the archive's samples.
    """
    grid = as_grid(wavelength)
    paths = as_paths(path_or_paths)
    parts = _from_all(paths, lambda path: _spectra_in(path, *read_cached(path, cache), grid), progress)
    return _finish(parts, paths, grid, sample, progress, release)


def read_table(path_or_paths, *, progress=None, release=None):
    """A table of stars from files of any kind, with known names and units.

    Parameters
    ----------
    path_or_paths : path-like or list of path-like
        FITS, VOTable, CSV or ECSV (also with gzip), or zip archives of these.
    progress, release
        As in `read_xp`.

    Returns
    -------
    `~astropy.table.QTable`
        What the reader of a survey gives if it knows any of the files (`read_lamost` does if one is a spectrum of
        LAMOST), what `read_xp` gives if any of them holds XP spectra (coefficients of a release whose basis functions
        are not known here are not sampled); else the columns under the names and in the units
        of the vocabulary where it knows them, with missing values masked, one row after the other.

    Raises
    ------
    ReadError
        If the only file, or every one, is missing, damaged, or no table.
    InputError
        If no path is given.

    Warns
    -----
    stellarlabels.exceptions.SkippedFileWarning
        For each file of several (or member of a zip archive) that cannot be read.
    stellarlabels.exceptions.MissingUnitWarning, stellarlabels.exceptions.ImpossibleValueWarning
        As of `stellarlabels.columns.intake`, once for all files.
    """
    paths = as_paths(path_or_paths)
    reader = reader_of(paths)
    if reader is not None:
        return reader.read(paths, progress=progress)
    files = _from_all(paths, lambda path: (path, *read_raw(path)), progress)
    if any(
        item.accepts(by_name(raw.table)) for _, raws, _ in files for raw in raws for item in products.registered("xp")
    ):
        grid = as_grid(None)
        parts = _from_all(files, lambda file: _spectra_in(*file, grid), progress)
        return _finish(parts, paths, grid, None, progress, release)
    notes = Notes()
    tables = _from_all(files, lambda file: _stars_in(*file, notes), progress)
    out = vstack(tables, metadata_conflicts="silent") if len(tables) > 1 else tables[0]
    _tell(notes, paths, out)
    return StarTable(out, copy=False)


def _from_all(items, read, progress):
    """Results of ``read`` for all items for which there is no error; an error if there is none."""
    from tqdm.auto import tqdm

    results, failures = [], []
    quiet = not (len(items) > _MANY if progress is None else progress)
    for item in tqdm(items, desc="reading", unit="file", disable=quiet):
        try:
            results.append(read(item))
        except ReadError as error:
            failures.append((str(item[0] if isinstance(item, tuple) else item), error))
    _judge(failures, len(items), bool(results))
    return results


def _judge(failures, count, any_result):
    """Raise the error of the only item, or of all of them; warn of each if there are others."""
    if failures and not any_result:
        first = failures[0][1]
        if count == 1:
            raise first
        raise ReadError(f"none of {count} files could be read; the first: {first}") from first
    for name, error in failures:
        _skipped(name, error)


def _skipped(name, error):
    text = str(error)
    reason = text if text.startswith(name) else f"{name}: {text}"
    warnings.warn(f"skipped {reason}", SkippedFileWarning, stacklevel=2)


def _tell(notes, paths, out):
    """Keep what an intake found in the metadata of the result, and warn of it."""
    notes.keep(out.meta)
    notes.warn(str(paths[0]) if len(paths) == 1 else f"{len(paths)} files", stacklevel=3)


def _stars_in(path, raws, failures, notes):
    """Stars without spectra in the tables of one file."""
    _judge(failures, len(failures) + len(raws), bool(raws))
    try:
        tables = [dressed(intake(by_name(raw.table), notes=notes)) for raw in raws]
    except InputError as error:
        raise ReadError(f"{path}: {error}") from error
    return vstack(tables, metadata_conflicts="silent")


def _spectra_in(path, raws, failures, grid):
    """Spectra of the tables of one file, and where in it there are coefficients without correlations."""
    parts, places, failures = [], [], list(failures)
    chosen = [raw for raw in raws if not raw.name.upper().startswith(_OTHER_PRODUCTS)]
    if not chosen and not failures:
        raise ReadError(f"{path}: holds {raws[0].name}, which is no product with XP spectra")
    for raw in chosen:
        try:
            part, known = _read_raw(raw, grid)
        except ReadError as error:
            failures.append((raw.where, error))
            continue
        parts.append(part)
        if not known:
            places.append(raw.where)
    _judge(failures, len(failures) + len(parts), bool(parts))
    spectra = stack(parts)
    return (join_products(spectra) if len(parts) > 1 else spectra), places


def _read_raw(raw, grid):
    """Spectra of one table, and whether correlations came with its coefficients."""
    raw = replace(raw, table=by_name(raw.table))
    try:
        part = products.recognize(raw, "xp").read(raw, grid)
    except InputError as error:
        raise ReadError(f"{raw.where}: {error}") from error
    there = part.columns.colnames
    return part, part.sampled.all() or any(f"{band}_coefficient_correlations" in there for band in BANDS)


def _finish(parts, paths, grid, sample, progress, release):
    """The table of the result from what is in each file; ``sample`` None: where the basis functions are known here."""
    _same_release([part for part, _ in parts])
    spectra, notes = stack([part for part, _ in parts]), Notes()
    beside = [name for name in spectra.columns.colnames if name not in COLUMNS]  # of spectra, flags tell
    for name, data in intake(spectra.columns[beside], notes=notes).items():
        spectra.columns.replace_column(name, data)
    if release is not None:
        spectra.columns.meta[releases.META] = release
    told = releases.of(spectra.columns, release)
    found, sample = told.all, not told.other(RELEASE).any() if sample is None else sample
    todo = ~spectra.sampled
    if sample and todo.any() and todo.all():
        spectra.flux, spectra.flux_error = sample_arrays(spectra.columns, grid, progress=progress)
    elif sample and todo.any():
        spectra.flux[todo], spectra.flux_error[todo] = sample_arrays(spectra.columns[todo], grid, progress=progress)
    out = _assemble(spectra, grid, sample)
    out.meta["wavelength"] = grid * u.nm
    if release is not None or len(found) == 1:
        out.meta[releases.META] = found[0] if len(found) == 1 and release != "ignore" else release
    _tell(notes, paths, out)
    without = [where for _, places in parts for where in places]
    if without and sample:
        out.meta["without_correlations"] = without
    return out


def _same_release(parts):
    """An error for coefficients of different numbers, which no table can hold."""
    shapes = {
        part.columns[name].shape[1] for part in parts for name in ("bp_coefficients",) if name in part.columns.colnames
    }
    if len(shapes) > 1:
        numbers = " and ".join(str(size) for size in sorted(shapes))
        raise ReleaseError(
            f"the files hold spectra of several data releases, with {numbers} coefficients of BP; read them one by one"
        )


def _assemble(spectra, grid, sample):
    """Columns of the result."""
    columns = spectra.columns
    out = StarTable({"source_id": columns["source_id"]})
    flag = spectra.flag
    if sample or spectra.sampled.any():
        out["flux"], out["flux_error"] = plain("flux", spectra.flux), plain("flux_error", spectra.flux_error)
    known = spectra.sampled | sample
    if np.any(known):
        judged = quality(spectra.flux, spectra.flux_error, grid)
        flag = flag | flags.SPECTRUM.where(**{name: known & bad for name, bad in judged.items()})
    flag = flag | flags.SPECTRUM.where(DUPLICATE=duplicates(columns["source_id"]))
    out["spectrum_flag"] = column("spectrum_flag").dress(flag)
    for name in columns.colnames[1:]:
        if name in COLUMNS:
            data = plain(name, np.ma.filled(without_unit(columns[name]), np.nan))
            out.add_column(data, name=name, copy=False)
        else:
            out[name] = columns[name]
    return out
