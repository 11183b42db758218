"""Gaia XP spectra from files: every format gives the same table, and what is wrong is flagged or named."""

import gzip
import subprocess
import sys
import warnings
import zipfile
from io import BytesIO

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info, Param
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import HealthCheck, given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.archive.readers import available, read_table, read_xp, sample_coefficients
from stellarlabels.exceptions import (
    ImpossibleValueWarning,
    InputError,
    MissingColumnError,
    MissingUnitWarning,
    ReadError,
    SkippedFileWarning,
)
from stellarlabels.files import products as registry
from stellarlabels.inputs.xp import sampling
from stellarlabels.inputs.xp.sampling import sample_arrays

FLUX_UNIT = u.Unit("W / (m2 nm)")
GRID = np.arange(336.0, 1021.0, 2.0)
STAR = 5937083312263887616

#: GaiaXPy computes flux in float64 and its errors in float32.
FLUX_RTOL, ERROR_RTOL = 1e-12, 1e-6


def names_of(value):
    return set(flags.decode(int(value), "spectrum"))


@pytest.fixture(scope="module")
def gaiaxpy():
    """GaiaXPy without its warnings and output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("gaiaxpy")


@pytest.fixture(scope="module")
def coefficients():
    """Three stars: with both bands, without BP, without RP. Correlations are those of random factors."""
    rng = np.random.default_rng(7)
    out = Table({"source_id": np.array([STAR, STAR + 1, STAR + 2], dtype=np.int64)})
    for band, missing in (("bp", 1), ("rp", 2)):
        factors = rng.normal(size=(3, 55, 8))
        matrix = factors @ factors.transpose(0, 2, 1) + 8 * np.eye(55)
        scale = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
        correlation = matrix / scale[:, :, None] / scale[:, None, :]
        rows, columns = np.tril_indices(55, -1)  # above the diagonal, column by column
        cells = {
            "coefficients": rng.normal(size=(3, 55)) * 100 / (1 + np.arange(55)),
            "coefficient_errors": rng.uniform(0.5, 2, size=(3, 55)).astype("f4"),
            "coefficient_correlations": correlation[:, rows, columns].astype("f4"),
        }
        for name, values in cells.items():
            column = np.empty(3, dtype=object)
            column[:] = [row if index != missing else np.empty(0, row.dtype) for index, row in enumerate(values)]
            out[f"{band}_{name}"] = column
        gone = np.arange(3) == missing
        out[f"{band}_n_parameters"] = MaskedColumn([55, 55, 55], mask=gone, dtype="i2")
        out[f"{band}_standard_deviation"] = MaskedColumn([1.1, 1.2, 1.3], mask=gone, dtype="f4")
        out[f"{band}_n_relevant_bases"] = MaskedColumn([20, 30, 40], mask=gone, dtype="i2")
    return out


@pytest.fixture(scope="module")
def sampled(coefficients):
    """Samples of them."""
    return sample_arrays(coefficients)


@pytest.fixture(scope="module")
def frame(coefficients):
    """The same as GaiaXPy takes it."""
    pandas = pytest.importorskip("pandas")
    data = {}
    for name in coefficients.colnames:
        column = coefficients[name]
        if column.dtype == object:
            data[name] = [cell if cell.size else np.nan for cell in column]
        else:
            data[name] = np.ma.filled(column.astype(float), np.nan) if name != "source_id" else column.data
    return pandas.DataFrame(data)


def calibrate(gaiaxpy, frame, **options):
    """GaiaXPy's public calibration as arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spectra, sampling = gaiaxpy.calibrate(frame, **{"save_file": False, **options})
    return np.stack(list(spectra["flux"])), np.stack(list(spectra["flux_error"])), sampling


def as_matrices(coefficients):
    """Coefficients as plain matrices with NaN."""
    out = {}
    for name in coefficients.colnames:
        if coefficients[name].dtype == object:
            size = max(cell.size for cell in coefficients[name])
            out[name] = np.array([cell if cell.size else np.full(size, np.nan) for cell in coefficients[name]])
    return out


def as_text(table, left="(", right=")"):
    """A table with its arrays as texts."""
    out = Table()
    for name in table.colnames:
        column = table[name]
        if column.dtype == object or column.ndim == 2:
            cells = [", ".join(map(str, np.asarray(cell).tolist())) for cell in column]
            column = [left + cell + right if cell else "" for cell in cells]
        out[name] = column
    return out


def write_continuous(table, folder, suffix):
    """The archive's table of coefficients in one of its four formats."""
    path = folder / f"XP_CONTINUOUS_RAW.{suffix}"
    if suffix == "csv":
        as_text(table).write(path, format="ascii.csv")
    elif suffix == "ecsv":
        table.write(path, format="ascii.ecsv", delimiter=",")
    elif suffix == "xml":
        from_table(table).to_xml(str(path))
    else:
        columns = []
        for name in table.colnames:
            column = table[name]
            kind = {"i8": "K", "i2": "I", "f4": "E"}.get(column.dtype.str[1:])
            if column.dtype == object:
                kind = "PD()" if column[0].dtype == "f8" else "PE()"
            null = {"I": 32767, "E": np.nan}.get(kind)
            data = np.array(column if null is None else np.ma.filled(column, null))
            columns.append(fits.Column(name=name, format=kind, array=data, null=null if kind == "I" else None))
        fits.BinTableHDU.from_columns(columns).writeto(path)
    return path


def star(number=343, start=336.0, step=2.0):
    """Samples of one star as the archive delivers them: float32, one row to a sample."""
    wave = start + step * np.arange(number)
    flux = ((2 + np.sin(wave / 50)) * 1e-16).astype("f4")
    return Table({"wavelength": wave, "flux": flux, "flux_error": (flux / 50).astype("f4")})


def write_star(table, folder, suffix, source_id=STAR):
    """The archive's table of the samples of one star."""
    path = folder / f"XP_SAMPLED-Gaia DR3 {source_id}.{suffix}"
    if suffix == "csv":
        table.write(path, format="ascii.csv")
        return path
    table = table.copy()
    table["wavelength"].unit = "nm"
    for name in ("flux", "flux_error"):
        table[name].unit = FLUX_UNIT
    if suffix == "fits":
        table.meta["SOURCEID"] = str(source_id)
        table.write(path)
    elif suffix == "ecsv":
        table.meta["source_id"] = source_id
        table.write(path, format="ascii.ecsv")
    else:
        file = from_table(table)
        element = file.get_first_table()
        element.params.append(Param(file, name="source_id", datatype="long", value=str(source_id)))
        file.to_xml(str(path))
    return path


def rows(count=3):
    """Sampled spectra, one star to a row."""
    flux = np.tile(np.asarray(star()["flux"], dtype=float), (count, 1)) * np.arange(1, count + 1)[:, None]
    return Table({"source_id": STAR + np.arange(count), "flux": flux, "flux_error": flux / 50})


FORMATS = ("csv", "ecsv", "fits", "xml")


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data / "gaia_xp"


@pytest.fixture(scope="module")
def stars(folder):
    return {suffix: read_xp(folder / f"XP_CONTINUOUS_RAW.{suffix}") for suffix in FORMATS}


class TestRealFiles:
    """Files of the archive and of GaiaXPy's own tests."""

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_four_formats_give_identical_tables(self, stars, suffix):
        one, other = stars["fits"], stars[suffix]
        assert other.colnames == one.colnames
        for name in one.colnames:
            assert type(other[name]) is type(one[name])
            assert other[name].dtype == one[name].dtype, name
            np.testing.assert_array_equal(np.ma.getmaskarray(other[name]), np.ma.getmaskarray(one[name]))
            np.testing.assert_array_equal(np.ma.getdata(other[name]), np.ma.getdata(one[name]), err_msg=name)

    def test_layout(self, stars):
        table = stars["csv"]
        assert table.colnames[:4] == ["source_id", "flux", "flux_error", "spectrum_flag"]
        assert table["source_id"].tolist() == [5853498713190525696, 5762406957886626816]
        assert table["flux"].shape == (2, 343) and table["flux"].dtype == np.float64
        assert table["flux"].unit == table["flux_error"].unit == FLUX_UNIT
        assert (table.meta["wavelength"] == GRID * u.nm).all()
        assert table["bp_coefficients"].shape == (2, 55) and table["rp_coefficient_correlations"].shape == (2, 1485)
        assert (table["spectrum_flag"] == 0).all()

    def test_as_calibrated_by_gaiaxpy(self, folder, stars):
        reference = read_xp(folder / "calibrator_solution_default.csv")
        np.testing.assert_allclose(stars["csv"]["flux"], reference["flux"], rtol=FLUX_RTOL)
        np.testing.assert_allclose(stars["csv"]["flux_error"], reference["flux_error"], rtol=ERROR_RTOL)

    def test_a_star_without_bp(self, folder):
        for suffix in ("csv", "fits"):
            table = read_xp(folder / f"XP_CONTINUOUS_RAW_with_missing_BP.{suffix}")
            reference = read_xp(folder / "with_missing_calibrator_solution.csv")
            assert table["source_id"].tolist() == [5853498713190525696, 5405570973190252288, 5762406957886626816]
            np.testing.assert_allclose(table["flux"][[0, 2]], reference["flux"], rtol=FLUX_RTOL)
            np.testing.assert_allclose(table["flux_error"][[0, 2]], reference["flux_error"], rtol=ERROR_RTOL)
            assert names_of(table["spectrum_flag"][1]) == {"MISSING_BP", "BAD_SAMPLES"}
            assert (np.isnan(table["flux"][1].value) == (GRID <= 635)).all()
            assert np.isnan(table["bp_coefficients"][1]).all() and np.isfinite(table["rp_coefficients"][1]).all()
            assert table["bp_n_relevant_bases"].mask.tolist() == [False, True, False]

    def test_the_archive_s_zip_gives_one_row_with_its_own_samples(self, folder):
        path = folder / f"gaia_dr3_source_id_{STAR}_dl_products_fits.zip"
        table = read_xp(path)
        assert table["source_id"].tolist() == [STAR] and table["spectrum_flag"].tolist() == [0]
        with zipfile.ZipFile(path) as archive, archive.open(f"XP_SAMPLED-Gaia DR3 {STAR}.fits") as member:
            own = fits.getdata(BytesIO(member.read()))
        np.testing.assert_array_equal(table["flux"].value[0], own["flux"])
        flux, error = sample_coefficients(table)
        np.testing.assert_allclose((flux - table["flux"]) / table["flux_error"], 0, atol=1e-3)
        np.testing.assert_allclose(error / table["flux_error"], 1, atol=1e-5)

    def test_a_list_of_everything(self, folder):
        paths = [folder / f"gaia_dr3_source_id_{STAR}_dl_products_fits.zip", folder / "calibrator_solution_default.csv"]
        paths += [folder / "XP_CONTINUOUS_RAW.csv", folder / "xp_continuous_combined_weiler2023_examples.vot"]
        table = read_xp([*paths, folder / "XP_CONTINUOUS_RAW.fits"])
        assert len(table) == 1 + 2 + 2 + 4 + 2
        assert np.isfinite(table["flux"].value).all()
        duplicate = flags.SPECTRUM.has(table["spectrum_flag"], "DUPLICATE")
        assert duplicate.tolist() == [False] * 3 + [True] * 2 + [False] * 4 + [True] * 2
        assert np.isnan(table["bp_coefficients"][1]).all()

    def test_coefficients_one_to_a_column(self, folder):
        path = folder / "xp_continuous_combined_chunk0.fits"
        table = read_xp(path, sample=False)
        raw = Table.read(path)
        np.testing.assert_array_equal(table["bp_coefficients"][:, 54], raw["bp_coeff_54"])
        np.testing.assert_array_equal(table["rp_coefficient_errors"][:, 7], raw["e_rp_coeff_7"])
        assert "flux" not in table.colnames and len(table) == 2000
        assert table["source_id"].tolist() == raw["source_id"].tolist()
        assert table["rp_n_relevant_bases"].tolist() == raw["rp_n_relevant_bases"].tolist()


class TestContinuous:
    """Coefficients in files that the tests write themselves."""

    @pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "xml"])
    def test_as_gaiaxpy(self, coefficients, frame, gaiaxpy, tmp_path, suffix):
        table = read_xp(write_continuous(coefficients, tmp_path, suffix))
        flux, error, _ = calibrate(gaiaxpy, frame)
        np.testing.assert_allclose(table["flux"].value, flux, rtol=FLUX_RTOL)
        np.testing.assert_allclose(table["flux_error"].value, error, rtol=ERROR_RTOL)
        assert table["source_id"].tolist() == coefficients["source_id"].tolist()
        found = [names_of(value) for value in table["spectrum_flag"]]
        assert found == [set(), {"MISSING_BP", "BAD_SAMPLES"}, {"MISSING_RP", "BAD_SAMPLES"}]
        for name, row in (("bp_coefficients", 0), ("rp_coefficient_correlations", 1)):
            np.testing.assert_allclose(table[name][row], coefficients[name][row], rtol=1e-7)

    def test_own_wavelengths(self, coefficients, frame, gaiaxpy, tmp_path):
        path = write_continuous(coefficients, tmp_path, "fits")
        table = read_xp(path, wavelength=[3500, 5000, 6400, 9000] * u.AA)
        flux, error, _ = calibrate(gaiaxpy, frame, sampling=np.array([350.0, 500, 640, 900]))
        np.testing.assert_allclose(table["flux"].value, flux, rtol=FLUX_RTOL)
        np.testing.assert_allclose(table["flux_error"].value, error, rtol=ERROR_RTOL)
        np.testing.assert_allclose(table.meta["wavelength"].to_value(u.nm), [350, 500, 640, 900])

    def test_names_in_capitals(self, coefficients, tmp_path):
        capitals = coefficients.copy()
        for name in capitals.colnames:
            capitals.rename_column(name, name.upper())
        one = read_xp(write_continuous(capitals, tmp_path, "csv"))
        other = read_xp(write_continuous(coefficients, tmp_path, "fits"))
        np.testing.assert_allclose(one["flux"].value, other["flux"].value, rtol=FLUX_RTOL)

    def test_without_sampling(self, coefficients, tmp_path):
        table = read_xp(write_continuous(coefficients, tmp_path, "fits"), sample=False)
        assert "flux" not in table.colnames
        assert [names_of(value) for value in table["spectrum_flag"]] == [set(), {"MISSING_BP"}, {"MISSING_RP"}]

    def test_without_correlations_coefficients_are_independent(self, coefficients, tmp_path):
        table = coefficients.copy()
        table.remove_columns(["bp_coefficient_correlations", "rp_coefficient_correlations"])
        path = write_continuous(table, tmp_path, "fits")
        got = read_xp(path)
        assert got.meta["without_correlations"] == [str(path)]
        unit = {"bp_coefficients": np.eye(55), "bp_coefficient_errors": np.ones((55, 55))}
        basis, _ = sample_arrays(unit)  # flux of each basis function of BP
        blue = GRID < 635
        expected = np.sqrt((coefficients["bp_coefficient_errors"][0].astype(float) ** 2) @ basis**2)[blue]
        np.testing.assert_allclose(got["flux_error"].value[0, blue], expected, rtol=1e-10)

    def test_a_bulk_file(self, coefficients, tmp_path):
        """The archive's bulk files are ECSV, packed, and called .csv.gz; missing arrays are null."""
        path = write_continuous(coefficients, tmp_path, "ecsv")
        text = path.read_text().replace(',"",', ",null,").replace(",,", ",null,").replace(",,", ",null,")
        packed = tmp_path / "XpContinuousMeanSpectrum_000000-003111.csv.gz"
        packed.write_bytes(gzip.compress(text.encode()))
        np.testing.assert_allclose(read_xp(packed)["flux"].value, read_xp(path)["flux"].value, rtol=FLUX_RTOL)

    def test_a_file_with_one_band(self, coefficients, tmp_path):
        table = coefficients[[name for name in coefficients.colnames if not name.startswith("bp")]][:2]
        got = read_xp(write_continuous(table, tmp_path, "ecsv"))
        assert flags.SPECTRUM.has(got["spectrum_flag"], "MISSING_BP").all()
        assert got["bp_coefficients"].shape == (2, 55) and np.isfinite(got["flux"].value[:, GRID > 644]).all()

    def test_a_star_without_any_coefficient_is_kept(self, coefficients, tmp_path):
        table = coefficients.copy()
        for name in ("rp_coefficients", "rp_coefficient_errors", "rp_coefficient_correlations"):
            table[name][1] = np.empty(0)
        got = read_xp(write_continuous(table, tmp_path, "csv"))
        assert len(got) == 3 and names_of(got["spectrum_flag"][1]) == {"NO_SPECTRUM", "BAD_SAMPLES"}
        assert np.isnan(got["flux"].value[1]).all() and np.isfinite(got["flux"].value[0]).all()


class TestSampled:
    """Sampled spectra of the archive: one table per star."""

    @pytest.mark.parametrize("suffix", ["fits", "vot", "csv", "ecsv"])
    def test_one_star(self, tmp_path, suffix):
        table = read_xp(write_star(star(), tmp_path, suffix))
        assert table["source_id"].tolist() == [STAR]
        expected = np.asarray(star()["flux"], dtype=float)
        np.testing.assert_allclose(table["flux"].value[0], expected, rtol=1e-7)
        np.testing.assert_allclose(table["flux_error"].value[0], expected / 50, rtol=1e-6)
        assert table["flux"].unit == FLUX_UNIT and table["spectrum_flag"].tolist() == [0]

    @pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv"])
    def test_the_identifier_in_the_metadata_wins(self, tmp_path, suffix):
        path = write_star(star(), tmp_path, suffix)
        path = path.rename(tmp_path / f"renamed 1234567890123.{suffix}")
        assert read_xp(path)["source_id"].tolist() == [STAR]

    def test_the_identifier_in_an_info(self, tmp_path):
        file = from_table(star())
        file.resources[0].infos.append(Info(name="SOURCE_ID", value=str(STAR)))
        file.to_xml(str(tmp_path / "spectrum.vot"))
        assert read_xp(tmp_path / "spectrum.vot")["source_id"].tolist() == [STAR]

    def test_the_identifier_in_a_comment(self, tmp_path):
        path = tmp_path / "spectrum.csv"
        star().write(tmp_path / "plain.csv", format="ascii.csv")
        path.write_text(f"# source_id: {STAR}\n" + (tmp_path / "plain.csv").read_text())
        assert read_xp(path)["source_id"].tolist() == [STAR]

    def test_no_identifier(self, tmp_path):
        path = write_star(star(), tmp_path, "csv").rename(tmp_path / "spectrum_20220613.csv")
        with pytest.raises(ReadError, match="spectrum_20220613.csv: source_id is missing"):
            read_xp(path)

    def test_several_stars_one_after_the_other(self, tmp_path):
        first, second = star(), star(200, 400.0)
        first["source_id"], second["source_id"] = STAR + 5, STAR
        both = Table({name: np.concatenate([first[name], second[name]]) for name in first.colnames})
        both.write(tmp_path / "stars.csv", format="ascii.csv")
        table = read_xp(tmp_path / "stars.csv")
        assert table["source_id"].tolist() == [STAR + 5, STAR]
        np.testing.assert_allclose(table["flux"].value[0], first["flux"], rtol=1e-6)
        assert names_of(table["spectrum_flag"][1]) == {"OTHER_SAMPLING", "BAD_SAMPLES"}
        inside = np.isfinite(table["flux"].value[1])
        assert (inside == ((GRID >= 400) & (GRID <= 798))).all()

    def test_one_star_to_an_extension(self, tmp_path):
        paths = [write_star(star(), tmp_path, "fits", STAR + index) for index in range(3)]
        units = fits.HDUList([fits.PrimaryHDU()])
        for path in paths:
            data, header = fits.getdata(path, header=True)
            units.append(fits.BinTableHDU(data, header))
        units.writeto(tmp_path / "combined.fits")
        assert read_xp(tmp_path / "combined.fits")["source_id"].tolist() == [STAR, STAR + 1, STAR + 2]

    def test_files_and_their_zip(self, tmp_path):
        paths = [write_star(star(), tmp_path, "fits", STAR + index) for index in range(4)]
        table = read_xp(paths)
        assert table["source_id"].tolist() == [STAR + index for index in range(4)]
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for path in paths:
                archive.write(path, path.name)
            archive.writestr("RVS-Gaia DR3 1.fits", paths[0].read_bytes())
            archive.writestr("README.md", "spectra")
        other = read_xp(tmp_path / "all.zip")
        np.testing.assert_array_equal(other["source_id"], table["source_id"])
        np.testing.assert_array_equal(other["flux"].value, table["flux"].value)

    def test_coarser_sampling_is_interpolated(self, tmp_path):
        coarse = star(70, 330.0, 10.0)
        coarse["flux"], coarse["flux_error"] = 1e-18 * coarse["wavelength"], 1e-20 * coarse["wavelength"]
        table = read_xp(write_star(coarse, tmp_path, "fits"))
        np.testing.assert_allclose(table["flux"].value[0], 1e-18 * GRID)
        np.testing.assert_allclose(table["flux_error"].value[0], 1e-20 * GRID)
        assert names_of(table["spectrum_flag"][0]) == {"OTHER_SAMPLING"}

    def test_other_units(self, tmp_path):
        table = star()
        table.write(tmp_path / "plain.csv", format="ascii.csv")
        out = Table({"wavelength": np.asarray(table["wavelength"]) * 10, "flux": table["flux"] * 100})
        out["flux_error"] = out["flux"] / 50
        out["wavelength"].unit, out["flux"].unit = "Angstrom", "erg / (s cm2 Angstrom)"
        out["flux"] = out["flux"].astype(float)
        out["flux_error"].unit = out["flux"].unit
        out.meta["SOURCEID"] = STAR
        out.write(tmp_path / "cgs.fits")
        # 1 W m-2 nm-1 = 100 erg s-1 cm-2 A-1
        np.testing.assert_allclose(read_xp(tmp_path / "cgs.fits")["flux"].value[0], table["flux"], rtol=1e-6)

    def test_a_wrong_unit_is_named(self, tmp_path):
        table = rows()
        table["flux"].unit = "K"
        table.write(tmp_path / "wrong.fits")
        with pytest.raises(ReadError, match=r"wrong\.fits.*'flux'.*'K'"):
            read_xp(tmp_path / "wrong.fits")


class TestRows:
    """Sampled spectra: one row per star."""

    @pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "xml"])
    def test_what_gaiaxpy_saves(self, frame, gaiaxpy, tmp_path, suffix):
        options = {"save_file": True, "output_path": str(tmp_path), "output_file": "saved", "output_format": suffix}
        flux, error, _ = calibrate(gaiaxpy, frame, **options)
        table = read_xp(tmp_path / f"saved.{suffix}")
        assert table["source_id"].tolist() == [STAR, STAR + 1, STAR + 2]
        np.testing.assert_allclose(table["flux"].value, flux, rtol=1e-15)
        np.testing.assert_allclose(table["flux_error"].value, error, rtol=ERROR_RTOL)
        assert flags.SPECTRUM.has(table["spectrum_flag"], "MISSING_BP").tolist() == [False, True, False]
        assert flags.SPECTRUM.has(table["spectrum_flag"], "MISSING_RP").tolist() == [False, False, True]

    @pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "xml"])
    def test_what_gaiaxpy_saves_with_another_sampling(self, frame, gaiaxpy, tmp_path, suffix):
        options = {"save_file": True, "output_path": str(tmp_path), "output_file": "saved", "output_format": suffix}
        flux, _, sampling = calibrate(gaiaxpy, frame.iloc[:1], sampling=np.arange(400.0, 901, 4), **options)
        table = read_xp(tmp_path / f"saved.{suffix}")
        assert names_of(table["spectrum_flag"][0]) == {"OTHER_SAMPLING", "BAD_SAMPLES"}
        expected = np.interp(GRID, sampling, flux[0], left=np.nan, right=np.nan)
        np.testing.assert_allclose(table["flux"].value[0], expected, rtol=1e-12)

    def test_internal_spectra_are_refused(self, frame, gaiaxpy, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gaiaxpy.convert(frame.iloc[:1], output_path=str(tmp_path), output_file="internal", output_format="csv")
        with pytest.raises(ReadError, match=r"internal\.csv: .*convert"):
            read_xp(tmp_path / "internal.csv")

    @pytest.mark.parametrize("suffix", ["csv", "ecsv", "fits", "vot"])
    def test_what_comes_along(self, tmp_path, suffix):
        table = rows()
        table["phot_g_mean_mag"] = MaskedColumn([15.0, 16, 17], mask=[False, True, False], unit="mag")
        table["PLX"] = MaskedColumn([1.0, 2, 3], mask=[False, True, False], unit="mas")
        table["k_m"] = [10.0, 11, 12] * u.mag
        table["matches"] = MaskedColumn([2**60 + 1, 0, 3], mask=[False, True, False])
        table["designation"] = ["Gaia DR3 1", "Gaia DR3 2", "Gaia DR3 3"]
        path = tmp_path / f"stars.{suffix}"
        if suffix == "csv":
            as_text(table).write(path, format="ascii.csv")
        else:
            form = {"ecsv": "ascii.ecsv", "vot": "votable", "fits": "fits"}[suffix]
            table.write(path, format=form)
        got = read_xp(path)
        assert got["phot_g_mean_mag"].unit == u.mag and got["phot_g_mean_mag"].mask.tolist() == [False, True, False]
        assert got["parallax"].unit == u.mas and got["parallax"][2] == 3 * u.mas
        assert got["parallax"].mask.tolist() == [False, True, False]
        assert got["ks_m"].unit == u.mag and got["ks_m"][1] == 11 * u.mag
        assert got["matches"][0] == 2**60 + 1 and got["matches"].mask.tolist() == [False, True, False]
        assert got["designation"].tolist() == table["designation"].tolist()

    def test_bad_samples_are_flagged_and_kept(self, tmp_path):
        table = rows(8)
        table["flux"][1, 100] = np.nan
        table["flux_error"][2, 5] = -1
        table["flux"][3] = np.nan
        table["flux"][4, GRID < 640] = np.nan
        table["flux"][5, GRID > 640] = np.nan
        table["flux"][6] = -table["flux"][6]
        table["source_id"][7] = table["source_id"][0]
        table.write(tmp_path / "stars.fits")
        got = read_xp(tmp_path / "stars.fits")
        assert [names_of(value) for value in got["spectrum_flag"]] == [
            {"DUPLICATE"},
            {"BAD_SAMPLES"},
            {"BAD_SAMPLES"},
            {"NO_SPECTRUM", "BAD_SAMPLES"},
            {"BAD_SAMPLES", "MISSING_BP"},
            {"BAD_SAMPLES", "MISSING_RP"},
            set(),
            {"DUPLICATE"},
        ]
        assert np.isnan(got["flux"].value[1]).sum() == 1

    def test_spectra_of_other_lengths(self, tmp_path):
        path = tmp_path / "stars.csv"
        short = "(" + ", ".join(["1e-16"] * 200) + ")"
        full = "(" + ", ".join(["1e-16"] * 343) + ")"
        lines = [
            "source_id,flux,flux_error",
            f'{STAR},"{short}","{short}"',
            f'{STAR + 1},"{full}","{full}"',
            f"{STAR + 2},,",
        ]
        path.write_text("\n".join(lines) + "\n")
        got = read_xp(path)
        assert [names_of(value) for value in got["spectrum_flag"]] == [
            {"OTHER_SAMPLING", "NO_SPECTRUM", "BAD_SAMPLES"},
            set(),
            {"NO_SPECTRUM", "BAD_SAMPLES"},
        ]

    def test_identifiers_are_exact(self, tmp_path):
        numbers = [2**62 + 1, STAR + 1, 4295806720]
        text = as_text(rows())
        text["source_id"] = numbers
        text.write(tmp_path / "stars.csv", format="ascii.csv")
        got = read_xp(tmp_path / "stars.csv")
        assert got["source_id"].dtype == np.int64 and got["source_id"].tolist() == numbers

    def test_a_missing_identifier_is_masked_and_the_others_stay_exact(self, tmp_path):
        text = as_text(rows())
        text["source_id"] = MaskedColumn([STAR + 1, 0, STAR + 3], mask=[False, True, False])
        text.write(tmp_path / "stars.csv", format="ascii.csv")
        got = read_xp(tmp_path / "stars.csv")
        assert got["source_id"].mask.tolist() == [False, True, False]
        assert got["source_id"].tolist() == [STAR + 1, None, STAR + 3]

    def test_rounded_identifiers_are_refused(self, tmp_path):
        text = as_text(rows())
        text["source_id"] = ["5.9370833e18", "5.9370834e18", "5.9370835e18"]
        text.write(tmp_path / "stars.csv", format="ascii.csv")
        with pytest.raises(ReadError, match=r"stars\.csv: column 'source_id'"):
            read_xp(tmp_path / "stars.csv")

    def test_own_output_is_read_again(self, tmp_path):
        table = rows()
        table["flux"][1, 3] = np.nan
        table.write(tmp_path / "stars.fits")
        first = read_xp(tmp_path / "stars.fits")
        first.meta.clear()
        first.write(tmp_path / "again.fits")
        again = read_xp(tmp_path / "again.fits")
        np.testing.assert_array_equal(again["flux"].value, first["flux"].value)
        assert again["spectrum_flag"].tolist() == first["spectrum_flag"].tolist()


class TestBrokenFiles:
    """An error names the file and what is wrong with it."""

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "empty"),
            (b"  \n", "empty"),
            (b"\x00\xff\xfe\x80garbage", "neither FITS"),
            (b"SIMPLE  =                    T", "FITS"),
            (b"<html><body>503</body></html>", "HTML"),
            (b"<?xml version='1.0'?><VOTABLE version='1.4'><RESOURCE><TABLE>", "VOTable"),
            (b"PK\x03\x04 no zip", "zip"),
            (b"\x1f\x8b\x08 no gzip", "gzip"),
            (b"# %ECSV 1.0\n# ---\n# datatype: [\nsource_id\n1\n", "ECSV header"),
            (b"source_id,ra,dec\n1,2,3\n", "no xp format fits the columns.*source_id, ra, dec"),
            (b'source_id,flux\n1,"(1.0, 2.0)"\n', "'flux_error' is missing"),
            (b'flux,flux_error\n"(1.0)","(2.0)"\n', "'source_id' is missing"),
            (b'source_id,flux,flux_error\n1,"(1.0, 2.0)","(1.0, 2', "quoted cell"),
            (b'source_id,flux,flux_error\n1,"(1.0)","(1.0)"\n2,"(1.0)"', "a line has 2 cells, expected 3"),
            (b'source_id,flux,flux_error\n1,"(1.0, x)","(1.0, 2.0)"\n', "'flux'.*x"),
            (b'source_id,bp_coefficients\n1,"(1.0)"\n', "'bp_coefficient_errors' is missing"),
            (b"source_id,bp_coeff_0\n1,1.0\n", "'bp_coeff_1' is missing"),
            (b"source_id,flux,flux_error\n1,2,3,4\n", "damaged"),
        ],
    )
    def test_bad_content(self, tmp_path, content, reason):
        path = tmp_path / "bad.dat"
        path.write_bytes(content)
        with pytest.raises(ReadError, match=rf"(?s)bad\.dat.*{reason}"):
            read_xp(path)

    @pytest.mark.parametrize("suffix", ["fits", "vot", "csv", "ecsv"])
    @pytest.mark.parametrize("part", [0.3, 0.7, 0.93])
    def test_truncated_files(self, coefficients, tmp_path, suffix, part):
        path = write_continuous(coefficients, tmp_path, "xml" if suffix == "vot" else suffix)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(ReadError, match="XP_CONTINUOUS_RAW"):
            read_xp(path)

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(ReadError, match="nothing.fits: there is no such file"):
            read_xp(tmp_path / "nothing.fits")
        with pytest.raises(InputError, match="no file in it ends as files of stars do"):
            read_xp(tmp_path)

    def test_an_image(self, tmp_path):
        fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
        with pytest.raises(ReadError, match=r"image\.fits: the FITS file has no table"):
            read_xp(tmp_path / "image.fits")

    def test_another_product(self, tmp_path):
        path = write_star(star(), tmp_path, "fits").rename(tmp_path / f"RVS-Gaia DR3 {STAR}.fits")
        with pytest.raises(ReadError, match="no product with XP spectra"):
            read_xp(path)

    def test_the_rest_of_a_list_is_read(self, tmp_path):
        good = write_star(star(), tmp_path, "fits")
        bad = tmp_path / "bad.fits"
        bad.write_bytes(good.read_bytes()[:4000])
        with pytest.warns(SkippedFileWarning, match=r"skipped .*bad\.fits: .*FITS"):
            table = read_xp([bad, good])
        assert table["source_id"].tolist() == [STAR]

    def test_the_rest_of_a_zip_is_read(self, tmp_path):
        good = write_star(star(), tmp_path, "fits")
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("XP_SAMPLED-Gaia DR3 1234567890.fits", good.read_bytes()[:4000])
            archive.write(good, good.name)
        with pytest.warns(SkippedFileWarning, match=r"skipped .*all\.zip:XP_SAMPLED-Gaia DR3 1234567890\.fits"):
            assert read_xp(tmp_path / "all.zip")["source_id"].tolist() == [STAR]

    def test_nothing_readable(self, tmp_path):
        with pytest.raises(ReadError, match=r"none of 2 files.*a\.fits"):
            read_xp([tmp_path / "a.fits", tmp_path / "b.fits"])

    @pytest.mark.parametrize("paths", [[], 3, None])
    def test_no_paths(self, paths):
        with pytest.raises(InputError, match="path_or_paths"):
            read_xp(paths)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_anything_else_is_a_read_error(self, tmp_path, content):
        path = tmp_path / "any"
        path.write_bytes(content)
        with pytest.raises(ReadError, match="any"):
            read_xp(path)


class TestSampling:
    """Coefficients of all kinds are sampled, without a trace."""

    def test_leaves_no_trace(self, coefficients, tmp_path, monkeypatch, capfd):
        monkeypatch.chdir(tmp_path)
        before = list(warnings.filters)
        sample_arrays(coefficients)
        sample_arrays(coefficients, wavelength=np.arange(400.0, 500, 5))
        assert list(warnings.filters) == before
        assert list(tmp_path.iterdir()) == []
        assert capfd.readouterr() == ("", "")

    def test_arrays_or_a_table(self, coefficients, sampled):
        for one, other in zip(sample_arrays(as_matrices(coefficients)), sampled, strict=True):
            assert type(one) is np.ndarray
            np.testing.assert_allclose(one, other, rtol=1e-12)

    def test_quantities(self, coefficients, sampled):
        flux, error = sample_coefficients(coefficients)
        assert flux.unit == error.unit == FLUX_UNIT
        np.testing.assert_allclose(flux.value, sampled[0], rtol=1e-12, atol=1e-12 * np.nanmax(sampled[0]))

    def test_truncation(self, coefficients, frame, gaiaxpy, sampled):
        flux, error, _ = calibrate(gaiaxpy, frame.iloc[:1], truncation=True)
        got, got_error = sample_arrays(coefficients[:1], truncation=True)
        np.testing.assert_allclose(got, flux, rtol=FLUX_RTOL)
        np.testing.assert_allclose(got_error, error, rtol=ERROR_RTOL)
        assert not np.allclose(got, sampled[0][:1], rtol=1e-3, atol=0)

    def test_missing_bands(self, sampled):
        for values in sampled:
            assert (np.isnan(values) == [GRID < 0, GRID <= 635, GRID >= 643]).all()

    def test_flux_without_errors(self, coefficients, sampled):
        matrices = as_matrices(coefficients)
        matrices["rp_coefficient_errors"][0, 3] = np.nan
        got, error = sample_arrays(matrices)
        np.testing.assert_allclose(got, sampled[0], rtol=1e-12)
        assert np.isnan(error[0]).all() and np.isfinite(error[1, GRID > 644]).all()
        only = {"bp_coefficients": matrices["bp_coefficients"][:1]}
        got, error = sample_arrays(only)
        assert np.isfinite(got[0, GRID < 643]).all() and np.isnan(error).all()

    def test_no_stars(self, coefficients):
        flux, error = sample_arrays(coefficients[:0])
        assert flux.shape == error.shape == (0, 343)

    def test_more_than_one_chunk(self, coefficients, sampled, monkeypatch, capsys):
        monkeypatch.setattr(sampling, "CHUNK", 2)
        monkeypatch.setattr(sampling, "MANY", 2)
        for one, other in zip(sample_arrays(coefficients), sampled, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
        assert "sampling" in capsys.readouterr().err

    def test_wrong_arguments(self, coefficients):
        with pytest.raises(MissingColumnError, match="bp_coefficients"):
            sample_arrays(Table({"source_id": [1]}))
        with pytest.raises(InputError, match="330 to 1050 nm"):
            sample_arrays(coefficients, wavelength=[300, 400])
        with pytest.raises(MissingColumnError, match="n_relevant_bases"):
            sample_arrays(as_matrices(coefficients), truncation=True)


class TestRegistry:
    """Formats are found by name, and others can be added."""

    def test_available(self):
        assert {"xp_sampled", "xp_sampled_star", "xp_continuous", "xp_coefficients"} <= set(available("xp"))
        assert all(available().values())

    def test_a_new_format(self, monkeypatch):
        monkeypatch.setattr(registry, "_FORMATS", dict(registry._FORMATS))
        decorate = registry.register("new", product="test", description="a test", accepts=lambda table: True)
        assert decorate(len) is len and available("test") == {"new": "a test"}
        with pytest.raises(InputError, match="'new' is registered"):
            decorate(len)


class TestReadTable:
    """Tables of stars without spectra."""

    def test_names_and_units(self, tmp_path):
        path = tmp_path / "stars.csv"
        path.write_text(f"SOURCE_ID,Gmag,Plx,comment\n{STAR},12.5,,a\n{STAR + 1},,2.5,b\n")
        with pytest.warns(MissingUnitWarning, match=f"{path}: .*'phot_g_mean_mag' in mag, 'parallax' in mas"):
            table = read_table(path)
        assert table.colnames == ["source_id", "phot_g_mean_mag", "parallax", "comment"]
        assert table["source_id"].tolist() == [STAR, STAR + 1] and table["parallax"].unit == u.mas
        assert table["phot_g_mean_mag"].mask.tolist() == [False, True]
        assert isinstance(table, QTable)

    def test_errors_of_labels_have_the_unit_of_the_label(self, tmp_path):
        path = tmp_path / "labels.csv"
        path.write_text(f"source_id,teff,teff_err,feh_err,feh_flag\n{STAR},5000,50,,3\n")
        with pytest.warns(MissingUnitWarning, match="'teff' in K, 'teff_err' in K"):
            table = read_table(path)
        assert table["teff_err"].unit == u.K and table["feh_err"].unit == u.dex and table["feh_err"].mask.all()
        assert table["feh_flag"].dtype == np.int32

    def test_spectra(self, tmp_path):
        path = write_star(star(), tmp_path, "fits")
        assert read_table(path).colnames == ["source_id", "flux", "flux_error", "spectrum_flag"]

    def test_several_files(self, tmp_path):
        for index in range(2):
            (tmp_path / f"{index}.csv").write_text(f"source_id,Gmag\n{STAR + index},12.5\n")
        paths = [tmp_path / "0.csv", tmp_path / "1.csv"]
        with pytest.warns(MissingUnitWarning, match="^2 files: .*'phot_g_mean_mag' in mag") as told:
            assert read_table(paths)["source_id"].tolist() == [STAR, STAR + 1]
        assert len(told) == 1
        with pytest.warns(SkippedFileWarning, match=r"0\.csv: no xp format"):
            table = read_table([*paths[:1], write_star(star(), tmp_path, "fits")])
        assert table["source_id"].tolist() == [STAR]

    def test_what_is_beside_spectra_is_taken_in(self, tmp_path):
        stars = Table({"source_id": [STAR, STAR + 1], "Jmag": [9.5, 99.999], "parallax": [1.0, -9999.0]})
        for name in ("flux", "flux_error"):
            stars[name] = np.full((2, 343), 1e-16)
        stars.write(tmp_path / "stars.fits")
        for read in (read_table, read_xp):
            with pytest.warns(ImpossibleValueWarning, match=r"stars\.fits: .*1 of 'j_m'.*1 of 'parallax'") as told:
                found = read(tmp_path / "stars.fits")
            assert len(told) == 1 and "1 of 'j_m' (99.999)" in found.meta["intake"]
            assert found["j_m"].mask.tolist() == [False, True] and found["parallax"].mask.tolist() == [False, True]
            assert found["flux"].shape == (2, 343) and not found["spectrum_flag"].any()

    def test_errors(self, tmp_path):
        with pytest.raises(ReadError, match="no such file"):
            read_table(tmp_path / "none.fits")
        (tmp_path / "stars.csv").write_text("source_id\n1.5\n")
        with pytest.raises(ReadError, match=r"stars\.csv: column 'source_id'"):
            read_table(tmp_path / "stars.csv")


def test_reading_needs_no_gaiaxpy(tmp_path):
    path = write_star(star(), tmp_path, "fits")
    script = (
        "import sys; from stellarlabels.archive.readers import read_xp; "
        f"read_xp({str(path)!r}); print('gaiaxpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
