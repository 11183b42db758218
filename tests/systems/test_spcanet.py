"""SPCANet: the paper's rules as flags, leakage between spectra of a star, the catalog, and real files."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import SolarDis, SPCANet, columns, flags
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.inputs.lamost.damage import damaged
from stellarlabels.labels.uncertainty import robust_scatter
from stellarlabels.networks import split_groups
from stellarlabels.systems.spcanet import LABELS


def plain(column):
    """Numbers of a column without its unit, NaN where masked."""
    return np.ma.filled(np.ma.asarray(columns.without_unit(column)).astype(float), np.nan)


@pytest.fixture(scope="module")
def system():
    return SPCANet.pretrained()


@pytest.fixture(scope="module")
def sample():
    return mrs_synthetic_sample()


def test_labels_are_the_15_of_the_paper():
    assert SPCANet().labels == LABELS and len(LABELS) == 15
    assert LABELS[:3] == ("teff", "logg", "feh")
    assert set(LABELS) <= set(columns.vocabulary().names)


def test_shipped_weights_know_three_labels_of_stars_that_they_have_not_seen(system, sample):
    labels = system.predict(sample)
    assert system.labels == ("teff", "logg", "feh")
    for name, limit in (("teff", 200), ("logg", 0.4), ("feh", 0.2)):
        residual = labels[name].value - sample[name].value
        assert robust_scatter(residual) < limit
        pull = residual / labels[f"{name}_err"].value
        assert np.mean(np.abs(pull) < 3) > 0.9
    assert system.provenance_["split"] == "star"


def test_measured_velocities_do_as_well(system, sample):
    known = system.predict(sample)
    blind = system.predict(sample[[name for name in sample.colnames if name != "radial_velocity"]])
    for name in system.labels:
        pull = (blind[name] - known[name]) / known[f"{name}_err"]
        assert np.median(np.abs(pull)) < 0.3


def test_missing_arm_gives_larger_errors(system, sample):
    table = QTable(sample, copy=True)
    table["ivar_r"][:] = 0
    whole, half = system.predict(sample), system.predict(table)
    assert flags.LABEL.has(half["teff_flag"], "MISSING_BAND").all()
    assert np.median(half["teff_err"] / whole["teff_err"]) > 1.05


def test_limits_of_the_paper_become_flags(system):
    """3500 to 8000 K; no abundances above 6500 K; two models within 120 K, 0.16 and 0.06 dex (Section 4.1)."""
    values = {
        "teff": np.array([5000.0, 3499, 8001, 6501, 6500, 5000, 5000, 5000, np.nan]),
        "logg": np.full(9, 4.0),
        "feh": np.full(9, -0.5),
    }
    half = {
        "teff": np.array([60.0, 1, 1, 1, 1, 60.5, 1, 1, np.nan]),
        "logg": np.array([0.08, 0, 0, 0, 0, 0, 0.081, 0, np.nan]),
        "feh": np.array([0.03, 0, 0, 0, 0, 0, 0, 0.031, np.nan]),
    }
    values |= {f"{label}_err_model": errors for label, errors in half.items()}
    found = np.stack(list(system.own_flags(None, values).values()), axis=1)
    apart = flags.LABEL.has(found, "MODELS_DISAGREE")
    np.testing.assert_array_equal(apart[:, 0], [0, 0, 0, 0, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(apart, apart[:, :1].repeat(3, axis=1))
    outside = flags.LABEL.has(found, "NOT_APPLICABLE")
    np.testing.assert_array_equal(outside[:, 0], [0, 1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(outside[:, 2], outside[:, 0])  # [Fe/H] is given up to 8000 K


def test_caution_with_hot_metal_poor_stars(system):
    labels = {"teff": np.array([7001.0, 7001, 6999]), "feh": np.array([-1.1, -0.9, -1.1]), "logg": np.full(3, 4.0)}
    labels |= {f"{label}_err_model": np.zeros(3) for label in ("teff", "logg", "feh")}
    for found in system.own_flags(None, labels).values():
        np.testing.assert_array_equal(flags.LABEL.has(found, "CAUTION"), [True, False, False])


def test_difference_of_the_two_models_is_given(system, sample):
    labels = system.predict(sample)
    features, ensemble = system.features(sample), system.ensemble
    means = [ensemble.terms(features, [group]).mean * ensemble.scale for group in ensemble.groups]
    moved = labels["teff_err_model"].value - np.abs(means[0] - means[1])[:, 0] / 2
    assert (np.abs(moved) < 1e-5 * labels["teff_err"].value).all()
    assert labels["teff_err_model"].unit == u.K


def test_catalog_has_its_own_convention(system, sample):
    """27 columns; Flag is 1 for good and 0 for bad; abundances of hot stars and untrained labels are missing."""
    stars = QTable(sample, copy=True)
    stars["ra"] = np.linspace(0, 359, len(stars)) * u.deg
    stars["dec"] = np.linspace(-10, 60, len(stars)) * u.deg
    labels = system.predict(stars)
    catalog = system.catalog(stars, labels)
    assert len(system.catalog(stars, labels, strict=True).colnames) == 27
    good = np.all([flags.LABEL.is_good(labels[f"{name}_flag"]) for name in system.labels], axis=0)
    assert 0 < good.sum() < len(good)
    np.testing.assert_array_equal(np.asarray(catalog["Flag"]), good.astype(int))
    hot = labels["teff"] > 6500 * u.K
    assert hot.any()
    assert np.isfinite(columns.values(catalog, "feh")).all()
    np.testing.assert_allclose(columns.values(catalog, "teff"), labels["teff"].value)
    assert np.isnan(columns.values(catalog, "mg_h")).all()
    assert catalog["starid"][0] == "LAMOST J000000.00-100000.0"
    np.testing.assert_allclose(columns.values(catalog, "snr_b"), sample["snr_b"])


def visits(sample, stars=16, each=8):
    """Several spectra of each star, with labels that have nothing to do with the spectra."""
    random = np.random.default_rng(3)
    table = QTable(sample[np.repeat(np.arange(stars), each)])
    for arm in ("b", "r"):
        flux = np.array(table[f"flux_{arm}"])
        table[f"flux_{arm}"] = flux + 0.02 * random.standard_normal(flux.shape)
    table["teff"] = np.repeat(random.permutation(np.linspace(4000, 7000, stars)), each) * u.K
    return table


@pytest.mark.slow
def test_splitting_by_spectrum_leaks(sample):
    """Labels drawn at random cannot be predicted; a validation that sees other spectra of the same stars says they can.

    This is the split of the paper: 98,612 spectra of 12,433 stars, shared out at random.
    """
    table = visits(sample)
    truth = table["teff"].value
    small = {"filters": (4, 4, 4), "kernels": (9, 5, 3), "strides": (10, 5, 2), "dense": (64, 32), "dropout": 0.0}
    system = SPCANet("compact", labels=("teff",), network_options=small, epochs=40, ensemble=1, batch_size=32, seed=1)
    system.fit(table, validation=0.25, split="spectrum", progress=False)
    left_out = split_groups(np.arange(len(table)), 0.25, 1)[0]
    assert system.provenance_["left_out_of_each_network"] == [left_out.sum()] == [32]
    assert system.provenance_["split"] == "spectrum"
    predicted = system.predict(table[left_out])["teff"].value
    assert np.sqrt(np.mean((predicted - truth[left_out]) ** 2)) / truth.std() < 0.65


@pytest.mark.parametrize("split", ["spectrum", "star"])
def test_what_is_left_out(sample, split, monkeypatch):
    """By star, no star is on both sides; by spectrum, nearly every one is."""
    table, options = visits(sample), {} if split == "star" else {"split": split}

    class BegunError(Exception):
        """The training is about to begin."""

    def told(recipe, sample, checked, *others, **more):
        raise BegunError(checked)

    monkeypatch.setattr("stellarlabels.labels.estimator.train_ensemble", told)
    with pytest.raises(BegunError) as about:
        SPCANet("compact", labels=("teff",)).fit(table, validation=0.25, progress=False, **options)
    for left_out in about.value.args[0]:
        both = set(table["source_id"][left_out]) & set(table["source_id"][~left_out])
        assert left_out.sum() == 32
        assert len(both) == 0 if split == "star" else len(both) > 12


def test_split_is_one_of_two(sample):
    with pytest.raises(InputError, match="split"):
        SPCANet("compact").fit(sample, split="random")


@pytest.mark.slow
def test_real_files(system, real_data):
    """KIC 8098300, an eclipsing binary: on one night its lines coincide, on another they are apart, which is flagged.

    Both nights agree, and so do single exposures and the low-resolution spectrum; on two nights there is no starlight.
    """
    from stellarlabels.archive.readers import read_lamost

    table = read_lamost(sorted((real_data / "lamost_mrs").glob("med-*")), exposures=True)
    labels = system.predict(table)
    night = np.array([str(name)[4:9] for name in table["spectrum"]])
    dark = np.isin(night, ["58268", "58269"])
    assert flags.LABEL.has(labels["teff_flag"], "NOISY_INPUT")[dark].all()
    np.testing.assert_array_equal(flags.LABEL.has(labels["teff_flag"], "DOUBLE_LINED") & ~dark, night == "58644")
    bright = system.feature_set.compute(table).snr > 10
    for epoch in ("58408", "58625", "58644"):
        rows = (night == epoch) & bright
        assert rows.sum() > 2
        for name in system.labels:
            value, error = plain(labels[name])[rows], plain(labels[f"{name}_err"])[rows]
            assert (np.abs(value - np.median(value)) < 2 * np.hypot(error, np.median(error))).all()
    together = [np.flatnonzero((night == epoch) & table["exposure"].mask)[0] for epoch in ("58625", "58644")]
    low = SolarDis.pretrained("compact").predict(read_lamost(sorted((real_data / "lamost_lrs").glob("spec-57287-KP*"))))
    for name in system.labels:
        value, error = labels[name].value[together], labels[f"{name}_err"].value[together]
        assert abs(value[0] - value[1]) < np.hypot(*error)
        assert name != "feh" or abs(value[0] - value[1]) < 0.05
        away = np.abs(value - plain(low[name])[0]) / np.hypot(error, plain(low[f"{name}_err"])[0])
        assert (away < 2.5).all()


def test_arms_of_a_real_star_agree(system, real_data):
    """[Fe/H] of J230311.44+321335.5 from one arm, the other, and both, within errors that are not those of noise."""
    from stellarlabels.archive.readers import read_lamost

    table = read_lamost(sorted((real_data / "lamost_mrs").glob("med-58408*")))
    both = system.predict(table)
    for arm in ("b", "r"):
        other = QTable(table, copy=True)
        other[f"ivar_{arm}"] = 0 * other[f"ivar_{arm}"]
        alone = system.predict(other)
        assert flags.LABEL.has(alone["feh_flag"], "MISSING_BAND").all()
        for name in system.labels:
            apart = np.abs(plain(alone[name]) - plain(both[name]))
            assert (apart < np.hypot(plain(alone[f"{name}_err"]), plain(both[f"{name}_err"]))).all()
    assert plain(both["feh_err"])[0] >= 0.15
    assert flags.LABEL.has(both["feh_flag"], "SYNTHETIC_TRAINING").all()


@pytest.mark.slow
def test_command_line(system, real_data, tmp_path):
    from stellarlabels import catalogs
    from stellarlabels.cli import main

    files = [str(path) for path in sorted((real_data / "lamost_mrs").glob("med-586*"))]
    main(["label", "spcanet", *files, "-o", str(tmp_path / "labels.fits")])
    labels = catalogs.read(tmp_path / "labels.fits")
    assert len(labels) == 2 and "teff_err_model" in labels.colnames
    main(["label", "spcanet", *files, "-o", str(tmp_path / "catalog.vot"), "--catalog"])
    assert catalogs.read(tmp_path / "catalog.vot", "spcanet").colnames[-1] == "feh_good"


def test_one_spectrum_without_an_arm_stops_no_other(system, sample):
    """A star without red arm alone, beside others, and after a block of such: flagged labels, and always the same."""
    stars = sample[:3]
    lacking = stars[:1].copy()
    for name, value in (("flux", np.nan), ("wavelength", np.nan), ("ivar", 0.0)):
        column = lacking[f"{name}_r"]
        lacking[f"{name}_r"] = np.full(column.shape, value) * (column.unit or 1)
    alone = system.predict(lacking)
    beside = system.predict(vstack([lacking, stars]))
    many = system.predict(vstack([lacking] * 256 + [stars]))
    for labels in (alone, beside, many):
        assert flags.LABEL.has(labels["teff_flag"], "MISSING_BAND")[0]
    whole = system.predict(stars)
    for name in system.labels:
        for end in ("", "_err"):
            want = whole[name + end]
            error = np.asarray(whole[f"{name}_err"].value) * 1e-5
            for labels in (beside, many):
                assert (np.abs((labels[name + end][-3:] - want).value) < error).all()
                assert abs(plain(labels[name + end])[0] - plain(alone[name + end])[0]) < error[0]


@pytest.mark.parametrize("kind", ["flat", "shifted", "upside_down", "noise", "wrong_velocity", "arms_exchanged"])
def test_spoiled_spectra_are_not_good(system, sample, kind):
    copies = damaged(sample, [kind], 1.0, seed=4, arms=("_b", "_r"))[0]
    labels = system.predict(copies)
    for label in system.labels:
        assert np.mean(labels[f"{label}_good"]) <= 0.05
        assert flags.LABEL.has(labels[f"{label}_flag"], "OTHER_KIND").mean() > 0.5


def test_labels_say_that_they_are_learned_from_synthetic_spectra(system, sample):
    labels = system.predict(sample)
    assert all(flags.LABEL.has(labels[f"{label}_flag"], "SYNTHETIC_TRAINING").all() for label in system.labels)
    assert plain(labels["feh_err"]).min() >= 0.15
    assert np.mean(labels["teff_good"]) > 0.5
