"""CSNet against the numbers of its paper, and on real held-out stars."""

import keras
import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import CSNet, columns, flags, networks
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.networks import layers, losses
from stellarlabels.systems.csnet import PAPER


def test_hyper_parameters_of_the_paper():
    """Section 4.1: s, epoch, eta, gamma, lambda, M*N; Section 3.2: layers; Table 2: ranges."""
    assert (PAPER.train.batch_size, PAPER.train.epochs, PAPER.train.learning_rate, PAPER.cost.gamma) == (
        2000,
        5000,
        1e-4,
        0.5,
    )
    assert PAPER.network_options["hidden"] == (300, 200, 100) and PAPER.network_options["l2"] == 5e-5
    assert PAPER.labels == ("teff", "logg", "feh", "alpha_fe", "c_fe", "n_fe", "mg_fe", "ca_fe")
    assert list(PAPER.cost.bins.values()) == [
        (20, 1), (20, 1), (20, 1), (20, 60), (28, 60), (35, 50), (20, 40), (25, 60),
    ]  # fmt: skip
    assert PAPER.per_label.label_ranges["teff"] == (4000, 7500) and PAPER.per_label.color_ranges["teff"] == (
        0.319,
        1.660,
    )
    assert PAPER.per_label.label_ranges["feh"] == (-2.5, 0.5) and PAPER.per_label.color_ranges["feh"] == (0.062, 1.786)
    assert PAPER.per_label.label_ranges["ca_fe"] == (-0.15, 0.5) and PAPER.per_label.color_ranges["ca_fe"] == (
        0.315,
        1.626,
    )


def test_layers_of_the_paper():
    """Figure 2: 13-300-200-100-1, for each label."""
    network = networks.build("color_mlp", shapes={"color": 13, "error": 14}, outputs=1, seed=1, **PAPER.network_options)
    kernels = [tuple(kernel.shape) for kernel in network.get_layer("mean").parameters[::2]]
    assert kernels == [(13, 300), (300, 200), (200, 100), (100, 1)]
    optimizer = keras.optimizers.Adam(PAPER.train.learning_rate)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)


def test_loss_is_equation_8():
    """Weights times squared residuals, averaged over the batch, and the penalty on all kernels."""
    options = {"hidden": (4, 3), "l2": 0.01, "error_hidden": (2,)}
    network = networks.build("color_mlp", shapes={"color": 2, "error": 3}, outputs=1, seed=3, **options)
    rng = np.random.default_rng(0)
    arrays = {"color": rng.normal(size=(5, 2)).astype("f4"), "error": np.ones((5, 3), "f4")}
    networks.adapt(network, {**arrays, "error_matrix": np.zeros((2, 3))})
    means = networks.means_of(network)
    target, cost = rng.normal(size=(5, 1)), np.array([1.0, 2.0, 0.5, 4.0, 1.0], "f4")
    means.compile(optimizer="sgd", loss=losses.squared)
    got = means.test_on_batch({"color": arrays["color"]}, losses.pack(target, np.zeros((5, 1))), sample_weight=cost)
    predicted = means.predict({"color": arrays["color"]}, verbose=0)
    penalty = 0.01 * sum(np.sum(np.square(kernel)) for kernel in network.get_layer("mean").parameters[::2])
    want = np.mean(cost * ((target - predicted)[:, 0]) ** 2) + float(penalty)
    assert float(np.ravel(got)[0]) == pytest.approx(want, rel=1e-5)


def test_noise_of_a_training_is_that_of_the_magnitudes():
    """The added noise has the covariance of the colors, and is there in training only."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(2, 3))
    color, error = np.tile([[0.3, -0.2]], (40000, 1)).astype("f4"), np.tile([[0.1, 0.2, 0.3]], (40000, 1)).astype("f4")
    layer = layers.MeasurementNoise(matrix, amount=0.5, seed=1)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer([color, error])), color)
    noise = keras.ops.convert_to_numpy(layer([color, error], training=True)) - color
    want = 0.25 * matrix @ np.diag(error[0].astype(float) ** 2) @ matrix.T
    np.testing.assert_allclose(np.cov(noise.T), want, atol=0.03 * np.abs(want).max())
    network = networks.build(
        "color_mlp", shapes={"color": 2, "error": 3}, outputs=1, hidden=(4,), l2=0, error_hidden=(2,), seed=3
    )
    arrays = {"color": rng.normal(size=(9, 2)).astype("f4"), "error": error[:9], "error_matrix": matrix}
    networks.adapt(network, arrays)
    arrays = {"color": color[:5], "error": error[:5]}
    with_noise, without = networks.means_of(network, noise=1.0, seed=1), networks.means_of(network)
    same = with_noise.predict(arrays, verbose=0), without.predict({"color": color[:5]}, verbose=0)
    np.testing.assert_allclose(*same, rtol=1e-5, atol=1e-5)
    assert with_noise.get_layer("mean") is without.get_layer("mean")


@pytest.fixture(scope="module")
def toy():
    """Stars whose labels are smooth functions of their colors, with photometric noise."""
    rng = np.random.default_rng(5)
    count = 600
    color, feh = rng.uniform(0.4, 1.4, count), rng.uniform(-1.5, 0.4, count)
    blue = np.linspace(1.2, 0, 12) * color[:, None] + np.linspace(0.3, 0, 12) * feh[:, None]
    table = QTable(
        {
            "source_id": np.arange(count) + (1 << 60),
            "mag_aper_6_0": (15 + blue + 0.005 * rng.normal(size=(count, 12))) * u.mag,
            "mag_err_aper_6_0": np.full((count, 12), 0.005) * u.mag,
            "flags": np.zeros((count, 12), np.int32),
            "phot_bp_mean_mag": (14.5 + color) * u.mag,
            "phot_rp_mean_mag": np.full(count, 14.5) * u.mag,
            "phot_g_mean_mag": np.full(count, 15.0) * u.mag,
            "ebv": np.zeros(count) * u.mag,
            "snrg": np.full(count, 100.0),
            "feh": feh * u.dex,
            "teff": (8000 - 2500 * color) * u.K,
            "alpha_fe": np.where(rng.random(count) < 0.5, np.nan, -0.2 * feh) * u.dex,
        }
    )
    return table


@pytest.fixture(scope="module")
def trained(toy):
    options = {"labels": ("teff", "feh", "alpha_fe"), "epochs": 30, "batch_size": 100, "learning_rate": 2e-3}
    return CSNet("paper", excess_epochs=20, calibrate=False, **options).fit(toy, progress=False)


@pytest.mark.slow
def test_labels_train_apart_and_predict_together(toy, trained):
    """One call gives what the networks give one by one, to 1e-6."""
    labels = trained.predict(toy)
    features = trained.feature_set.compute(toy)
    assert len(trained.ensemble.members) == 3
    for index, member in enumerate(trained.ensemble.members):
        assert member.labels == (index,)
        means = networks.means_of(member.network)
        alone = means.predict({"color": features.arrays["color"]}, verbose=0)[:, 0]
        alone = alone * trained.ensemble.scale[index] + trained.ensemble.center[index]
        got = columns.values(labels, trained.labels[index])
        np.testing.assert_allclose(got, alone, rtol=1e-6, atol=2e-6)
    residual = columns.values(labels, "feh") - columns.values(toy, "feh")
    assert np.std(residual) < 0.15


@pytest.mark.slow
def test_a_label_alone_is_the_same_network(toy, trained):
    """The networks have nothing in common: alone or together, a label comes out the same."""
    options = {"epochs": 3, "batch_size": 200, "excess_epochs": 2}
    many = CSNet("paper", labels=("teff", "feh"), **options).fit(toy, progress=False).predict(toy)
    one = CSNet("paper", labels="teff", **options).fit(toy, progress=False).predict(toy)
    np.testing.assert_allclose(columns.values(one, "teff"), columns.values(many, "teff"), rtol=1e-6)


@pytest.mark.slow
def test_errors_follow_the_photometric_errors(toy, trained):
    """Larger errors of the magnitudes are propagated; their part follows the derivatives of the labels."""
    noisy = QTable(toy)
    noisy["mag_err_aper_6_0"] = np.full((len(toy), 12), 0.05) * u.mag
    quiet, loud = (columns.column_values(trained.predict(t), columns.label_columns("feh")[1]) for t in (toy, noisy))
    assert (loud > quiet).all()
    draws = QTable(toy[np.repeat(np.arange(20), 400)])
    rng = np.random.default_rng(2)
    draws["mag_aper_6_0"] = draws["mag_aper_6_0"] + 0.05 * rng.normal(size=(8000, 12)) * u.mag
    scatter = columns.values(trained.predict(draws), "feh").reshape(20, 400).std(axis=1)
    assert np.median(np.sqrt(loud[:20] ** 2 - quiet[:20] ** 2) / scatter) == pytest.approx(1, abs=0.35)


@pytest.mark.slow
def test_ranges_are_those_of_table_2(toy, trained):
    table = toy[:3]
    table["phot_bp_mean_mag"] = [14.7, 15.3, 16.3] * u.mag
    flag = trained.predict(table)["teff_flag"]
    np.testing.assert_array_equal(flags.LABEL.has(flag, "COLOR_RANGE"), [True, False, True])


@pytest.mark.slow
def test_cautions_of_the_paper(toy, trained):
    """Section 4.3: Teff of dwarfs below 4800 K, log g (not trained here) of giants below 4500 K."""
    table = toy[np.argsort(toy["teff"])[[0, 0, 0, -1]]]
    table["source_id"] = np.arange(4)
    table["m_g"] = [6.0, 0.0, np.nan, 6.0] * u.mag
    table["phot_bp_mean_mag"] = [15.95, 15.95, 15.95, 14.9] * u.mag
    labels = trained.predict(table)
    assert columns.values(labels, "teff")[:3].max() < 4800
    np.testing.assert_array_equal(flags.LABEL.has(labels["teff_flag"], "CAUTION"), [True, False, False, False])
    assert not flags.LABEL.has(labels["feh_flag"], "CAUTION").any()


@pytest.mark.slow
def test_recommended_stars(toy, trained):
    table = toy[:5]
    table["phot_bp_mean_mag"] = [15.3, 15.3, 16.5, 15.3, 15.3] * u.mag
    table["flags"][1, 4] = 2
    table["phot_g_mean_mag"][3] = 18.5 * u.mag
    table["mag_err_aper_6_0"][4, 0] = 0.2 * u.mag
    np.testing.assert_array_equal(trained.recommended(table), [True, False, False, True, True])
    np.testing.assert_array_equal(trained.recommended(table, selection="precise"), [True, False, False, False, False])
    table["m_g"] = [3.0, 3.0, 3.0, 3.0, 5.0] * u.mag
    table["phot_bp_mean_mag"] = [15.6, 15.3, 15.6, 15.6, 15.6] * u.mag
    np.testing.assert_array_equal(trained.recommended(table, selection="giants"), [True, False, True, True, False])
    with pytest.raises(InputError, match="selection"):
        trained.recommended(table, selection="best")


@pytest.mark.slow
def test_weights_need_the_metallicity(toy):
    table = toy[[name for name in toy.colnames if name != "feh"]]
    with pytest.raises(MissingColumnError, match="feh"):
        CSNet("paper", labels="alpha_fe", epochs=1).fit(table)
    CSNet("paper", labels="alpha_fe", epochs=1, excess_epochs=1, cost_bins=None).fit(table, progress=False)


def test_shipped_metrics():
    """What the documentation quotes of the weights that ship."""
    measured = CSNet.metrics()["measured"]
    ours, trees = measured["CSNet jplus_xp"], measured["XGBoost"]
    plain = measured["without cost-sensitive weights"]
    for label in ("teff", "logg", "feh", "alpha_fe"):
        assert ours["all"][label]["robust_scatter"] < trees["all"][label]["robust_scatter"]
        assert 0.85 < ours["all"][label]["pull_width"] < 1.1
        assert 0.65 < ours["all"][label]["coverage_68"] < 0.72
    rare = "[Fe/H]<-1.5"
    assert ours[rare]["feh"]["rmse"] < 0.85 * plain[rare]["feh"]["rmse"] < 0.85 * trees[rare]["feh"]["rmse"]


def test_precision_falls_with_photometric_noise():
    noisy = CSNet.metrics()["measured"]["CSNet jplus_xp, noise of J-PLUS at G"]
    for label in ("teff", "logg", "feh", "alpha_fe"):
        scatter = [entry[label]["robust_scatter"] for entry in noisy.values()]
        assert len(scatter) == 7 and (np.diff(scatter) > 0).all()
