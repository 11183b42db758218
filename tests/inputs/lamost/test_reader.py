"""LAMOST files of every release: real ones, made ones, broken ones."""

import gzip
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable
from hypothesis import HealthCheck, given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.archive.readers import available, iter_lamost, read_lamost, read_table
from stellarlabels.exceptions import InputError, ReadError, SkippedFileWarning
from stellarlabels.inputs.lamost.files import is_lamost
from stellarlabels.inputs.spectra import from_specutils, to_specutils

SIZE = 60
WAVE = 10 ** (3.7 + 1e-4 * np.arange(SIZE))
FLUX = np.linspace(90, 110, SIZE).astype(np.float32)
CARDS = {"TELESCOP": "LAMOST", "OBSID": 359910161, "RA": 292.0, "DEC": 43.9, "Z": -1.7e-4, "SNRG": 87.6, "DATA_V": "DR"}


def header(**changes):
    out = fits.Header()
    for name, value in {**CARDS, **changes}.items():
        if value is not None:
            out[name] = value
    return out


def image(path, rows=None, **cards):
    """Low resolution until DR8."""
    rows = [FLUX, np.ones(SIZE), WAVE, np.zeros(SIZE), np.arange(SIZE) == 3] if rows is None else rows
    fits.PrimaryHDU(np.array(rows, np.float32), header(**cards)).writeto(path)
    return path


def table_unit(name, wide, loglam, pixmask=False, **arrays):
    """A table of pixels: in rows, or all in one row."""
    columns = {
        "FLUX": FLUX,
        "IVAR": np.ones(SIZE),
        "WAVELENGTH": WAVE,
        "ANDMASK": np.zeros(SIZE),
        "ORMASK": np.zeros(SIZE),
    }
    columns |= arrays
    if loglam:
        columns = {
            ("LOGLAM" if k == "WAVELENGTH" else k): np.log10(v) if k == "WAVELENGTH" else v for k, v in columns.items()
        }
    if pixmask:
        columns["PIXMASK"] = columns.pop("ANDMASK")
        del columns["ORMASK"]
    out = []
    for key, values in columns.items():
        kind = "I" if "MASK" in key else "E"
        out.append(fits.Column(key, f"{len(values)}{kind}" if wide else kind, array=values[None] if wide else values))
    unit = fits.BinTableHDU.from_columns(out, name=name)
    unit.header["SNR"] = 40.5
    return unit


def file_of(path, *units, **cards):
    fits.HDUList([fits.PrimaryHDU(header=header(**cards)), *units]).writeto(path)
    return path


def test_formats_are_listed():
    assert set(available("lamost")) == {"lamost_lrs_image", "lamost_lrs_table", "lamost_mrs"}


def test_low_resolution_image(tmp_path):
    table = read_lamost(image(tmp_path / "spec.fits"))
    assert table.colnames[0] == "obsid" and table["obsid"][0] == 359910161 and table["obsid"].dtype == np.int64
    np.testing.assert_allclose(table["wavelength"][0].to_value(u.nm), WAVE.astype(np.float32) / 10, rtol=1e-7)
    np.testing.assert_array_equal(table["flux"][0], FLUX)
    assert table["ormask"][0, 3] == 1 and table["ormask"].sum() == 1
    assert (table["z"][0], table["snrg"][0], table["spectrum"][0]) == (-1.7e-4, 87.6, "spec.fits")


def test_first_release_has_its_wavelengths_in_the_header(tmp_path):
    rows = [FLUX, np.ones(SIZE), FLUX / 100, np.zeros(SIZE), np.zeros(SIZE)]
    words = {"EXTEN0": "Flux Inverse Subcontinuum Andmask Ormask", "COEFF0": 3.7, "COEFF1": 1e-4}
    table = read_lamost(image(tmp_path / "a.fits", rows, OBSID=None, Z=-9999.0, SNRG=None, SN_G=12.5, **words))
    np.testing.assert_allclose(table["wavelength"][0].value, WAVE, rtol=1e-12)
    assert np.ma.is_masked(table["obsid"][0])
    assert "z" not in table.colnames and table["snrg"][0] == 12.5


def test_low_resolution_table_and_gzip(tmp_path):
    path = file_of(tmp_path / "a.fits", table_unit("COADD", True, False))
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    one, two = read_lamost(path), read_lamost(packed)
    np.testing.assert_array_equal(one["flux"], two["flux"])
    np.testing.assert_array_equal(one["flux"][0], FLUX)


@pytest.mark.parametrize(("wide", "loglam"), [(False, True), (True, False)], ids=["DR7", "DR9"])
def test_medium_resolution(tmp_path, wide, loglam):
    units = [table_unit("COADD_B", wide, loglam), table_unit("COADD_R", wide, loglam, WAVELENGTH=WAVE + 1400)]
    backwards = {"WAVELENGTH": (WAVE + 1400)[::-1], "FLUX": FLUX[::-1]}
    units += [table_unit("B-83906016", wide, loglam, True), table_unit("R-83906016", wide, loglam, True, **backwards)]
    path = file_of(tmp_path / "med.fits", *units, Z=None)
    table = read_lamost(path)
    assert len(table) == 1 and table["spectrum_flag"][0] == 0
    np.testing.assert_allclose(table["wavelength_b"][0].value, WAVE, rtol=1e-6)
    assert table["snr_b"][0] == 40.5
    both = read_lamost(path, exposures=True)
    assert both["exposure"].tolist() == [None, 83906016]
    assert (np.diff(both["wavelength_r"].value) > 0).all()
    np.testing.assert_allclose(both["flux_r"][1], FLUX)


def test_one_arm_missing(tmp_path):
    table = read_lamost(file_of(tmp_path / "a.fits", table_unit("COADD_B", False, True)))
    assert flags.decode(table["spectrum_flag"][0], "spectrum") == ["MISSING_RED"]
    ivar = np.where(WAVE < 5050, 0, 1)
    units = [
        table_unit("COADD_B", True, False, IVAR=0 * ivar),
        table_unit("COADD_R", True, False, WAVELENGTH=WAVE + 1400),
    ]
    table = read_lamost(file_of(tmp_path / "b.fits", *units))
    assert flags.decode(table["spectrum_flag"][0], "spectrum") == ["BAD_SAMPLES", "MISSING_BLUE"]


def test_mixed_lengths_and_resolutions_are_padded(tmp_path):
    short = [row[:40] for row in (FLUX, np.ones(SIZE), WAVE, np.zeros(SIZE), np.zeros(SIZE))]
    paths = [
        image(tmp_path / "a.fits"),
        image(tmp_path / "b.fits", short, OBSID=2),
        file_of(tmp_path / "c.fits", table_unit("COADD_B", False, True), OBSID=3),
    ]
    table = read_lamost(paths)
    assert table["flux"].shape == (3, SIZE) and table["flux_b"].shape == (3, SIZE)
    assert np.isnan(table["flux"][1, 40:]).all() and (table["ivar"][1, 40:] == 0).all()
    assert np.isnan(table["wavelength"][2].value).all()
    assert np.isnan(table["flux_b"][:2]).all()


def test_bad_numbers_become_unknown_pixels(tmp_path):
    wave = WAVE.copy()
    wave[5] = np.nan
    flux, ivar = FLUX.copy(), np.ones(SIZE)
    flux[6], ivar[7], ivar[8] = np.inf, -1, np.nan
    table = read_lamost(image(tmp_path / "a.fits", [flux, ivar, wave, np.full(SIZE, np.nan), np.zeros(SIZE)]))
    assert (table["ivar"][0, 5:9] == 0).all() and (np.asarray(table["ivar"][0, 9:]) == 1).all()
    assert np.isnan(table["wavelength"][0, 5]) and np.isnan(table["flux"][0, 6])
    assert (table["andmask"] == 1).all()
    assert flags.SPECTRUM.has(table["spectrum_flag"][0], "BAD_SAMPLES")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([FLUX, np.ones(SIZE), np.full(SIZE, np.nan)], "0 of 60 wavelengths are numbers"),
        ([FLUX, np.ones(SIZE), np.ones(SIZE)], "expected increasing ones of 3000 to 11000 Angstrom"),
        ([FLUX, np.ones(SIZE), np.roll(WAVE, 7)], "expected increasing ones"),
        ([np.full(SIZE, np.nan), np.ones(SIZE), WAVE], "no flux is a number"),
    ],
)
def test_unusable_arrays_are_named(tmp_path, rows, message):
    with pytest.raises(ReadError, match=message):
        read_lamost(image(tmp_path / "a.fits", rows))


def test_a_broken_file_of_many_costs_its_row_only(tmp_path):
    good = image(tmp_path / "good.fits")
    broken = tmp_path / "cut.fits"
    broken.write_bytes(good.read_bytes()[:3000])
    other = file_of(tmp_path / "other.fits", fits.BinTableHDU.from_columns([fits.Column("X", "E", array=[1.0])]))
    absent = tmp_path / "absent.fits"
    with pytest.warns(SkippedFileWarning, match="3 of 4 files"):
        table = read_lamost([broken, good, other, absent])
    assert table["spectrum"].tolist() == ["cut.fits", "good.fits", "other.fits", "absent.fits"]
    np.testing.assert_array_equal(flags.SPECTRUM.has(table["spectrum_flag"], "NO_SPECTRUM"), [1, 0, 1, 1])
    assert str(broken) in table.meta["failures"]
    assert "no LAMOST spectrum" in table.meta["failures"][str(other)]
    assert "no such file" in table.meta["failures"][str(absent)]
    for path in (broken, other, absent):
        with pytest.raises(ReadError, match=path.name):
            read_lamost(path)
    with pytest.raises(ReadError, match="none of 2 files"):
        read_lamost([broken, absent])


def test_a_broken_arm_is_reported(tmp_path):
    path = file_of(
        tmp_path / "a.fits", table_unit("COADD_B", False, True), table_unit("COADD_R", True, False, WAVELENGTH=FLUX)
    )
    with pytest.warns(SkippedFileWarning, match="COADD_R"):
        table = read_lamost(path)
    assert flags.SPECTRUM.has(table["spectrum_flag"][0], "MISSING_RED")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_never_raise_anything_else(tmp_path, data):
    path = tmp_path / "fuzz.fits"
    if not path.exists():
        image(path)
        (tmp_path / "whole").write_bytes(path.read_bytes())
        file_of(tmp_path / "t.fits", table_unit("COADD_B", False, True), table_unit("COADD_R", True, False))
    content = bytearray((tmp_path / data.draw(st.sampled_from(["whole", "t.fits"]))).read_bytes())
    for _ in range(data.draw(st.integers(0, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table = read_lamost(path)
        except ReadError as error:
            assert str(path) in str(error)
        else:
            assert len(table) == 1


def test_stream(tmp_path):
    paths = [image(tmp_path / f"{number}.fits", OBSID=number) for number in range(5)]
    pieces = list(iter_lamost(paths, rows=2))
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    assert [int(number) for piece in pieces for number in piece["obsid"]] == list(range(5))
    with pytest.raises(InputError, match="rows"):
        next(iter_lamost(paths, rows=0))
    with pytest.raises(InputError, match="workers"):
        read_lamost(paths, workers=0)
    with pytest.raises(InputError, match="at least one path"):
        read_lamost([])


def test_repeated_spectra_are_flagged(tmp_path):
    paths = [image(tmp_path / f"{number}.fits", OBSID=number // 2) for number in range(3)]
    np.testing.assert_array_equal(
        flags.SPECTRUM.has(read_lamost(paths)["spectrum_flag"], "DUPLICATE"), [True, True, False]
    )


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_repeated_spectra_are_flagged_across_pieces(tmp_path, rows):
    paths = [image(tmp_path / f"{n}.fits", OBSID=number) for n, number in enumerate((1, 2, 3, 2, 4, 2))]
    packed = tmp_path / "7.fits.gz"
    packed.write_bytes(gzip.compress(paths[0].read_bytes()))
    paths = [*paths, packed, tmp_path / "not there.fits"]
    with warnings.catch_warnings(action="ignore", category=SkippedFileWarning):
        whole = read_lamost(paths)
        parts = [np.array(table["spectrum_flag"]) for table in iter_lamost(paths, rows=rows)]
        first = next(iter_lamost(paths, rows=rows))
    repeated = flags.SPECTRUM.has(np.concatenate(parts), "DUPLICATE")
    assert repeated.tolist() == [True, True, False, True, False, True, True, False]
    np.testing.assert_array_equal(np.concatenate(parts), whole["spectrum_flag"])
    assert len(first) == rows


def test_another_survey_is_refused(tmp_path):
    """A spectrum as SDSS delivers it: its name of the extension is that of LAMOST's tables."""
    columns = {"flux": FLUX, "loglam": np.log10(WAVE), "ivar": np.ones(SIZE), "and_mask": np.zeros(SIZE, np.int32)}
    unit = fits.BinTableHDU(QTable({**columns, "or_mask": np.ones(SIZE, np.int32)}), name="COADD")
    for number, telescope in enumerate(("SDSS 2.5-M", None)):
        path = file_of(tmp_path / f"spec-{number}.fits", unit, TELESCOP=telescope, OBSID=None)
        with pytest.raises(ReadError, match="not a spectrum of LAMOST, but of '?SDSS"):
            read_lamost(path)


@pytest.mark.slow
def test_processes_give_the_same(tmp_path):
    paths = [image(tmp_path / f"{number}.fits", OBSID=number) for number in range(70)]
    one, two = read_lamost(paths), read_lamost(paths, workers=2)
    np.testing.assert_array_equal(one["obsid"], two["obsid"])
    np.testing.assert_array_equal(one["flux"], two["flux"])


def test_any_table_reader_takes_them(tmp_path):
    path = image(tmp_path / "a.fits")
    assert is_lamost(path) and not is_lamost(tmp_path)
    assert read_table(path)["obsid"][0] == 359910161


def test_specutils_round_trip(tmp_path):
    pytest.importorskip("specutils")
    table = read_lamost([image(tmp_path / "a.fits"), image(tmp_path / "b.fits", OBSID=2)])
    spectra = to_specutils(table)
    assert spectra[0].spectral_axis.unit == u.AA and spectra[0].mask.sum() == 1
    back = from_specutils(spectra)
    assert back["obsid"].tolist() == [359910161, 2]
    for name in ("wavelength", "flux", "ivar", "andmask", "ormask"):
        np.testing.assert_allclose(np.asarray(back[name]), np.asarray(table[name]))
    with pytest.raises(InputError, match="at least one"):
        from_specutils([])


def test_every_real_file_is_read(real_data):
    low = sorted(str(path) for path in (real_data / "lamost_lrs").glob("*.fits*"))
    table = read_lamost(low)
    assert len(table) == len(low) == 33 and "failures" not in table.meta
    assert not flags.SPECTRUM.has(table["spectrum_flag"], "NO_SPECTRUM").any()
    wavelength = table["wavelength"].value
    assert np.nanmin(wavelength) > 3699 and np.nanmax(wavelength) < 9101
    # one star in the formats of DR7 and DR9
    np.testing.assert_allclose(table["flux"][0], table["flux"][1], rtol=1e-5)
    np.testing.assert_allclose(wavelength[0], wavelength[1], rtol=1e-7)
    medium = sorted(str(path) for path in (real_data / "lamost_mrs").glob("*.fits*"))
    arms = read_lamost(medium)
    assert len(arms) == 5 and "failures" not in arms.meta
    single = read_lamost(medium, exposures=True)
    assert (single["exposure"].mask).sum() == 5 and len(single) == 33
    assert (flags.SPECTRUM.has(single["spectrum_flag"], "NO_SPECTRUM")).sum() == 0
