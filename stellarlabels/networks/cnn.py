"""The convolutional network of SolarDis: one branch for a whole spectrum."""

import keras
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
