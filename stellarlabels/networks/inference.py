"""Networks for prediction: the same functions of the same variables, in fewer and larger steps.

Of a convolution with few filters a processor computes one pixel at a time, and most lanes of its registers stay empty.
Here several neighbouring pixels are computed at once, as the filters of one convolution with longer steps whose kernels
are shifted copies of its own. Batch normalisation becomes a factor of the kernel and an offset, and offset and
activation part of the convolution. All of this is computed from the variables of the network in the prediction itself,
so that it is right after further training, too.
"""

from threading import Lock
from weakref import WeakKeyDictionary

import keras
from keras import layers, ops

#: Numbers in the registers of a processor.
LANES = 16

_made: WeakKeyDictionary = WeakKeyDictionary()
_lock = Lock()


class FoldedConvolution(layers.Layer):
    """A convolution (N, W, C) to (N, W / stride, F) with the batch normalisation and activation that follow it."""

    def __init__(self, convolution, norm=None, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.convolution, self.norm, self.activation = convolution, norm, activation

    def call(self, inputs):
        """Values (N, W / stride, F) from inputs (N, W, C)."""
        kernel, offset = self._affine()
        stride, (_, width, filters) = self.convolution.strides[0], self.convolution.output.shape
        together = _together(width, filters)
        shifted = [
            ops.pad(kernel, ((index * stride, (together - 1 - index) * stride), (0, 0), (0, 0)))
            for index in range(together)
        ]
        # As an image of one row: libraries have one step for a convolution, an offset and an activation of images.
        out = ops.conv(
            ops.expand_dims(inputs, 1),
            ops.expand_dims(ops.concatenate(shifted, axis=2), 0),
            strides=(1, together * stride),
            padding="same",
            data_format="channels_last",
        )
        if offset is not None:
            out = out + ops.tile(offset, [together])
        if self.activation is not None:
            out = self.activation(out)
        return ops.reshape(out, (-1, width, filters))

    def _affine(self):
        """Kernel and offset that include the normalisation."""
        kernel = ops.convert_to_tensor(self.convolution.kernel)
        offset = ops.convert_to_tensor(self.convolution.bias) if self.convolution.use_bias else None
        if self.norm is None:
            return kernel, offset
        gain = ops.rsqrt(self.norm.moving_variance + self.norm.epsilon)
        if self.norm.scale:
            gain = gain * self.norm.gamma
        shift = -self.norm.moving_mean if offset is None else offset - self.norm.moving_mean
        shift = shift * gain
        return kernel * gain, shift + self.norm.beta if self.norm.center else shift


class Averages(layers.Layer):
    """Means of ``size`` neighbouring pixels each; of few channels they take less time than pooling."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        """Means (N, W / size, C) of inputs (N, W, C)."""
        width, channels = inputs.shape[1:]
        return ops.mean(ops.reshape(inputs, (-1, width // self.size, self.size, channels)), axis=2)


def _together(width, filters):
    """Pixels that are computed at once: as many as fill the registers and divide the width."""
    count = 1
    while 2 * count * filters <= LANES and width % (2 * count) == 0:
        count *= 2
    return count


def foldable(layer):
    """Whether a layer is a convolution that `FoldedConvolution` can stand for."""
    return (
        isinstance(layer, layers.Conv1D)
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and layer.groups == 1
        and layer.dilation_rate == (1,)
        and layer.activation is keras.activations.linear
    )


def for_prediction(network):
    """A network that predicts the same to 1e-5, faster, with the same variables; itself if it has no convolutions."""
    with _lock:
        if network not in _made:
            _made[network] = _folded(network)
        return _made[network] or network


def _folded(network):
    """The network with folded convolutions, or None if it has none."""
    new = {}
    for layer in filter(foldable, network.layers):
        norm = _follower(network, layer, layers.BatchNormalization)
        activation = _follower(network, norm or layer, (layers.ReLU, layers.LeakyReLU))
        new |= {norm: _same, activation: _same, layer: FoldedConvolution(layer, norm, activation, name=layer.name)}
    if not new:
        return None
    new |= {one: Averages(one.pool_size[0], name=one.name) for one in network.layers if _averaging(one)}

    def call(layer, inputs, **options):
        return new[layer](inputs) if layer in new else layer(inputs, **options)

    plain = keras.Model(network.input, network.output)  # without what the network was compiled with
    return keras.models.clone_model(plain, clone_function=lambda layer: layer, call_function=call)


def _same(inputs):
    return inputs


def _averaging(layer):
    """Whether a layer averages groups of pixels that have no pixel in common and leave none out."""
    return (
        isinstance(layer, layers.AveragePooling1D)
        and layer.data_format == "channels_last"
        and layer.strides == layer.pool_size
        and layer.input.shape[1] % layer.pool_size[0] == 0
    )


def _follower(network, layer, kind):
    """The layer that takes the output of another one, if nothing else does, and if it is of a kind."""
    takers = [(one, tensor) for one in network.layers for tensor in keras.tree.flatten(one.input)]
    takers += [(network, tensor) for tensor in network.outputs]
    after = [one for one, tensor in takers if tensor is layer.output]
    return after[0] if len(after) == 1 and isinstance(after[0], kind) else None
