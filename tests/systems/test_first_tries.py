"""What somebody types first, and what is said when it cannot work."""

import re
import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table, vstack

from stellarlabels import CSNet, SolarDis, SPCANet, UACSNet, UncertainNet, catalogs, columns, systems
from stellarlabels.exceptions import InputError, MissingColumnError, MissingUnitWarning
from stellarlabels.features.xp import sample
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample
from stellarlabels.validation import compare


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()[:60]


@pytest.fixture(scope="module")
def labels(stars):
    with_gap = QTable(stars)
    with_gap["flux"][3] = np.nan
    return UACSNet.pretrained().fewer(1).predict(with_gap)


class TestCatalogs:
    """Labels that go into a catalog."""

    def test_labels_may_be_a_data_frame(self, stars, labels):
        system = UACSNet.pretrained().fewer(1)
        wanted = system.catalog(stars, labels)
        with pytest.warns(MissingUnitWarning, match="labels: .*'teff' in K"):
            found = system.catalog(stars, labels.to_pandas())
        assert found.colnames == wanted.colnames and str(found["teff"].unit) == "K"
        np.testing.assert_array_equal(found["FEH"], wanted["FEH"])

    def test_those_of_another_system_are_refused(self, stars, labels):
        with pytest.raises(InputError, match="those of uacsnet, and this is the catalog of uncertain"):
            UncertainNet.pretrained().catalog(stars, labels)


class TestValues:
    """Labels in dex are compared with numbers."""

    def test_selections(self, labels):
        feh = np.ma.filled(labels["feh"], np.nan)
        poor = labels[labels["feh"] < -0.5]
        np.testing.assert_array_equal(poor["source_id"], labels["source_id"][feh < -0.5])
        giants = labels[(labels["feh"] < -0.5) & (labels["logg"] < 3)]
        assert 0 < len(giants) <= len(poor) and labels["teff"].unit == u.K

    def test_the_unit_is_beside_the_numbers(self, labels, stars):
        for table in (labels, labels[:5], labels.copy(), vstack([labels[:5], labels[5:]])):
            assert isinstance(table["feh"], MaskedColumn) and str(table["feh"].unit) == "dex"
            assert table["feh"].mask.sum() == 1 and table["feh"].info.meta["ucd"] == labels["feh"].info.meta["ucd"]
        apart = labels["logg"] - QTable({"logg": np.full(60, 2.0) * u.dex})["logg"]
        assert apart.unit == u.dex
        quantity = QTable(labels)["logg"]
        np.testing.assert_array_equal(quantity.unmasked.value, np.ma.getdata(labels["logg"]))

    @pytest.mark.parametrize("suffix", ["vot", "fits", "parquet", "ecsv"])
    def test_files_have_units_and_all_digits(self, labels, tmp_path, suffix):
        labels.write(tmp_path / f"l.{suffix}")
        found = catalogs.read(tmp_path / f"l.{suffix}")
        for name in ("teff", "feh", "feh_err"):
            assert found[name].unit == labels[name].unit
            np.testing.assert_array_equal(np.ma.getdata(found[name].value)[4:], np.ma.getdata(labels[name].value)[4:])

    def test_as_many_digits_as_mean_something(self, labels):
        shown = labels["teff", "feh", "m_g_dimmed"][:3].pformat(show_unit=False)[2]
        assert [len(word.rpartition(".")[2]) for word in shown.split()] == [1, 3, 3]

    @pytest.mark.filterwarnings("ignore:.*no unit")
    def test_data_frames(self, labels, stars):
        known = compare(labels, stars)
        found = compare(labels.to_pandas(), Table(stars["source_id", "teff", "logg", "feh"]).to_pandas(), names=["feh"])
        place = known["label"].tolist().index("feh")
        assert float(found["scatter"][0]) == pytest.approx(float(known["scatter"][place]))


PHOTOMETRY = QTable({"source_id": [1], "phot_g_mean_mag": [12.0] * u.mag})


class TestWords:
    """What is missing is told with what it is, what else will do, and who gets it."""

    @pytest.mark.parametrize("cls", [UACSNet, UncertainNet])
    def test_no_xp_spectrum(self, cls):
        with pytest.raises(MissingColumnError) as caught:
            cls.pretrained().predict(PHOTOMETRY)
        words = str(caught.value)
        assert "'flux' is missing: the XP spectrum" in words and "'bp_coefficients'" in words
        assert "stellarlabels spectra gaia" in words and "read_xp" in words and "system.label(table)" in words

    def test_no_coefficients(self):
        with pytest.raises(MissingColumnError, match=r"coefficients of XP spectra.*read_xp.*spectra gaia --continuous"):
            sample(PHOTOMETRY)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("ecl_lat", "'ecl_lat' is missing; looked for ecl_lat.*; it is: Ecliptic latitude.*query gaia_by_id"),
            ("r_med_geo", "'r_med_geo' is missing; .*; it is: Geometric distance.*query gaia_distances --upload"),
            ("ebv", r"'ebv' is missing; looked for ebv.*; it is: [^;]*$"),
        ],
    )
    def test_any_other_column(self, name, words):
        with pytest.raises(MissingColumnError, match=words):
            columns.values(PHOTOMETRY, name)

    @pytest.mark.parametrize(("cls", "resolution"), [(SolarDis, "low"), (SPCANet, "medium")])
    def test_no_lamost_spectrum(self, cls, resolution):
        with pytest.raises(
            MissingColumnError, match=f"spectra of {resolution} resolution.*read_lamost.*spectra lamost"
        ):
            cls.pretrained().predict(PHOTOMETRY)

    def test_a_training_without_reddening(self, stars):
        without = QTable(stars)
        without.remove_column("ebv")
        with pytest.raises(InputError, match=r"60 rows lack inputs: MISSING_EBV; add a column 'ebv'.*add_ebv"):
            UACSNet("paper", epochs=1).fit(without, progress=False)

    @pytest.mark.slow
    def test_no_magnitudes(self):
        with pytest.raises(MissingColumnError, match=r"magnitude 'u' is missing; .*system\.label"):
            CSNet.pretrained().predict(QTable({"phot_bp_mean_mag": [12.0] * u.mag, "phot_rp_mean_mag": [11.0] * u.mag}))

    @pytest.mark.parametrize(
        ("cls", "given", "words"),
        [
            (SolarDis, "mrs", "medium resolution .*SPCANet labels these"),
            (SolarDis, "xp", "XP spectra of Gaia; UACSNet and UncertainNet label them"),
            (SPCANet, "xp", "XP spectra of Gaia; UACSNet and UncertainNet label them"),
            (SPCANet, "lrs", "low resolution .*SolarDis labels"),
            (UACSNet, "mrs", "medium resolution of LAMOST; SPCANet labels them"),
            (UACSNet, "lrs", "low resolution of LAMOST; SolarDis labels them"),
            (UncertainNet, "mrs", "medium resolution of LAMOST; SPCANet labels them"),
        ],
    )
    @pytest.mark.slow
    def test_spectra_of_another_kind(self, stars, cls, given, words):
        flux = np.ones((1, 3909))
        low = QTable({"obsid": [1], "wavelength": flux * u.AA, "flux": flux, "ivar": flux})
        tables = {"xp": stars[:1]["source_id", "flux", "flux_error"], "mrs": mrs_synthetic_sample()[:1], "lrs": low}
        with pytest.raises(MissingColumnError, match=re.compile(words, re.DOTALL)):
            cls.pretrained().predict(tables[given])


@pytest.mark.parametrize(
    "path",
    [
        "archive.samp.send_to_topcat",
        "catalogs.bundle.export",
        "features.photometry.synthetic_photometry",
        "inputs.xp",
        "scale.label_file",
    ],
)
def test_modules_need_no_import_of_their_own(path):
    subprocess.run([sys.executable, "-c", f"import stellarlabels; stellarlabels.{path}"], check=True)


@pytest.mark.parametrize("name", ["uacsnet", "csnet", "spcanet", "uncertain", "solardis"])
def test_citations_are_bibtex(name):
    citation = systems.get(name).citation
    assert re.match(r"@(article|misc)\{\S+,\n  author = \{", citation) and citation.endswith("\n}")
    assert citation.count("{") == citation.count("}") and "title = {" in citation
