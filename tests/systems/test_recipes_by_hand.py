"""The papers' recipes against numbers worked out here by hand, with NumPy alone.

Of each: the number of parameters, one pass through the network, the loss of a few stars, steps of the optimiser with
its weight decay, and weights of a small histogram; and that errors of which a paper says how they are made are not
calibrated.
"""

import warnings

import numpy as np
import pytest

from stellarlabels import CSNet, SolarDis, SPCANet, UACSNet, UncertainNet, networks
from stellarlabels.exceptions import StellarLabelsWarning
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.labels.ensemble import build_network, floors
from stellarlabels.labels.training import Sample, _weights
from stellarlabels.networks import losses
from stellarlabels.networks.training import train

pytestmark = pytest.mark.slow

PAPERS = (CSNet, SPCANet, UncertainNet, UACSNet, SolarDis)

#: Lengths of the inputs. CSNet: 13 colors of 12 filters of J-PLUS and the two bands of Gaia.
SHAPES = {
    CSNet: {"color": 13, "error": 14},
    SPCANet: {"flux_b": 4000, "flux_r": 4000, "quality": 4},
    UncertainNet: {
        "coefficients": 110,
        "others": 5,
        "log_error": 12,
        "bp_factor": 55,
        "rp_factor": 55,
        "other_factor": 5,
    },
    UACSNet: {"flux": 60, "error": 60},
    SolarDis: {"flux": 4875},
}


def network_of(system, outputs, floor=1e-3):
    return build_network(system.recipes["paper"], SHAPES[system], outputs, 3, floor)


def filled(network, scale=0.3):
    """The network with random numbers in all its trained weights, biases too."""
    random = np.random.default_rng(8)
    for layer in network.layers:
        if layer.trainable_weights and layer.name != "uncertain":
            new = []
            for weight in layer.get_weights():
                fan = np.sqrt(weight.shape[0] * (weight.shape[1] if weight.ndim == 3 else 1)) if weight.ndim > 1 else 3
                new.append(random.standard_normal(weight.shape).astype(np.float32) * scale / (fan if fan else 1))
            if "norm_" in layer.name:
                new = [np.abs(array) + 0.5 for array in new]
            layer.set_weights(new)
    return network


def softplus(x):
    return np.log1p(np.exp(x))


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def relu(x):
    return np.maximum(x, 0)


def convolved(x, kernel, bias=0.0):
    """Convolution of (N, W, C) with (K, C, F), zeros beyond the ends."""
    half = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (half, half), (0, 0)))
    return sum(padded[:, k : k + x.shape[1]] @ kernel[k] for k in range(kernel.shape[0])) + bias


def highest(x, size):
    """Maximum of each ``size`` neighbouring pixels; those left over at the end do not count."""
    count = x.shape[1] // size
    return x[:, : count * size].reshape(len(x), count, size, -1).max(axis=2)


class TestParameters:
    def test_csnet(self):
        """13-300-200-100-1."""
        layer = network_of(CSNet, 1).get_layer("mean")
        assert layer.count_params() == 13 * 300 + 300 + 300 * 200 + 200 + 200 * 100 + 100 + 100 + 1 == 84_601

    def test_uacsnet(self):
        """Table 1: 60-256-64-16-8-1 for the mean; 60-16 joined to Z (16), 32-8-1 for the error."""
        mean = 61 * 256 + 257 * 64 + 65 * 16 + 17 * 8 + 9
        error = 61 * 16 + 33 * 8 + 9
        network = network_of(UACSNet, 1)
        assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == mean + error

    def test_uncertain_has_115_inputs(self):
        """110 coefficients, four colors and the pseudo-magnitude; 128, 128, and six labels with an excess each."""
        network = network_of(UncertainNet, 6)
        wanted = 115 * 128 + 128 + 128 * 128 + 128 + 2 * (128 * 6 + 6)
        assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == wanted == 32_908

    def test_spcanet(self):
        """Both arms: three convolutions of 9 pixels (1-4-8-4) with four numbers of normalisation to a filter."""
        arm = 9 * (1 * 4 + 4 * 8 + 8 * 4) + 4 * (4 + 8 + 4)
        joined = 2 * 4000 * 4 + 4
        dense = (joined + 1) * 256 + 257 * 128
        heads = 129 * 15 + (128 + 4 + 1) * 32 + 33 * 15
        assert network_of(SPCANet, 15).count_params() == 2 * arm + dense + heads == 8_234_214

    def test_solardis(self):
        """4875 pixels, a third of it three times (1625, 541, 180), 512, 256 and five labels."""
        convolutions = (3 * 1 + 1) * 64 + (3 * 64 + 1) * 128 + (3 * 128 + 1) * 256
        dense = (180 * 256 + 1) * 512 + 513 * 256 + 257 * 5
        assert networks.means_of(network_of(SolarDis, 5)).count_params() == convolutions + dense == 23_849_605


class TestOnePass:
    def test_csnet(self):
        network = filled(network_of(CSNet, 1))
        random = np.random.default_rng(1)
        color, error = random.standard_normal((5, 13)), np.zeros((5, 14))
        offset, spread = random.standard_normal(13), random.uniform(0.1, 2, 13)
        network.get_layer("scaled_color").set_weights([offset, np.diag(1 / spread)])
        x = (color - offset) / spread
        weights = network.get_layer("mean").get_weights()
        for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
            x = x @ kernel + bias
            x = x if kernel.shape[1] == 1 else leaky(x, 0.01)
        found = np.asarray(network({"color": color.astype("f4"), "error": error.astype("f4")}))
        np.testing.assert_allclose(found[:, 0], x[:, 0], rtol=1e-5, atol=1e-5)

    def test_uacsnet(self):
        network = filled(network_of(UACSNet, 1, floor=[0.5]))
        random = np.random.default_rng(1)
        inputs = {name: random.standard_normal((6, 60)).astype(np.float32) for name in ("flux", "error")}
        for name in inputs:
            network.get_layer(f"scaled_{name}").set_weights([np.zeros(60), np.eye(60)])
        dense = [layer for layer in network.layers if type(layer).__name__ == "Dense"]
        by_shape = {layer.kernel.shape: layer.get_weights() for layer in dense if layer.kernel.shape != (8, 1)}

        def through(x, *sizes):
            for shape in sizes:
                x = relu(x @ by_shape[shape][0] + by_shape[shape][1])
            return x

        z = through(inputs["flux"], (60, 256), (256, 64), (64, 16))
        kernel, bias = network.get_layer("mean").get_weights()
        mean = through(z, (16, 8)) @ kernel + bias
        e = through(np.concatenate([z, through(inputs["error"], (60, 16))], axis=1), (32, 8))
        (last,) = (layer for layer in dense if layer.kernel.shape == (8, 1) and layer.name != "mean")
        kernel, bias = last.get_weights()
        sigma = np.maximum(0.5, softplus(e @ kernel + bias))
        found = np.asarray(network(inputs))
        np.testing.assert_allclose(found, np.hstack([mean, np.log(sigma)]), rtol=1e-4, atol=1e-5)
        assert (sigma == 0.5).any() or sigma.min() > 0.5

    def test_uncertain(self):
        """Coefficients in units of RP 0, standardised; 115-128-128 with ReLU, without dropout; means and excess."""
        network = network_of(UncertainNet, 6)
        core, random = network.get_layer("uncertain"), np.random.default_rng(1)
        coefficients = random.standard_normal((40, 110)).astype(np.float32)
        coefficients[:, 55] = 1
        others = random.standard_normal((40, 5)).astype(np.float32)
        arrays = {"coefficients": coefficients, "others": others, "log_error": np.zeros((40, 12), np.float32)}
        arrays |= {f"{band}_factor": np.zeros((40, 55, 55), np.float32) for band in ("bp", "rp")}
        arrays["other_factor"] = np.zeros((40, 5, 5), np.float32)
        core.adapt_to(arrays)
        spread = np.where(coefficients.std(axis=0) > 1e-7, coefficients.std(axis=0), np.inf)
        x = np.hstack(
            [(coefficients - coefficients.mean(axis=0)) / spread, (others - others.mean(axis=0)) / others.std(0)]
        )
        assert x.shape == (40, 115)
        (k1, b1, k2, b2), (k3, b3), (k4, b4) = ([np.asarray(array) for array in group] for group in core.parameters)
        hidden = relu(relu(x @ k1 + b1) @ k2 + b2)
        found = np.asarray(network(arrays))
        np.testing.assert_allclose(found[:, :6], hidden @ k3 + b3, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found[:, 6:12], hidden @ k4 + b4, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found[:, 12:], 0.5 * np.log(1e-10), atol=1e-4)  # exact inputs cause no error

    def test_uncertain_propagates_the_errors_of_its_inputs(self):
        """J C J^T with the derivatives of a network of ReLU by hand, for errors of one coefficient and one color."""
        network = network_of(UncertainNet, 6)
        core, random = network.get_layer("uncertain"), np.random.default_rng(2)
        coefficients = random.uniform(0.5, 1.5, (30, 110)).astype(np.float32)
        coefficients[:, 55] = 1
        others = random.standard_normal((30, 5)).astype(np.float32)
        arrays = {"coefficients": coefficients, "others": others, "log_error": np.zeros((30, 12), np.float32)}
        arrays |= {f"{band}_factor": np.zeros((30, 55, 55), np.float32) for band in ("bp", "rp")}
        arrays["other_factor"] = np.zeros((30, 5, 5), np.float32)
        arrays["bp_factor"][:, 7, 7], arrays["other_factor"][:, 2, 2] = 0.03, 0.2
        core.adapt_to(arrays)
        sizes = np.maximum(coefficients.std(axis=0), 1e-30), others.std(axis=0)
        spread = np.where(coefficients.std(axis=0) > 1e-7, sizes[0], np.inf)
        x = np.hstack([(coefficients - coefficients.mean(axis=0)) / spread, (others - others.mean(axis=0)) / sizes[1]])
        (k1, b1, k2, b2), (k3, _), _ = ([np.asarray(array) for array in group] for group in core.parameters)
        a = x @ k1 + b1
        on = (a > 0).astype(float), (relu(a) @ k2 + b2 > 0).astype(float)
        jacobian = np.einsum("iu,nu,uv,nv,vl->nli", k1, on[0], k2, on[1], k3)
        variance = (jacobian[:, :, 7] / spread[7] * 0.03) ** 2 + (jacobian[:, :, 112] / sizes[1][2] * 0.2) ** 2
        np.testing.assert_allclose(np.exp(2 * np.asarray(network(arrays))[:, 12:]), variance, rtol=2e-3, atol=1e-9)

    def test_spcanet(self):
        """Three convolutions with normalisation to an arm, the arm itself added; two layers; means and errors."""
        network = filled(network_of(SPCANet, 15))
        random = np.random.default_rng(4)
        inputs = {f"flux_{arm}": random.uniform(0.2, 1.1, (2, 4000)).astype(np.float32) for arm in "br"}
        inputs["quality"] = random.standard_normal((2, 4)).astype(np.float32)
        parts = []
        for arm in "br":
            own = x = 1 - inputs[f"flux_{arm}"][:, :, None].astype(float)
            for index in range(3):
                (kernel,) = network.get_layer(f"conv_{arm}_{index}").get_weights()
                gain, offset, mean, variance = network.get_layer(f"norm_{arm}_{index}").get_weights()
                x = (convolved(x, kernel) - mean) / np.sqrt(variance + 1e-3) * gain + offset
                x = relu(x) if index < 2 else relu(x + own)
            parts.append(x.reshape(2, -1))
        x = np.concatenate([*parts, inputs["quality"]], axis=1)
        for name in ("dense_0", "dense_1"):
            kernel, bias = network.get_layer(name).get_weights()
            x = relu(x @ kernel + bias)
        kernel, bias = network.get_layer("mean").get_weights()
        found = np.asarray(network(inputs))
        np.testing.assert_allclose(found[:, :15], x @ kernel + bias, rtol=1e-3, atol=1e-4)
        kernel, bias = network.get_layer("error").get_weights()
        e = relu(np.concatenate([x, inputs["quality"]], axis=1) @ kernel + bias)
        kernel, bias = network.get_layer("log_sigma").get_weights()
        np.testing.assert_allclose(found[:, 15:], e @ kernel + bias, rtol=1e-3, atol=1e-4)

    def test_solardis(self):
        network = filled(network_of(SolarDis, 5))
        flux = np.random.default_rng(4).uniform(0.5, 1.1, (2, 4875)).astype(np.float32)
        x = flux[:, :, None].astype(float)
        for index in range(3):
            x = highest(leaky(convolved(x, *network.get_layer(f"conv_{index}").get_weights()), 0.01), 3)
        x = x.reshape(2, -1)
        for name in ("dense_0", "dense_1"):
            kernel, bias = network.get_layer(name).get_weights()
            x = leaky(x @ kernel + bias, 0.01)
        kernel, bias = network.get_layer("mean").get_weights()
        found = np.asarray(network({"flux": flux}))
        np.testing.assert_allclose(found[:, :5], x @ kernel + bias, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(found[:, 5:], 0)


class TestLoss:
    """Two stars and two labels, one of which is unknown for the second star."""

    value = np.array([[0.5, -1.0], [0.2, np.nan]])
    mean = np.array([[0.3, -0.4], [0.6, 9.0]])
    sigma = np.array([[0.1, 0.5], [0.2, 0.3]])

    def packed(self, error=np.nan):
        return losses.pack(self.value, np.full((2, 2), error))

    @pytest.mark.parametrize("system", [SPCANet, UACSNet])
    def test_gaussian(self, system):
        """Eq. 10 of the UA-CSNet paper: (y - mean)^2 / (2 sigma^2) + log(sigma)."""
        loss = losses.get(system.recipes["paper"].train.loss)
        found = np.asarray(loss(self.packed(), np.hstack([self.mean, np.log(self.sigma)]).astype(np.float32)))
        first = 0.2**2 / (2 * 0.1**2) + np.log(0.1) + 0.6**2 / (2 * 0.5**2) + np.log(0.5)
        np.testing.assert_allclose(found, [first, 0.4**2 / (2 * 0.2**2) + np.log(0.2)], rtol=1e-5)

    @pytest.mark.parametrize("system", [CSNet, SolarDis])
    def test_squared(self, system):
        loss = losses.get(system.recipes["paper"].train.loss)
        found = np.asarray(loss(self.packed(), self.mean.astype(np.float32)))
        np.testing.assert_allclose(found, [0.2**2 + 0.6**2, 0.4**2], rtol=1e-5)

    def test_propagated(self):
        """Eqs. 6 to 10 of Fallows & Sanders: variances of the label, of the inputs and of the excess are added."""
        loss = losses.get(UncertainNet.recipes["paper"].train.loss)
        inputs = np.array([[0.05, 0.4], [0.3, 0.1]])
        given = np.hstack([self.mean, np.log(self.sigma), np.log(inputs)]).astype(np.float32)
        found = np.asarray(loss(self.packed(0.1), given))
        variance = 0.1**2 + self.sigma**2 + inputs**2
        terms = (self.value - self.mean) ** 2 / (2 * variance) + 0.5 * np.log(variance)
        np.testing.assert_allclose(found, [terms[0].sum(), terms[1, 0]], rtol=1e-5)

    def test_penalties(self):
        """CSNet: 5e-5 times the squares of all kernels; UA-CSNet: 1e-5; the others have none."""
        for system, strength in ((CSNet, 5e-5), (UACSNet, 1e-5)):
            network = filled(network_of(system, 1))
            kernels = [weight for weight in network.trainable_weights if len(weight.shape) == 2]
            if system is CSNet:
                kernels = [weight for weight in network.get_layer("mean").trainable_weights if len(weight.shape) == 2]
            wanted = strength * sum(float((np.asarray(kernel, float) ** 2).sum()) for kernel in kernels)
            np.testing.assert_allclose(float(sum(network.losses)), wanted, rtol=1e-5)
        assert not any(network_of(system, 2).losses for system in (SPCANet, UncertainNet, SolarDis))

    def test_the_floor_of_the_error_is_in_the_likelihood(self):
        """Eq. 7 of the UA-CSNet paper: 0.02 dex, for labels that scatter by 0.5 dex 0.04 of their units.

        A residual of 0.05 dex then costs no more than 0.1^2 / (2 0.04^2) + ln 0.04 = -0.094.
        """
        recipe = UACSNet.recipes["paper"]
        limit = floors(recipe, (0,), [0.5])
        assert limit == [0.04]
        layer = network_of(UACSNet, 1, floor=limit).get_layer("log_sigma")
        log_sigma = np.asarray(layer(np.array([[-60.0]], np.float32)))
        found = losses.gaussian(losses.pack([[0.0]], [[np.nan]]), np.array([[0.1, log_sigma[0, 0]]], np.float32))
        np.testing.assert_allclose(float(found[0]), 0.1**2 / (2 * 0.04**2) + np.log(0.04), rtol=1e-4)
        np.testing.assert_allclose(float(found[0]), -0.0939, atol=1e-4)


class TestSteps:
    """A line through four points, y = w x: the gradient of the mean squared residual is 2 mean(x (w x - y))."""

    x = np.array([1.0, 2.0, -1.0, 0.5])
    y = np.array([2.0, 3.0, 1.0, 0.0])

    def trained(self, steps, **settings):
        import keras

        color = keras.Input((1,), name="color")
        line = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(0.7))
        network = keras.Model({"color": color}, line(color))
        inputs, targets = (
            {"color": self.x[:, None].astype(np.float32)},
            losses.pack(self.y[:, None], np.full((4, 1), np.nan)),
        )
        settings = {**settings, "batch_size": 4, "schedule": "constant"}
        train(network, inputs, targets, loss=losses.squared, epochs=steps, progress=False, **settings)
        return float(line.get_weights()[0][0, 0])

    def by_hand(self, steps, rate, epsilon, l2):
        w, first, second = 0.7, 0.0, 0.0
        for step in range(1, steps + 1):
            gradient = 2 * np.mean(self.x * (w * self.x - self.y)) + l2 * w
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            w -= rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + epsilon)
        return w

    @pytest.mark.parametrize(
        ("system", "rate", "epsilon", "l2"),
        [
            (CSNet, 1e-4, 1e-8, 0),
            (SPCANet, 1e-3, 1e-7, 0),
            (UncertainNet, 5e-4, 1e-8, 1e-5),
            (UACSNet, 1e-3, 1e-7, 0),
            (SolarDis, 1e-4, 1e-7, 0),
        ],
    )
    def test_adam_of_the_recipe(self, system, rate, epsilon, l2):
        options = system.recipes["paper"].train
        assert (options.learning_rate, options.epsilon, options.weight_decay) == (rate, epsilon, l2)
        for steps in (1, 20):
            moved = self.trained(steps, **options.settings()) - 0.7
            np.testing.assert_allclose(moved, self.by_hand(steps, rate, epsilon, l2) - 0.7, rtol=3e-4)

    def test_strong_decay_is_an_l2_penalty(self):
        """Ten thousand times the paper's: another path than that without, and than with decoupled decay."""
        settings = UncertainNet.recipes["paper"].train.settings() | {"weight_decay": 0.1, "learning_rate": 0.05}
        found, none = self.trained(30, **settings), self.trained(30, **{**settings, "weight_decay": 0.0})
        np.testing.assert_allclose(found, self.by_hand(30, 0.05, 1e-8, 0.1), rtol=1e-4)
        assert abs(found - none) > 0.01
        assert abs(self.trained(30, **{**settings, "decay": "decoupled"}) - found) > 0.003

    def test_the_papers_decay_moves_weights_without_a_gradient(self):
        """800 steps with the paper's 5e-4 and 1e-5 take small weights to 0; decoupled decay, 5e-9, does nothing."""
        import keras
        import tensorflow as tf

        from stellarlabels.networks.training import _optimizer

        start = np.linspace(-0.2, 0.2, 11).astype(np.float32)
        options, ends = UncertainNet.recipes["paper"].train, {}
        for decay in (options.decay, "decoupled"):
            weights = keras.Variable(start)
            optimizer = _optimizer(options.learning_rate, options.weight_decay, decay, options.epsilon, None)
            optimizer.build([weights])
            step = tf.function(lambda optimizer=optimizer: optimizer.apply([keras.ops.zeros(11)]))
            for _ in range(800):
                step()
            ends[decay] = np.asarray(weights)
        x, first, second = start.astype(float), np.zeros(11), np.zeros(11)
        for step in range(1, 801):
            gradient = 1e-5 * x
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            x = x - 5e-4 * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(ends["l2"], x, atol=2e-5)
        assert np.abs(x).max() < 0.01
        np.testing.assert_array_equal(ends["decoupled"], start)

    def test_batches_in_a_fixed_order(self):
        from stellarlabels.networks.training import _batches

        inputs, targets = {"color": np.arange(10.0)[:, None]}, np.arange(10.0)[:, None]
        orders = {}
        for order in ("fixed", "shuffled"):
            batches = _batches(inputs, targets, None, 4, 1, order)
            seen = []
            for _ in range(3):
                seen.append(np.concatenate([batches[index][1].ravel() for index in range(len(batches))]))
                batches.on_epoch_end()
            orders[order] = np.stack(seen)
            assert (np.sort(orders[order], axis=1) == np.arange(10)).all()
        assert (orders["fixed"] == orders["fixed"][0]).all()
        assert not (orders["shuffled"] == orders["shuffled"][0]).all()
        assert UncertainNet.recipes["paper"].train.order == "fixed"


class TestOneStepOfTheWholeNetwork:
    """Rarity weights, loss and penalty in one gradient: derivatives by differences of a loss that is written down here.

    The first step of Adam is ``-rate g / (|g| + epsilon)``; where Keras adds epsilon, |g| has the factor sqrt(0.001)
    there. With an epsilon of 1 the step shows the size of the gradient, with the recipe's own nothing but its sign.
    """

    weights = np.array([1.0, 3.0, 1.5, 1.0, 2.0])

    def check(self, system, learner, arrays, inputs, targets, cost, sample_weight):
        """Compare weights after a step with those by hand, for three places of each array; ``cost`` is of arrays."""
        options, before = system.recipes["paper"].train, [np.asarray(one, float) for one in arrays]
        random, step = np.random.default_rng(5), 1.0 if options.decay == "l2" else np.sqrt(0.001)
        places = [tuple(random.integers(0, one.shape)) for one in before for _ in range(3)]
        owner = [index for index in range(len(before)) for _ in range(3)]
        slopes = []
        for index, place in zip(owner, places, strict=True):
            ends = []
            for sign in (1, -1):
                moved = [one.copy() for one in before]
                moved[index][place] += sign * 1e-6
                ends.append(cost(moved))
            slopes.append((ends[0] - ends[1]) / 2e-6)
        slopes = np.array(slopes)
        assert (np.abs(slopes) > 1e-4).sum() > 12  # some weights are those of inputs that a unit does not pass on
        settings = options.settings() | {"batch_size": 5, "schedule": "constant"}
        for epsilon, rate in ((1.0, 1.0), (options.epsilon, options.learning_rate)):
            settings |= {"epsilon": epsilon, "learning_rate": rate, "sample_weight": sample_weight}
            for variable, value in zip(arrays, before, strict=True):
                variable.assign(value)
            loss = losses.get(options.loss)
            train(learner, inputs, targets, loss=loss, epochs=1, progress=False, **settings)
            found = np.array([np.asarray(arrays[i])[at] - before[i][at] for i, at in zip(owner, places, strict=True)])
            wanted = -rate * step * slopes / (step * np.abs(slopes) + epsilon)
            clear = np.abs(slopes) > (0 if epsilon == 1 else 1e-3)
            np.testing.assert_allclose(found[clear], wanted[clear], rtol=0.01, atol=2e-6 * rate + 1e-8)

    def test_csnet(self):
        """Eq. 5: the mean of weights times squared residuals, and 5e-5 times the squares of all kernels."""
        network, random = filled(network_of(CSNet, 1)), np.random.default_rng(1)
        network.get_layer("scaled_color").set_weights([np.zeros(13), np.eye(13)])
        x, y = random.standard_normal((5, 13)).astype(np.float32), random.standard_normal((5, 1))

        def cost(arrays):
            out = x.astype(float)
            for kernel, bias in zip(arrays[::2], arrays[1::2], strict=True):
                out = out @ kernel + bias
                out = out if kernel.shape[1] == 1 else leaky(out, 0.01)
            penalty = 5e-5 * sum((kernel**2).sum() for kernel in arrays[::2])
            return np.mean(self.weights * (y - out)[:, 0] ** 2) + penalty

        variables = network.get_layer("mean").trainable_weights
        inputs, targets = {"color": x}, losses.pack(y, np.full((5, 1), np.nan))
        self.check(CSNet, networks.means_of(network), variables, inputs, targets, cost, self.weights)

    def test_uacsnet(self):
        """Eqs. 10 to 13: the mean of weights times the logarithms of the likelihood, and 1e-5 times the squares."""
        network, random = filled(network_of(UACSNet, 1)), np.random.default_rng(1)
        inputs = {name: random.standard_normal((5, 60)).astype(np.float32) for name in ("flux", "error")}
        for name in inputs:
            network.get_layer(f"scaled_{name}").set_weights([np.zeros(60), np.eye(60)])
        y, variables = random.standard_normal((5, 1)), network.trainable_weights
        mean = network.get_layer("mean").trainable_weights

        def cost(arrays):
            found = {}
            for index in range(0, len(arrays), 2):
                shape = arrays[index].shape
                key = "mean" if variables[index] is mean[0] else "last" if shape == (8, 1) else shape
                found[key] = arrays[index : index + 2]

            def through(out, *keys):
                for key in keys:
                    out = relu(out @ found[key][0] + found[key][1])
                return out

            z = through(inputs["flux"].astype(float), (60, 256), (256, 64), (64, 16))
            middle = through(z, (16, 8)) @ found["mean"][0] + found["mean"][1]
            e = through(np.concatenate([z, through(inputs["error"].astype(float), (60, 16))], axis=1), (32, 8))
            sigma = softplus(e @ found["last"][0] + found["last"][1])
            terms = ((y - middle) ** 2 / (2 * sigma**2) + np.log(sigma))[:, 0]
            penalty = 1e-5 * sum((array**2).sum() for array in arrays if array.ndim == 2)
            return np.mean(self.weights * terms) + penalty

        targets = losses.pack(y, np.full((5, 1), np.nan))
        self.check(UACSNet, network, variables, inputs, targets, cost, self.weights)


class Inputs:
    """As much of the inputs as weights need."""

    def __init__(self, color):
        self.color = np.asarray(color, float)

    def __len__(self):
        return len(self.color)


class TestWeights:
    def test_uacsnet(self):
        """Eq. 11, 10 bins of color and 15 of [Fe/H]: 9 stars in one, 4 in another, 1 in a third: 1, 1.5, 3."""
        color, feh = np.repeat([0.7, 1.2, 1.9], [9, 4, 1]), np.repeat([0.0, -1.5, -3.0], [9, 4, 1])
        sample = Sample(Inputs(color), None, feh[:, None], {"feh": feh})
        found = _weights(UACSNet.recipes["paper"], sample, (0,))
        np.testing.assert_allclose(found, np.repeat([1.0, 1.5, 3.0], [9, 4, 1]))

    def test_csnet(self):
        """Eq. 7: Teff has 20 bins, whatever [Fe/H]; [C/Fe] has 28 times 60 bins with it."""
        recipe = CSNet.recipes["paper"]
        teff, c_fe = np.repeat([5000.0, 6000.0], [16, 1]), np.zeros(17)
        feh = np.full(17, np.nan)
        guesses = np.full((17, 8), np.nan)
        guesses[:, 0], guesses[:, 4] = teff, c_fe
        sample = Sample(Inputs(np.full(17, 1.0)), None, guesses, {"feh": feh})
        np.testing.assert_allclose(_weights(recipe, sample, (0,)), np.repeat([1.0, 4.0], [16, 1]))
        with pytest.warns(StellarLabelsWarning, match="17 of 17 stars have no 'feh' and count as the commonest"):
            np.testing.assert_array_equal(_weights(recipe, sample, (4,)), 1)
        sample.axes["feh"] = np.repeat([0.0, -1.0], [16, 1])
        np.testing.assert_allclose(_weights(recipe, sample, (4,)), np.repeat([1.0, 4.0], [16, 1]))

    def test_the_others_have_none(self):
        for system in (SPCANet, UncertainNet, SolarDis):
            assert system.recipes["paper"].cost.bins is None


class TestCalibration:
    def test_off_where_the_paper_has_its_own_errors(self):
        assert not UncertainNet.recipes["paper"].calibrate and not UACSNet.recipes["paper"].calibrate

    def test_errors_are_those_of_the_network(self):
        """What the network of UA-CSNet says times the scale of the label, not below 0.02 dex."""
        stars = xp_apogee_sample()[:120]
        system = UACSNet("paper", epochs=2).fit(stars, validation=0.2, progress=False)
        features = system.features(stars)
        assert not system.ensemble.calibration.curves
        good = features.usable
        said = networks.predict(system.ensemble.members[0].network, features[good].arrays)
        wanted = np.maximum(np.exp(said[:, 1]) * system.ensemble.scale[0], 0.02)
        found = np.ma.filled(np.ma.asarray(system.predict(stars)["feh_err"].value), np.nan)[good]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


class TestSharesLeftOut:
    """3:1, 6:2(:1), five folds of a fifth, 5 %; UA-CSNet trains on all of PASTEL and is tested with SAGA."""

    def test_recipes(self):
        shares = {system.name: system.recipes["paper"].train.left_out for system in PAPERS}
        assert shares == {"csnet": 0.25, "spcanet": 0.25, "uncertain": 0.05, "uacsnet": 0.0, "solardis": 0.2}

    def test_weights_that_ship_were_trained_with_what_they_say(self):
        for system in PAPERS:
            for name in system.available():
                options = system.pretrained(name).recipe.train
                assert (options.decay, options.order, options.epsilon) == ("decoupled", "shuffled", 1e-7)

    def test_no_share_is_told(self):
        stars = xp_apogee_sample()[:60]
        small = {"epochs": 1, "labels": ("teff",), "ensemble": 1, "network_options": {"hidden": (4,)}}
        stars["w1mpro"] = stars["w2mpro"] = stars["ks_m"]
        with pytest.warns(StellarLabelsWarning, match="no star is left out; the recipe leaves out 0.05 of them"):
            UncertainNet("paper", **small).fit(stars, validation=0, progress=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            system = UncertainNet("paper", **small).fit(stars, progress=False)
        assert system.provenance_["left_out_of_each_network"] == [3]
