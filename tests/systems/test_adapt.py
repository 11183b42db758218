"""A system is carried over to another data release: on the stand-in for DR4, made of the real stars that ship."""

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable

from stellarlabels import UACSNet, UncertainNet, columns, flags, load, releases
from stellarlabels.cli import main
from stellarlabels.exceptions import InputError, MissingColumnError, NotFittedError, ReleaseError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import read_table
from stellarlabels.labels import adaptation, robust_scatter
from stellarlabels.tables import same_stars

LABELS = ("teff", "logg", "feh", "alpha_m")
NAMES = ("Gaia DR4", "Gaia DR3")


@pytest.fixture(scope="module")
def tool():
    """The module of tools/ that makes stand-ins."""
    folder = str(Path(__file__).parents[2] / "tools")
    sys.path.insert(0, folder)
    yield import_module("dr4_stand_in")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def stars():
    return QTable(xp_apogee_sample())


@pytest.fixture(scope="module")
def made(tool, stars):
    """400 stars to learn from and 200 others."""
    return tool.make(stars[:400]), tool.make(stars[400:], seed=5)


@pytest.fixture(scope="module")
def dr3():
    return UACSNet.pretrained().fewer(1)


@pytest.fixture(scope="module")
def dr4(dr3, made):
    learn, _ = made
    return dr3.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, progress=False)


def scatter(labels, table):
    """Robust scatter by label."""
    return {name: robust_scatter(columns.values(labels, name) - columns.values(table, name)) for name in LABELS}


def apart(labels, others, name):
    """Robust scatter of two sets of labels about each other in units of their errors."""
    first, second = (columns.values(table, name) for table in (labels, others))
    return robust_scatter((first - second) / columns.column_values(others, columns.label_columns(name)[1]))


class TestStandIn:
    def test_spectra_are_those_of_another_release(self, made):
        learn, _ = made
        assert releases.of(learn.new).all == ["Gaia DR4"]
        assert releases.of(learn.old).all == ["Gaia DR3"]
        assert learn.new["bp_coefficients"].shape == (400, 51)
        assert learn.new["rp_coefficients"].shape == (400, 55)
        assert not np.isin(learn.new["source_id"], learn.old["source_id"]).any()

    def test_no_function_is_one_of_the_old_ones(self, tool):
        for band in ("bp", "rp"):
            matrix = tool.maps(band)[0]
            assert np.abs(matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).max() < 0.97

    def test_the_flux_changes_by_1_to_3_percent(self, tool):
        change = np.abs(tool.flux_change(np.arange(336.0, 1021.0, 2)) - 1)
        assert 0.01 < np.sqrt(np.mean(change**2)) < 0.03
        assert change.max() < 0.035

    def test_errors_are_0_7_times_smaller(self, tool, made):
        learn, _ = made
        new, old = (tool.sampled(table) for table in (learn.new, learn.old))
        assert np.median(np.asarray(new["flux_error"]) / np.asarray(old["flux_error"])) == pytest.approx(0.7, abs=0.07)

    def test_three_percent_are_split_or_merged(self, made):
        pairs = made[0].neighbours
        repeated = [len(pairs) - len(np.unique(pairs[name])) for name in pairs.colnames]
        assert repeated == [6, 6]


class TestSameStars:
    def test_split_and_merged_ones_are_left_out(self, made):
        learn, _ = made
        rows, others = same_stars(learn.new, learn.old, NAMES, learn.neighbours)
        assert len(rows) == 400 - 12
        assert (learn.new["truth_row"][rows] == learn.old["truth_row"][others]).all()

    def test_positions_do_as_well(self, made):
        learn, _ = made
        rows, others = same_stars(learn.new, learn.old[::-1], NAMES)
        assert (learn.new["truth_row"][rows] == learn.old[::-1]["truth_row"][others]).all()
        assert len(rows) > 390

    def test_pairs_need_identifiers_of_both_releases(self, made):
        learn, _ = made
        with pytest.raises(MissingColumnError, match="pairs: the identifiers of Gaia DR4 .* dr4_source_id"):
            same_stars(learn.new, learn.old, NAMES, QTable({"dr3_source_id": [1], "source_id": [2]}))


@pytest.mark.slow
class TestAdapt:
    def test_labels_are_those_of_the_old_release(self, dr3, dr4, made, stars):
        _, others = made
        own = dr3.predict(stars[400:][others.new["truth_row"]])
        labels = dr4.predict(others.new)
        for name in LABELS:
            assert apart(labels, own, name) < 0.6
        before, after = scatter(own, others.new), scatter(labels, others.new)
        assert {name: after[name] / before[name] < 1.3 for name in LABELS} == dict.fromkeys(LABELS, True)

    def test_without_it_labels_are_far_off(self, dr3, made, stars):
        _, others = made
        own = dr3.predict(stars[400:][others.new["truth_row"]])
        wrong = dr3.predict(others.new, release="ignore")
        flag = np.asarray(wrong["teff_flag"])
        assert flags.LABEL.has(flag, "OTHER_RELEASE").all()
        assert np.ma.getmaskarray(wrong["teff"]).all() or apart(wrong, own, "teff") > 3

    def test_the_release_is_in_everything(self, dr3, dr4, made):
        learn, others = made
        assert (dr3.release, dr4.release) == ("Gaia DR3", "Gaia DR4")
        assert dr4.predict(others.new[:3]).meta["release"] == "Gaia DR4"
        done = dr4.provenance_["adapted"]
        assert (done["release"], done["from_release"], done["from_weights"]) == (*NAMES, dr3.weights_)
        assert 375 < done["stars"] <= 388  # 12 are split or merged, and a few are no stars like those of the training
        assert 50 < done["left_out"] < 110
        assert done["map"]["misfit"] < 2

    def test_either_refuses_the_others_spectra(self, dr3, dr4, made):
        learn, _ = made
        with pytest.raises(ReleaseError, match=r"expected stars of Gaia DR4.*got Gaia DR3"):
            dr4.predict(learn.old)
        with pytest.raises(ReleaseError, match=r"expected stars of Gaia DR3.*got Gaia DR4"):
            dr3.predict(learn.new)

    def test_spectra_of_dr3_that_are_ignored_have_no_labels(self, dr4, made):
        labels = dr4.predict(made[0].old[:5], release="ignore")
        assert np.ma.getmaskarray(labels["teff"]).all()
        assert flags.LABEL.has(np.asarray(labels["teff_flag"]), "OTHER_RELEASE").all()

    def test_a_saved_one_is_the_same(self, dr4, made, tmp_path):
        path = tmp_path / "dr4.stellarlabels"
        dr4.save(path)
        again = load(path)
        assert again.release == "Gaia DR4"
        assert again.provenance_["adapted"] == dr4.provenance_["adapted"]
        first, second = (system.predict(made[1].new) for system in (dr4, again))
        for name in LABELS:
            np.testing.assert_allclose(columns.values(first, name), columns.values(second, name), rtol=1e-5)
        with pytest.raises(ReleaseError):
            again.predict(made[0].old)

    def test_the_system_itself_stays_as_it_is(self, dr3, made, monkeypatch):
        monkeypatch.setattr(adaptation, "EPOCHS", 1)
        learn, _ = made
        before = dr3.ensemble.members[0].network.get_weights()
        curves = {axis: factors.copy() for axis, (_, factors) in dr3.ensemble.calibration.curves.items()}
        tuned = dr3.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, fine_tune=True, progress=False)
        assert set(tuned.provenance_["adapted"]["scatter_in_errors"]) == {"map", "fine-tuned"}
        for old, new in zip(before, dr3.ensemble.members[0].network.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        for axis, (_, factors) in dr3.ensemble.calibration.curves.items():
            np.testing.assert_array_equal(factors, curves[axis])
        assert dr3.bridge is None

    def test_samples(self, tool, dr3, made, stars):
        learn, others = (
            tool.StandIn(*(tool.sampled(one) for one in (part.old, part.new)), part.neighbours) for part in made
        )
        for table in (learn.new, others.new):
            table["release"] = "Gaia DR4"
        adapted = dr3.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, progress=False)
        assert adapted.bridge.kind == "samples"
        own = dr3.predict(stars[400:][others.new["truth_row"]])
        labels = adapted.predict(others.new)
        for name in LABELS:
            assert apart(labels, own, name) < 0.8

    def test_coefficients_with_covariances(self, made, stars):
        learn, others = made
        dr3 = UncertainNet.pretrained().fewer(1)
        adapted = dr3.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, progress=False)
        own = dr3.predict(stars[400:][others.new["truth_row"]])
        labels = adapted.predict(others.new)
        for name in LABELS:
            assert apart(labels, own, name) < 0.6
            ratio = columns.column_values(labels, columns.label_columns(name)[1])
            ratio = ratio / columns.column_values(own, columns.label_columns(name)[1])
            assert np.median(ratio) == pytest.approx(1, abs=0.1)

    def test_known_labels_calibrate(self, dr3, made):
        learn, _ = made
        adapted = dr3.adapt(
            learn.new, same_as=learn.old, pairs=learn.neighbours, labels=with_parallaxes(learn.new), progress=False
        )
        assert adapted.provenance_["adapted"]["calibrated_against"] == "known labels"
        before, after = (system.ensemble.calibration.curves for system in (dr3, adapted))
        assert set(before) != set(after) or any(not np.array_equal(before[axis][1], after[axis][1]) for axis in before)

    def test_what_is_wrong_is_told(self, dr3, made):
        learn, _ = made
        options = {"pairs": learn.neighbours, "progress": False}
        with pytest.raises(ReleaseError, match="expected stars of a release other than Gaia DR3"):
            dr3.adapt(learn.old, same_as=learn.old, **options)
        with pytest.raises(ReleaseError, match="expected stars of Gaia DR3"):
            dr3.adapt(learn.new, same_as=learn.new, **options)
        with pytest.raises(InputError, match="at least 200 stars with spectra in both releases"):
            dr3.adapt(learn.new[:100], same_as=learn.old, **options)
        with pytest.raises(InputError, match="labels: expected the 400 rows"):
            dr3.adapt(learn.new, same_as=learn.old, labels=learn.new[:3], **options)
        with pytest.raises(NotFittedError):
            UACSNet("apogee").adapt(learn.new, same_as=learn.old)


def with_parallaxes(table):
    """The table with some parallax for each star."""
    out = QTable(table, copy=True)
    out["parallax"] = out["parallax"].filled(1.0 * out["parallax"].unit)
    out["parallax_error"] = out["parallax_error"].filled(1.0 * out["parallax"].unit)
    return out


@pytest.mark.slow
def test_the_verb(made, tmp_path, capsys):
    learn, others = made
    paths = {}
    for name, table in (("new", learn.new), ("old", learn.old), ("pairs", learn.neighbours), ("others", others.new)):
        paths[name] = str(tmp_path / f"{name}.fits")
        plain = QTable(table)
        plain.remove_columns([key for key in plain.colnames if key in {*LABELS, *(f"{one}_err" for one in LABELS)}])
        plain.write(paths[name])
    weights = str(tmp_path / "small.stellarlabels")
    UACSNet.pretrained().fewer(1).save(weights)
    model, labels = str(tmp_path / "dr4.stellarlabels"), str(tmp_path / "labels.fits")
    command = ["adapt", "uacsnet", paths["new"], "--same-as", paths["old"], "--pairs", paths["pairs"]]
    assert main([*command, "--weights", weights, "-o", model]) == 0
    assert re.search("uacsnet for Gaia DR4, learned from 3[78][0-9] stars", capsys.readouterr().out)
    assert main(["label", "uacsnet", paths["others"], "--weights", model, "-o", labels]) == 0
    assert np.isfinite(columns.values(read_table(labels), "teff")).mean() > 0.95
    assert main(["label", "uacsnet", paths["old"], "--weights", model, "-o", str(tmp_path / "no.fits")]) == 1
    assert "expected stars of Gaia DR4" in capsys.readouterr().err
