"""Stars of another data release than the networks': refused by name, or labelled all the same and flagged."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import UACSNet, UncertainNet, catalogs, flags, load, releases
from stellarlabels.cli import main
from stellarlabels.distances import distances
from stellarlabels.exceptions import InputError, ModelFileError, ReleaseError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.labels import modelfile
from stellarlabels.scale import label_file


@pytest.fixture(scope="module")
def uacsnet():
    return UACSNet.pretrained().fewer(1)


@pytest.fixture(scope="module")
def uncertain():
    return UncertainNet.pretrained().fewer(1)


@pytest.fixture(scope="module")
def stars():
    return QTable(xp_apogee_sample()[:6])


def as_of(stars, *names):
    """The stars, with designations of these releases in turn."""
    out = QTable(stars)
    out["designation"] = [f"{names[row % len(names)]} {name}" for row, name in enumerate(out["source_id"])]
    return out


def coefficients(bp, rp, **more):
    """Three plausible spectra with so many coefficients."""
    out = QTable({"source_id": [4, 5, 6]})
    for band, size in (("bp", bp), ("rp", rp)):
        out[f"{band}_coefficients"] = np.tile(1e4 * np.exp(-np.arange(size) / 3), (3, 1))
        out[f"{band}_coefficient_errors"] = np.ones((3, size))
        out[f"{band}_coefficient_correlations"] = np.zeros((3, size * (size - 1) // 2))
    for name, value in more.items():
        out[name] = [value] * 3
    return out


def flagged(labels):
    return flags.LABEL.has(np.asarray(labels["teff_flag"]), "OTHER_RELEASE").tolist()


class TestPredict:
    @pytest.mark.parametrize("name", ["uacsnet", "uncertain"])
    def test_coefficients_of_another_release_are_refused_by_name(self, name, request):
        system = request.getfixturevalue(name)
        with pytest.raises(ReleaseError, match=r"expected stars of Gaia DR3.*got Gaia DR4.*51 of BP.*release='ignore'"):
            system.predict(coefficients(51, 55))
        with pytest.raises(ReleaseError, match="bp_basis_function_id is 156, which no known release has"):
            system.predict(coefficients(55, 55, bp_basis_function_id=156, rp_basis_function_id=157))

    def test_those_of_the_same_length_are_labelled_by_request_and_flagged(self, uacsnet):
        foreign = coefficients(55, 55, bp_basis_function_id=156, rp_basis_function_id=157)
        labels = uacsnet.predict(foreign, release="ignore")
        assert flagged(labels) == [True] * 3 and np.isfinite(labels["teff"].to_value(u.K)).all()
        assert "release" not in labels.meta and "another release" in labels.meta["release_note"]

    def test_a_mixture_is_told_by_rows(self, uacsnet, stars):
        mixed = as_of(stars, "Gaia DR3", "Gaia DR3", "Gaia DR4")
        with pytest.raises(ReleaseError, match=r"4 rows of Gaia DR3.*2 rows of Gaia DR4.*\(2 of 6, .* row 2\)"):
            uacsnet.predict(mixed)
        labels = uacsnet.predict(mixed, release="ignore")
        assert flagged(labels) == [False, False, True] * 2
        np.testing.assert_array_equal(labels["teff"], uacsnet.predict(stars)["teff"])
        assert "release" not in mixed.meta and "release" not in mixed.colnames

    def test_what_the_caller_says_counts_where_the_spectra_do_not_tell(self, uacsnet, stars):
        with pytest.raises(ReleaseError, match="as release says"):
            uacsnet.predict(stars, release="DR4")
        assert uacsnet.predict(stars, release="DR3").meta["release"] == "Gaia DR3"
        labels = uacsnet.predict(as_of(stars, "Gaia DR4"), release="Gaia DR3")
        assert not any(flagged(labels)) and labels.meta["release"] == "Gaia DR3"
        with pytest.raises(InputError, match="expected one of .*Gaia DR3.* got 'Gaia DR9'"):
            uacsnet.predict(stars, release="Gaia DR9")

    def test_without_a_hint_there_is_a_note_and_no_flag(self, uacsnet, stars):
        plain, known = uacsnet.predict(stars), uacsnet.predict(as_of(stars, "Gaia DR3"))
        assert plain.meta["release_note"] == "nothing tells the data release of the stars; taken as Gaia DR3"
        assert known.meta["release"] == "Gaia DR3" and "release_note" not in known.meta
        for name in plain.colnames:
            np.testing.assert_array_equal(plain[name], known[name])

    def test_releases_with_the_same_sources_may_be_mixed(self, uacsnet, stars):
        labels = uacsnet.predict(as_of(stars, "Gaia EDR3", "Gaia DR3"))
        assert not any(flagged(labels)) and labels.meta["release"] == "Gaia DR3"


class TestOthers:
    def test_training_and_catalogs_refuse_them(self, uacsnet, stars):
        foreign = as_of(stars, "Gaia DR4")
        with pytest.raises(ReleaseError, match="Gaia DR4"):
            UACSNet("apogee", epochs=1, ensemble=1).fit(foreign, progress=False)
        with pytest.raises(ReleaseError, match="Gaia DR4"):
            uacsnet.catalog(foreign)
        assert uacsnet.catalog(as_of(stars, "Gaia DR3")).meta["release"] == "Gaia DR3"

    def test_distances(self, uacsnet, stars):
        labels = uacsnet.predict(as_of(stars, "Gaia DR3"))
        foreign = as_of(stars, "Gaia DR4")
        with pytest.raises(ReleaseError, match="Gaia DR3, for which these labels are made, got Gaia DR4"):
            distances(foreign, labels, band="g_dimmed")
        with pytest.raises(ReleaseError, match="networks of uacsnet"):
            uacsnet.distances(foreign)
        with pytest.raises(ReleaseError, match="zero_point=False"):
            uacsnet.distances(foreign, release="ignore")
        found = uacsnet.distances(foreign, release="ignore", zero_point=False)
        assert found.meta["release"] == "Gaia DR4"
        ours = distances(as_of(stars, "Gaia DR3"), labels, band="g_dimmed")
        assert ours.meta["release"] == "Gaia DR3" and np.isfinite(ours["distance"].to_value(u.pc)).all()

    def test_of_labels_alone(self):
        table = QTable({"phot_g_mean_mag": [10.0] * u.mag, "m_g": [5.0] * u.mag, "m_g_err": [0.1] * u.mag})
        assert "release" not in distances(table, extinction=0).meta


class TestModelFiles:
    def test_the_release_is_written_and_read(self, uacsnet, tmp_path):
        path = tmp_path / "m.stellarlabels"
        uacsnet.save(path)
        assert modelfile.read_description(path)["release"] == "Gaia DR3" == load(path).release

    def test_files_without_it_are_of_dr3(self, uacsnet, uncertain):
        assert uacsnet.release == uncertain.release == "Gaia DR3"

    def test_networks_for_what_nobody_can_make_inputs_of(self, uacsnet, tmp_path):
        path = tmp_path / "m.stellarlabels"
        uacsnet.save(path)
        description, arrays = modelfile.read(path)
        modelfile.write(path, {**description, "release": "Gaia DR4"}, arrays, overwrite=True)
        with pytest.raises(ModelFileError, match="networks for Gaia DR4, inputs 'xp_spectrum' of Gaia DR3"):
            load(path)


def test_the_published_columns_speak_of_the_release(uacsnet, stars, tmp_path):
    catalog = uacsnet.catalog(as_of(stars, "Gaia DR4"), release="ignore")
    assert catalog["source_id"].info.description == "Unique Gaia DR4 source identifier"
    assert catalog["ra"].info.description == "Right ascension (ICRS, epoch 2017.5)"
    catalog.write(tmp_path / "catalog.vot")
    back, text = catalogs.read(tmp_path / "catalog.vot", "uacsnet"), (tmp_path / "catalog.vot").read_text("latin-1")
    assert back["ra"].info.description == "Right ascension (ICRS, epoch 2017.5)" and "J2017.5" in text
    ours = uacsnet.catalog(as_of(stars, "Gaia DR3"))
    assert ours["source_id"].info.description == "Unique Gaia DR3 source identifier"


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet", "ecsv"])
def test_files_keep_the_release(uacsnet, stars, suffix, tmp_path):
    path = tmp_path / f"labels.{suffix}"
    catalogs.write(uacsnet.predict(as_of(stars, "Gaia DR3")), path)
    assert releases.of(catalogs.read(path)).all == ["Gaia DR3"]
    catalogs.write(uacsnet.predict(stars), path, overwrite=True)
    back = catalogs.read(path)
    assert back.meta["release_note"].endswith("taken as Gaia DR3") and "release" not in back.meta


def test_files_of_stars(uacsnet, stars, tmp_path):
    source, target = tmp_path / "stars.fits", tmp_path / "labels.vot"
    catalogs.write(as_of(vstack([stars, stars], metadata_conflicts="silent"), "Gaia DR4"), source)
    with pytest.raises(ReleaseError, match="Gaia DR4"):
        label_file(uacsnet, source, target)
    done = label_file(uacsnet, source, target, release="ignore", rows=5)
    assert (done.stars, done.good) == (12, 0)
    back = catalogs.read(target)
    assert all(flagged(back)) and back.meta["release"] == "Gaia DR4"
    with pytest.raises(ReleaseError, match=r"parallax zero point: not known for Gaia DR4.*--no-zero-point"):
        label_file(uacsnet, source, target, release="ignore", distances=True, overwrite=True)
    label_file(uacsnet, source, target, release="ignore", distances=True, zero_point=False, overwrite=True)
    assert "distance" in catalogs.read(target).colnames


def test_on_the_command_line(stars, tmp_path, capsys):
    source, target = tmp_path / "stars.fits", tmp_path / "labels.fits"
    catalogs.write(as_of(stars, "Gaia DR4"), source)
    command = ["label", "uacsnet", str(source), "-o", str(target), "--networks", "1"]
    assert main(command) == 1
    assert "got Gaia DR4 (column 'designation')" in capsys.readouterr().err
    assert main([*command, "--release", "ignore"]) == 0
    assert all(flagged(catalogs.read(target)))
    assert main(["systems"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("for spectra of Gaia DR3") == 2 and shown.count("for any release of Gaia") == 3
