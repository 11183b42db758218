"""SolarDis: the paper's numbers, the published weights, distances, and real spectra."""

import json
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy.optimize import minimize_scalar

from stellarlabels import SolarDis, columns, flags, networks
from stellarlabels.archive.readers import read_lamost
from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingColumnError, ModelFileError
from stellarlabels.inputs.examples import lrs_synthetic_sample
from stellarlabels.inputs.lamost.damage import KINDS
from stellarlabels.labels.ensemble import build_network
from stellarlabels.networks import split_groups
from stellarlabels.systems import kerasfile

WEIGHTS = SolarDis.shipped_file().is_file()


def paper_network():
    return build_network(SolarDis.recipes["paper"], {"flux": 4875}, 5)


def predicted(count=3):
    """Labels as the system predicts them, with M_G and a color."""
    out = QTable({"obsid": np.arange(count)})
    for name, values in (("m_g", np.linspace(4.0, 6.0, count)), ("bp_rp_0", np.linspace(0.7, 0.9, count))):
        value, error, flag = columns.label_columns(name)
        out[value.name], out[error.name] = value.dress(values), error.dress(np.full(count, 0.2546))
        out[flag.name] = flag.dress(np.zeros(count, int))
    return out


def stars(count=3):
    out = QTable({"obsid": np.arange(count), "phot_g_mean_mag": np.linspace(12.0, 14.0, count) * u.mag})
    out["bp_rp"] = np.linspace(0.75, 1.0, count) * u.mag
    return out


def test_parameters_and_shapes_of_the_paper():
    """The summary that the authors' code prints (github.com/sarashenyy/SolarDis)."""
    network = networks.means_of(paper_network())
    assert network.count_params() == 23_849_605
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    assert shapes["conv_0"] == (4875, 64) and shapes["pool_0"] == (1625, 64)
    assert shapes["conv_1"] == (1625, 128) and shapes["pool_1"] == (541, 128)
    assert shapes["conv_2"] == (541, 256) and shapes["pool_2"] == (180, 256)
    assert shapes["flat"] == (46080,) and shapes["mean"] == (5,)
    counts = [layer.count_params() for layer in network.layers if layer.weights]
    assert counts == [256, 24704, 98560, 23593472, 131328, 1285]


def test_the_published_distance_is_the_mode():
    """Against the code's way: minimize_scalar of the density between 0 and 10 kpc, with its extinction."""
    table, labels = stars(), predicted()
    got = SolarDis().distances(table, labels)
    for row in range(len(table)):
        extinction = 0.83627 * (table["bp_rp"][row] - labels["bp_rp_0"][row]).value / (1.08337 - 0.63439)
        apparent, absolute = table["phot_g_mean_mag"][row].value, labels["m_g"][row].value

        def density(d, m=apparent, mean=absolute, dimmed=extinction):
            return -np.exp(-((m - 5 * np.log10(d) + 5 - dimmed - mean) ** 2) / (2 * 0.2546**2)) / d

        want = minimize_scalar(density, bounds=(0, 1e4), method="bounded", options={"xatol": 1e-6}).x
        np.testing.assert_allclose(got["distance_mode"][row].to_value(u.pc), want, rtol=1e-5)
    ratio = (got["distance_mode"] / got["distance"]).value
    np.testing.assert_allclose(ratio, 0.9863, atol=5e-5)


def test_extinction_follows_the_color():
    got = SolarDis.extinction(stars(), predicted())
    np.testing.assert_allclose(got, 1.8626 * (np.linspace(0.75, 1.0, 3) - np.linspace(0.7, 0.9, 3)), rtol=1e-4)
    table = stars()
    table["phot_bp_mean_mag"], table["phot_rp_mean_mag"] = table["bp_rp"] + 10 * u.mag, np.full(3, 10.0) * u.mag
    del table["bp_rp"]
    np.testing.assert_allclose(SolarDis.extinction(table, predicted()), got)
    with pytest.raises(MissingColumnError, match="phot_bp_mean_mag"):
        SolarDis.extinction(table[["obsid"]], predicted())


def test_distances_need_an_absolute_magnitude():
    with pytest.raises(InputError, match="has no m_g, and so no distances"):
        SolarDis("compact", labels=("teff", "logg", "feh")).distances(stars())


def test_variant_is_another_name_of_the_recipe():
    assert SolarDis(variant="compact").recipe_name == "compact"
    with pytest.raises(InputError, match="variant"):
        SolarDis("paper", variant="compact")


def test_selection_of_solar_like_stars():
    labels = {"teff_lasp": [5700.0, 4700.0, 5700.0, np.nan], "logg_lasp": [4.4, 4.5, 3.0, 4.4], "feh_lasp": [0.0] * 4}
    table = QTable({name: columns.column(name).dress(values) for name, values in labels.items()})
    np.testing.assert_array_equal(SolarDis("paper").not_applicable(table), [False, True, True, False])
    np.testing.assert_array_equal(SolarDis("compact").not_applicable(table), [False] * 4)


def test_five_folds_by_star():
    """Visits of a star are never on both sides, and five networks leave out five different fifths."""
    star = np.random.default_rng(1).permutation(np.arange(500) % 200)
    table = QTable({"obsid": np.arange(500), "ra": star * 1.0 * u.deg, "dec": np.zeros(500) * u.deg})
    out = split_groups(SolarDis("paper").stars_of(table), 0.2, seed=0, count=5)
    assert out.shape == (5, 500)
    for mask in out:
        assert not set(star[mask]) & set(star[~mask])
    assert (out.sum(axis=0) == 1).all()


@pytest.fixture(scope="module")
def published():
    """Random weights of the paper's network as a plain Keras model would have them."""
    rng = np.random.default_rng(3)
    layers = [layer for layer in paper_network().layers if layer.weights]
    return [
        [0.05 * rng.standard_normal(weight.shape).astype(np.float32) for weight in layer.weights] for layer in layers
    ]


def plain_model(weights):
    """The authors' network as their notebook prints it."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((4875, 1))])
    for units in (64, 128, 256):
        model.add(layers.Conv1D(units, 3, padding="same"))
        model.add(layers.LeakyReLU(negative_slope=0.01))
        model.add(layers.MaxPooling1D(3))
    model.add(layers.Flatten())
    for units in (512, 256):
        model.add(layers.Dense(units))
        model.add(layers.LeakyReLU(negative_slope=0.01))
    model.add(layers.Dense(5))
    for layer, arrays in zip([layer for layer in model.layers if layer.weights], weights, strict=True):
        layer.set_weights(arrays)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["weights.h5", "keras", "checkpoint"])
def test_published_weights(published, tmp_path, kind):
    model = plain_model(published)
    if kind == "checkpoint":
        import tensorflow as tf

        class Named(tf.Module):
            pass

        root = Named()
        for number, arrays in enumerate(published):
            child = Named()
            child.kernel, child.bias = (tf.Variable(array) for array in arrays)
            setattr(root, f"layer_with_weights_{number}", child)
        path = tmp_path / "model"
        (path / "variables").mkdir(parents=True)
        tf.train.Checkpoint(root=root).write(str(path / "variables" / "variables"))
    else:
        path = tmp_path / f"model.{kind}"
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # Keras under NumPy 2.4
            model.save_weights(path) if kind == "weights.h5" else model.save(path)
    center, scale = np.array([5700.0, 4.3, -0.1, 4.8, 0.8]), np.array([400.0, 0.2, 0.25, 0.8, 0.12])
    told = {} if kind == "keras" else {"slope": 0.01}
    system = SolarDis.import_published(path, center=center, scale=scale, **told)
    flux = np.random.default_rng(1).uniform(0.5, 1.1, (3, 4875)).astype(np.float32)
    want = np.asarray(model(flux[:, :, None])) * scale + center
    from stellarlabels.inputs.base import Features

    nothing = np.full(3, np.nan)
    features = Features({"flux": flux}, np.zeros(3, int), np.ones(3, bool), nothing, nothing, np.full(3, 50.0), nothing)
    mean, sigma = system.ensemble.predict(features)
    np.testing.assert_allclose(mean, want, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(sigma, np.tile([86, 0.07, 0.06, 0.2546, 0.03], (3, 1)), rtol=1e-6)


@pytest.mark.slow
def test_files_of_other_networks_are_refused(published, tmp_path):
    import h5py

    def file(weights):
        path = tmp_path / "model.h5"
        with h5py.File(path, "w") as out:
            for number, (kernel, bias) in enumerate(weights):
                out[f"model_weights/dense_{number}/dense_{number}/kernel:0"] = kernel
                out[f"model_weights/dense_{number}/dense_{number}/bias:0"] = bias
        return path

    good = {"center": np.zeros(5), "scale": np.ones(5), "slope": 0.2}
    assert repr(SolarDis.import_published(file(published), **good)).startswith("<SolarDis 'paper'")
    for weights, message in (
        (published[:-1], "expected a layer of shapes"),
        ([*published, [np.zeros((2, 2)), np.zeros(2)]], "1 more layers"),
        ([[kernel * np.nan, bias] for kernel, bias in published], "not all finite"),
        ([[np.array([["code"]], "S"), bias] for _, bias in published], "expected an array of floats"),
    ):
        with pytest.raises(ModelFileError, match=message):
            SolarDis.import_published(file(weights), **good)
    (tmp_path / "x.h5").write_bytes(b"not a model")
    for path in ("x.h5", "absent.keras"):
        with pytest.raises(ModelFileError, match=path):
            SolarDis.import_published(tmp_path / path, **good)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFileError, match="SavedModel"):
        SolarDis.import_published(tmp_path / "empty", **good)
    with pytest.raises(InputError, match="scale"):
        SolarDis.import_published(file(published), center=np.zeros(5), scale=np.zeros(5))
    assert kerasfile.read_layers(file(published))[0]["kernel"].shape == (3, 1, 64)


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_real_files_of_every_release(real_data):
    """One star in the formats of DR7 and DR9 gives one answer; what is no star is flagged."""
    table = read_lamost(sorted(str(path) for path in (real_data / "lamost_lrs").glob("*.fits*")))
    labels = SolarDis.pretrained().predict(table)
    assert len(labels) == 33
    np.testing.assert_allclose(labels["teff"][0].value, labels["teff"][1].value, rtol=1e-3)
    others = np.isin(np.asarray(table["class"]), ["GALAXY", "QSO"])
    assert others.sum() == 2
    np.testing.assert_array_equal(flags.LABEL.has(labels["teff_flag"], "NOT_APPLICABLE"), others)
    # KIC 8098300, of type F5 after the header
    kic = np.flatnonzero(np.asarray(table["obsid"]) == 359910161)[0]
    assert abs(labels["teff"][kic].value - 6250) < 250


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_catalog_says_which_spectra_have_bad_pixels(real_data):
    table = read_lamost(sorted(str(path) for path in (real_data / "lamost_lrs").glob("spec-58575*")))
    catalog = SolarDis.pretrained().catalog(table)
    assert catalog.colnames[0] == "obsid" and catalog.colnames.index("teff_err") == 29
    assert set(np.asarray(catalog["flag"])) <= {0, 1} and not np.ma.getmaskarray(catalog["flag"]).any()


@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_shipped_metrics():
    measured = SolarDis.metrics()["measured"]
    ours, *others = (measured[name]["4000-7000 K"] for name in list(measured)[:3])
    assert "Ridge" in list(measured)[1] and "Gaussian process" in list(measured)[2]
    for label, limit in (("teff", 50.0), ("logg", 0.078), ("feh", 0.046)):
        new = measured["SolarDis compact"]["4000-7000 K, fold 0"][label]
        assert ours[label]["scatter"] <= limit and new["scatter"] <= limit
        assert all(ours[label]["scatter"] < other[label]["scatter"] for other in others)
        assert 0.6 < ours[label]["within_1_sigma"] < 0.76
    for name, group in measured["SolarDis compact"].items():
        if "S/N" in name:  # between 180 and 450 stars
            for label in ("teff", "logg", "feh"):
                assert 0.63 < group[label]["within_1_sigma"] < 0.73
                assert 0.9 < group[label]["pull_width"] < 1.2


@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_shipped_weights_know_spoiled_spectra():
    """Of each kind at full severity at most a twentieth is good and off, but for one that is hard to tell."""
    path = SolarDis.shipped_file().with_name("solardis-compact-domain.json")
    measured = json.loads(path.read_text(encoding="utf-8"))["damaged, by severity"]
    assert set(measured) == set(KINDS)
    for kind, shares in measured.items():
        assert shares["good and off, 1.0"] <= (0.07 if kind == "other_arm" else 0.05)


@pytest.fixture(scope="module")
def with_photometry(real_data):
    """Real spectra of 58575 with made-up photometry."""
    table = read_lamost(sorted(str(path) for path in (real_data / "lamost_lrs").glob("spec-58575*")))
    table["phot_g_mean_mag"], table["bp_rp"] = np.full(len(table), 14.0) * u.mag, np.full(len(table), 0.9) * u.mag
    return table


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_shipped_weights_give_distances(with_photometry):
    """By hand: the median of a normal distance modulus; with the predicted error of M_G, not the paper's."""
    system = SolarDis.pretrained()
    labels = system.predict(with_photometry)
    found = system.distances(with_photometry, labels)
    usable = ~np.ma.getmaskarray(labels["m_g"])
    assert usable.sum() >= 8
    dimmed = 1.8626 * (0.9 - labels["bp_rp_0"].value)
    want = 10 ** (0.2 * (14.0 - labels["m_g"].value - dimmed) + 1)
    np.testing.assert_allclose(found["distance"].value[usable], want[usable], rtol=1e-3)
    error = np.sinh(0.2 * np.log(10) * labels["m_g_err"].value) * want
    np.testing.assert_allclose(found["distance_err"].value[usable], error[usable], rtol=0.02)  # some are 6 kpc


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_distances_on_the_command_line(with_photometry, tmp_path):
    from stellarlabels.cli import main

    with_photometry.write(tmp_path / "stars.fits")
    out = tmp_path / "distances.ecsv"
    assert main(["distance", str(tmp_path / "stars.fits"), "-o", str(out), "--system", "solardis"]) == 0
    got, want = QTable.read(out), SolarDis.pretrained().distances(with_photometry)
    got, want = (np.ma.filled(columns.without_unit(table["distance"]), 0) for table in (got, want))
    np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS, reason="no weights")
def test_a_made_up_star_with_and_without_its_velocity():
    """Lines on a Planck curve, receding with 150 km/s: only the flag tells that the labels are another star's."""
    speed = 299792.458
    grid = 10 ** (3.5682 + 1e-4 * np.arange(3909))
    lines = np.concatenate(
        [[3934.8, 3969.6, 4102.9, 4341.7, 4862.7, 5175.0, 5891.6, 6564.6], np.arange(4000, 6900, 31)]
    )

    def seen(velocity):
        at = lines[:, None] * (1 + velocity / speed)
        depth = np.where(np.arange(len(lines)) < 8, 0.4, 0.15)[:, None] * np.exp(-0.5 * ((grid - at) / 3) ** 2)
        return (5000 / grid) ** 5 / np.expm1(1.4388e8 / grid / 5800) * np.prod(1 - depth, axis=0)

    table = QTable({"obsid": [1, 2, 3, 4]})
    table["wavelength"] = np.tile(grid, (4, 1)) * u.AA
    table["flux"] = np.array([seen(0), seen(150), seen(150), -seen(0)])
    table["ivar"] = (100 / table["flux"]) ** 2
    table["z"] = [0.0, 150 / speed, -9999.0, 0.0]
    system = SolarDis.pretrained()
    with pytest.warns(ImpossibleValueWarning, match="1 of 'z'"):
        labels = system.predict(table)
    table["z"] = np.ma.MaskedArray(table["z"], mask=[False, False, True, False])
    teff = np.ma.filled(columns.without_unit(labels["teff"]), np.nan)
    assert abs(teff[1] - teff[0]) < 20
    np.testing.assert_array_equal(flags.LABEL.has(labels["feh_flag"], "MISSING_VELOCITY"), [False, False, True, False])
    assert np.isfinite(teff[:3]).all() and np.isnan(teff[3])
    assert labels["teff_flag"][3] & flags.LABEL["NO_INPUT"]
    for row in range(4):
        alone = system.predict(table[row : row + 1])
        assert alone["teff_flag"][0] == labels["teff_flag"][row]
        np.testing.assert_allclose(np.ma.filled(columns.without_unit(alone["teff"]), np.nan)[0], teff[row], rtol=1e-6)


@pytest.mark.slow
def test_the_sample_that_ships_is_labelled_within_the_errors():
    """Spectra of the sample are as the survey's: nothing about them is odd, labels are those of the models."""
    sample = lrs_synthetic_sample()
    labels = SolarDis.pretrained().predict(sample)
    assert labels["obsid"].tolist() == list(range(1, 33))
    for name, most in (("teff", 60.0), ("logg", 0.15), ("feh", 0.06)):
        apart = columns.values(labels, name) - columns.values(sample, name)
        assert labels[f"{name}_good"].all() and np.sqrt(np.mean(apart**2)) < most
