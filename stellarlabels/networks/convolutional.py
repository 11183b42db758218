"""Convolutional networks: of SolarDis, one branch for a whole spectrum; of SPCANet, two for the arms of a spectrum."""

import keras
import numpy as np
from keras import layers, ops

from stellarlabels.networks.kinds import register


@keras.saving.register_keras_serializable(package="stellarlabels")
class UnitSigma(layers.Layer):
    """Means (N, L) followed by zeros: logarithms of errors of one standard deviation, for a calibration to scale."""

    def call(self, inputs):
        return ops.concatenate([inputs, ops.zeros_like(inputs)], axis=-1)


@register
def spectrum_cnn(*, shapes, outputs, filters, kernel, pool, dense, slope, seed):
    """The network of the SolarDis paper (its Section 3.1, Fig. 4): flux (N, pixels) to means and errors (N, 2 L)."""
    # Convolutions (``filters``, ``kernel`` pixels), each followed by LeakyReLU and a maximum over ``pool`` pixels, then
    # ``dense`` layers with the same activation and a linear one with the labels. With 4,875 pixels, filters of 64, 128,
    # 256, and dense layers of 512 and 256 units it has the 23,849,605 parameters that the authors' code prints. Neither
    # the paper nor the code that is public gives the ``slope`` of LeakyReLU.
    number = iter(range(seed + 1000, seed + 1000000, 1000))

    def start():
        return keras.initializers.GlorotUniform(seed=next(number))

    flux = keras.Input((shapes["flux"],), name="flux")
    x = layers.Reshape((shapes["flux"], 1), name="pixels")(flux)
    for index, units in enumerate(filters):
        x = layers.Conv1D(units, kernel, padding="same", kernel_initializer=start(), name=f"conv_{index}")(x)
        x = layers.LeakyReLU(negative_slope=slope, name=f"conv_activation_{index}")(x)
        x = layers.MaxPooling1D(pool, name=f"pool_{index}")(x)
    x = layers.Flatten(name="flat")(x)
    for index, units in enumerate(dense):
        x = layers.Dense(units, kernel_initializer=start(), name=f"dense_{index}")(x)
        x = layers.LeakyReLU(negative_slope=slope, name=f"dense_activation_{index}")(x)
    mean = layers.Dense(outputs, kernel_initializer=start(), name="mean")(x)
    return keras.Model({"flux": flux}, UnitSigma(name="log_sigma")(mean))


@register
def two_arm_cnn(*, shapes, outputs, filters, kernels, strides, dense, dropout, seed):
    """The network of the SPCANet paper (Section 3.1, Fig. 5): arms (N, pixels) and quality (N, 4) to (N, 2 L)."""
    # Each arm passes through convolutions (``filters``, ``kernels``, ``strides``; the paper has three of them and does
    # not give these numbers), each followed by batch normalisation and, but for the last one, ReLU; the arm's own input
    # is added to the result (in the paper as it is; where convolutions have strides, averaged over as many pixels), and
    # ReLU follows. Both arms and the quality of the spectra are joined and pass through ``dense`` layers (two in the
    # paper) with ReLU, each followed by ``dropout``.
    number = iter(range(seed + 1000, seed + 1000000, 1000))

    def start():
        return keras.initializers.HeNormal(seed=next(number))

    inputs = {name: keras.Input((shapes[name],), name=name) for name in ("flux_b", "flux_r", "quality")}
    parts = []
    for arm in ("b", "r"):
        # absorption instead of flux: 0 for the continuum, so that padding at the ends looks like continuum
        absorption = layers.Rescaling(-1.0, offset=1.0, name=f"absorption_{arm}")(inputs[f"flux_{arm}"])
        own = layers.Reshape((shapes[f"flux_{arm}"], 1), name=f"pixels_{arm}")(absorption)
        x = own
        for index, (units, kernel, stride) in enumerate(zip(filters, kernels, strides, strict=True)):
            x = layers.Conv1D(
                units,
                kernel,
                strides=stride,
                padding="same",
                use_bias=False,
                kernel_initializer=start(),
                name=f"conv_{arm}_{index}",
            )(x)
            x = layers.BatchNormalization(momentum=0.95, name=f"norm_{arm}_{index}")(x)
            if index < len(filters) - 1:
                x = layers.ReLU()(x)
        pooled = int(np.prod(strides))
        if pooled > 1:
            own = layers.AveragePooling1D(pooled, padding="same")(own)
        x = layers.ReLU()(layers.Add(name=f"residual_{arm}")([x, own]))
        parts.append(layers.Flatten(name=f"flat_{arm}")(x))
    x = layers.Concatenate(name="joined")([*parts, inputs["quality"]])
    for index, units in enumerate(dense):
        x = layers.Dense(units, "relu", kernel_initializer=start(), name=f"dense_{index}")(x)
        x = layers.Dropout(dropout, seed=seed + 10 + index)(x)
    small = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    mean = layers.Dense(outputs, kernel_initializer=small, name="mean")(x)
    e = layers.Dense(32, "relu", kernel_initializer=start(), name="error")(layers.Concatenate()([x, inputs["quality"]]))
    log_sigma = layers.Dense(
        outputs,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed + 1),
        bias_initializer=keras.initializers.Constant(0.0),
        name="log_sigma",
    )(e)
    return keras.Model(inputs, layers.Concatenate(name="output")([mean, log_sigma]))


two_arm_cnn.student = {"dropout": 0.0}
