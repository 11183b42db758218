"""The uncertain network: Jacobians against automatic differentiation, variances against brute force, the likelihood."""

import keras
import numpy as np
import pytest
from scipy import stats

from stellarlabels import networks
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import packed
from stellarlabels.inputs.xp.coefficient_features import add_noise, dense_covariance
from stellarlabels.networks import jacobian_mlp as chain, losses
from stellarlabels.networks.error_propagation import Passes, Propagation
from stellarlabels.systems.uncertain import APOGEE, PAPER

LABELS = 4
SMALL = {**APOGEE.network_options, "width": 32, "components": 20}


@pytest.fixture(scope="module")
def features():
    """Real stars, with a parallax for some of them only."""
    return feature_set(APOGEE.features, **APOGEE.feature_options).compute(xp_apogee_sample()[:60])


@pytest.fixture(scope="module")
def arrays(features):
    out = dict(features.arrays)
    for band in ("bp", "rp"):
        out[f"{band}_factor"] = packed.factor(out[f"{band}_covariance"])
    out["other_factor"] = packed.factor(packed.pack(out["other_covariance"]))
    return out


def build(arrays, **options):
    shapes = {name: array.shape[1] for name, array in arrays.items()}
    network = networks.build("uncertain_mlp", shapes=shapes, outputs=LABELS, seed=3, **options)
    networks.adapt(network, arrays, seed=1)
    return network


@pytest.fixture(scope="module", params=["residual", "paper"])
def network(request, arrays):
    return build(arrays, **(SMALL if request.param == "residual" else PAPER.network_options))


def automatic(network, arrays):
    """Derivatives by the automatic differentiation of the backend, in single precision."""
    import tensorflow as tf

    inputs = {name: tf.constant(arrays[name]) for name in network.input}
    with tf.GradientTape(persistent=True) as tape:
        for name in ("coefficients", "others"):
            tape.watch(inputs[name])
        outputs = [network(inputs)[:, label] for label in range(LABELS)]
    return [
        np.nan_to_num(np.stack([np.asarray(tape.gradient(output, inputs[name])) for output in outputs], axis=1))
        for name in ("coefficients", "others")
    ]


def test_jacobian_equals_automatic_differentiation(network, arrays):
    ours = Propagation([network.get_layer("uncertain")]).jacobian(arrays)
    for got, want in zip(ours, automatic(network, arrays), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


def test_numpy_and_keras_agree(network, arrays):
    """Excess and input terms of the NumPy path are those of the Keras network that was trained."""
    output = keras.ops.convert_to_numpy(network({name: arrays[name] for name in network.input}))
    terms = Propagation([network.get_layer("uncertain")])(arrays)
    np.testing.assert_allclose(0.5 * np.log(terms.excess), output[:, LABELS : 2 * LABELS], atol=1e-4)
    variance = np.einsum("nll->nl", terms.inputs)
    np.testing.assert_allclose(0.5 * np.log(variance), output[:, 2 * LABELS :], atol=2e-3)
    np.testing.assert_allclose(variance, terms.inputs_each, rtol=1e-5)


def test_input_term_equals_the_whole_covariance(network, arrays):
    """J C J^T with the derivatives of the backend and the dense covariance of all inputs."""
    coefficients, others = automatic(network, arrays)
    blocks = [arrays[f"{band}_covariance"].astype(float) for band in ("bp", "rp")]
    dense = dense_covariance(arrays["coefficients"].astype(float), blocks)
    want = coefficients @ dense @ np.swapaxes(coefficients, 1, 2)
    want += others @ arrays["other_covariance"] @ np.swapaxes(others, 1, 2)
    got = Propagation([network.get_layer("uncertain")])(arrays).inputs
    scale = np.sqrt(np.einsum("nll->nl", want))
    np.testing.assert_allclose(got, want, atol=2e-3 * np.max(scale[:, :, None] * scale[:, None, :]))


def test_input_term_equals_monte_carlo_where_the_network_is_linear(features, arrays):
    """With noise of a hundredth of the real covariance any network is linear: scatter of 2,000 noisy copies."""
    network = build(arrays, **SMALL)
    faint = features[np.arange(4)]
    faint.arrays = {**faint.arrays}
    for band in ("bp", "rp"):
        faint.arrays[f"{band}_covariance"] = faint.arrays[f"{band}_covariance"] * np.float32(1e-4)
    core = network.get_layer("uncertain")
    copies = faint[np.tile(np.arange(4), 2000)]
    copies.arrays["other_covariance"] = np.zeros_like(copies.arrays["other_covariance"])
    noisy = add_noise(copies, 1.0, seed=5)
    noisy.arrays["log_error"] = copies.arrays["log_error"]
    single = Propagation([core], passes=1)
    single.networks[0].leave_out([np.ones_like(factor) for factor in single.networks[0].factors])
    got = single(noisy.arrays).mean.reshape(2000, 4, LABELS)
    faint.arrays["other_covariance"] = np.zeros_like(faint.arrays["other_covariance"])
    want = Propagation([core])(faint.arrays).inputs
    np.testing.assert_allclose(got.var(axis=0), np.einsum("nll->nl", want), rtol=0.2)


def test_shared_dropout_is_unbiased(arrays):
    """Medians and scatters with the same factors for all stars against independent ones for each star and pass."""
    core = build(arrays, **PAPER.network_options).get_layer("uncertain")
    stages = [*core.trunk, *core.mean]
    parameters = [np.asarray(array) for group in core.parameters[:2] for array in group]
    z = np.random.default_rng(0).normal(size=(40, len(parameters[0]))).astype(np.float32)
    rng = np.random.default_rng(1)
    passes = Passes(stages, parameters, chain.drop_factors(stages, z.shape[1], 4000, rng))
    shared = passes(z).transpose(0, 2, 1)

    def drop(x, stage):
        return (rng.random(x.shape) >= stage["rate"]).astype(np.float32) / (1 - stage["rate"])

    copies = np.repeat(z, 4000, axis=0)
    independent = chain.forward(stages, parameters, copies, drop=drop)[0].reshape(40, 4000, LABELS)
    scatter = independent.std(axis=1)
    difference = (np.median(shared, axis=0) - np.median(independent, axis=1)) / (scatter * 1.2533 * np.sqrt(2 / 4000))
    assert abs(difference.mean(axis=0)).max() < 3.5  # the noise of the shared factors is common to all stars
    np.testing.assert_allclose(shared.std(axis=0), scatter, rtol=0.12)


def test_passes_in_blocks_equal_single_ones(arrays):
    """The passes computed together are those of networks with single units left out."""
    core = build(arrays, **SMALL).get_layer("uncertain")
    stages = [*core.trunk, *core.mean]
    parameters = [np.asarray(array) for group in core.parameters[:2] for array in group]
    z = np.random.default_rng(0).normal(size=(5, len(parameters[0]))).astype(np.float32)
    factors = chain.drop_factors(stages, z.shape[1], 3, np.random.default_rng(2))
    together = Passes(stages, parameters, factors)(z)
    for number in range(3):
        left = [factor[number] for factor in factors]

        def drop(x, stage, left=left):
            return left.pop(0) if stage.get("passes", True) else np.ones(x.shape, np.float32)

        np.testing.assert_allclose(
            together[number].T, chain.forward(stages, parameters, z, drop=drop)[0], rtol=1e-4, atol=1e-5
        )


def test_likelihood_by_hand():
    """Eqs. 9 and 10 with a label error of 3, an input error of 4 and an excess of 12: variance 169."""
    target = losses.pack([[5.0, np.nan]], [[3.0, 1.0]])
    output = np.array([[18.0, 7.0, np.log(12), 0.0, np.log(4), 0.0]], np.float32)
    got = float(losses.propagated_gaussian(target, output)[0])
    want = -stats.norm(18, 13).logpdf(5) - 0.5 * np.log(2 * np.pi)
    assert got == pytest.approx(want, rel=1e-5)
    wide = float(losses.propagated_student_t(target, output)[0])
    t = -stats.t(5, 18, 13).logpdf(5)
    zero = -stats.t(5, 0, 1).logpdf(0)
    assert wide == pytest.approx(t - zero, rel=1e-5)


def test_first_phase_leaves_the_input_term_out(arrays):
    network = build(arrays, **{**SMALL, "first_phase": 0.5})
    core = network.get_layer("uncertain")
    callback = core.phases(10)
    inputs = {name: arrays[name] for name in network.input}
    callback.on_epoch_begin(4)
    assert np.asarray(network(inputs))[:, 2 * LABELS :].max() < -11
    callback.on_epoch_begin(5)
    assert np.asarray(network(inputs))[:, 2 * LABELS :].min() > -11


def test_constant_feature_does_not_break_scaling(arrays):
    """RP 0 is 1 for all stars; standardised it is 0, not NaN."""
    network = build(arrays, **PAPER.network_options)
    assert np.isfinite(np.asarray(network({name: arrays[name] for name in network.input}))).all()
    assert not np.asarray(network.get_layer("uncertain").matrix)[55].any()
