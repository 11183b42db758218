"""Training: splits, schedule, seeds and progress, the same for all networks."""

import random
from contextlib import contextmanager
from numbers import Real

import numpy as np

from stellarlabels.exceptions import InputError

#: Rows that one call of a network predicts, at most, and numbers that a layer's output then has, about: large enough
#: for the matrix products, small enough for memory and caches.
PREDICT_BATCH, PREDICT_NUMBERS = 4096, 2**23

#: Rows that one call predicts at least: with fewer, reading the kernels of large layers takes longer than using them.
PREDICT_LEAST = 64


def held_out(source_id):
    """Whether stars (N,) are of the fixed held-out ones: ``(source_id >> 35) % 5 == 0``."""
    # These stars (a fifth of the level-12 HEALPix cells of the sky) are never used to train, tune or stop any weights
    # that ship with the package; all quoted precisions are measured on them.
    source_id = np.asarray(source_id)
    if source_id.dtype.kind not in "iu":
        raise InputError(f"source_id: expected integers, got dtype {source_id.dtype}")
    return (source_id >> 35) % 5 == 0


def split_groups(groups, fraction, seed, count=1):
    """Masks (count, N), True for validation: a share of groups (N,) each, no group on both sides."""
    # No group is chosen twice as long as there are enough. Groups are what belongs together, such as spectra of a star.
    if not isinstance(fraction, Real) or not 0 <= fraction < 1:
        raise InputError(f"validation: expected a share from 0 to 1 (exclusive), got {fraction!r}")
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    size = min(round(fraction * len(names)), len(names) - 1)
    order = np.random.default_rng(seed).permutation(len(names))
    chosen = np.zeros((count, len(names)), bool)
    for number in range(count):
        chosen[number, np.take(order, np.arange(number * size, (number + 1) * size), mode="wrap")] = True
    return chosen[:, index.ravel()]


@contextmanager
def _seeded(seed):
    """Seed Python, NumPy and the Keras backend, and give Python and NumPy their state back afterwards."""
    import keras

    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


# The stars are shared evenly among as few batches as hold at most "batch_size"; a last batch of a few stars would shake
# the weights. With the schedule "cosine" the rate rises linearly over the first twentieth of the steps and falls to
# zero as a cosine; with "plateau" it is halved when the validation loss (without validation, the loss) has not improved
# for 5 epochs. "decay" says what "weight_decay" means: with "decoupled" each step takes this share, times the rate,
# from the weights (in single precision nothing, where the product is below 6e-8); with "l2" it is added to the
# gradients, times the weights. "order" "fixed" deals the stars to batches once; "clip_norm" limits the norm of the
# gradient of each variable. With "patience" the training stops when the validation loss has not improved for so many
# epochs, and takes the best weights. To make a training step takes far longer than to run it: with a dict ``ready``,
# which is empty at first, networks that differ in nothing but the values of their variables share one. With "fused"
# the step is compiled by XLA: of perceptrons it takes two thirds of the time then, but ten seconds more to make.
def train(
    network,
    inputs,
    targets,
    *,
    loss,
    epochs,
    batch_size,
    learning_rate,
    schedule="constant",
    weight_decay=0.0,
    decay="decoupled",
    epsilon=1e-7,
    clip_norm=None,
    order="shuffled",
    sample_weight=None,
    validation=None,
    patience=None,
    seed=0,
    progress=True,
    title="training",
    ready=None,
    fused=False,
):
    """Train a network in place; returns ``loss`` and, with validation, ``val_loss`` of each epoch."""
    import keras

    inputs = _inputs_of(network, inputs)
    if validation is not None:
        validation = _inputs_of(network, validation[0]), validation[1]
    batches = max(1, -(-len(targets) // batch_size))
    batch_size = max(1, -(-len(targets) // batches))
    callbacks = [_progress_callback(title, epochs)] if progress else []
    if schedule == "plateau":
        followed = "loss" if validation is None else "val_loss"
        callbacks.append(_halving_callback(followed, learning_rate))
    if patience is not None and validation is not None:
        callbacks.append(keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True))
    how = (learning_rate, schedule, batches * epochs, weight_decay, decay, epsilon, clip_norm)
    fused = fused or keras.backend.backend() == "jax"
    with _seeded(seed), _compiled(network, loss, how, fused, ready) as worker:
        callbacks += [layer.phases(epochs) for layer in worker.layers if hasattr(layer, "phases")]
        history = worker.fit(
            _batches(inputs, targets, sample_weight, batch_size, seed, order),
            epochs=epochs,
            validation_data=validation,
            validation_batch_size=predict_batch(network),
            callbacks=callbacks,
            verbose=0,
        )
    return {name: [float(value) for value in values] for name, values in history.history.items()}


@contextmanager
def _compiled(network, loss, how, fused, ready):
    """What is to be fitted in place of a network, with a loss and arguments of `_rate` and `_optimizer`."""
    key = loss, how, fused, *((variable.shape, variable.trainable) for variable in network.variables)
    if ready is not None and key in ready:
        with _lent(ready[key], network) as worker:
            yield worker
        return
    optimizer = _optimizer(_rate(*how[:3]), *how[3:])
    network.compile(optimizer=optimizer, loss=loss, jit_compile=fused)
    network.optimizer.build(network.trainable_variables)  # or else the first step is made twice
    if ready is not None:
        ready[key] = network, _values(network.optimizer)
    yield network


@contextmanager
def _lent(ready, network):
    """A compiled network with the variables of another one, which has the new ones afterwards."""
    worker, start = ready
    own = _values(worker)
    _assign(worker.optimizer, start)
    _assign(worker, _values(network))
    try:
        yield worker
    finally:
        _assign(network, _values(worker))
        _assign(worker, own)


def _values(owner):
    """Copies of the variables of a network or an optimizer."""
    return [np.asarray(variable).copy() for variable in owner.variables]


def _assign(owner, values):
    """Give the variables of a network or an optimizer these values."""
    for variable, value in zip(owner.variables, values, strict=True):
        variable.assign(value)


def _inputs_of(network, arrays):
    """Those arrays that are inputs of the network."""
    return {name: arrays[name] for name in network.input}


def _rate(learning_rate, schedule, steps):
    """The learning rate as Keras takes it, for so many steps."""
    import keras

    if schedule in ("constant", "plateau"):
        return learning_rate
    if schedule != "cosine":
        raise InputError(f"schedule: expected 'constant', 'cosine' or 'plateau', got {schedule!r}")
    warmup = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / 100, max(1, steps - warmup), warmup_target=learning_rate, warmup_steps=warmup
    )


def _optimizer(rate, weight_decay, decay, epsilon, clip_norm):
    """Adam with decoupled weight decay, or with an L2 penalty as in PyTorch."""
    import keras

    if decay == "decoupled":
        return keras.optimizers.AdamW(rate, weight_decay=weight_decay, epsilon=epsilon, clipnorm=clip_norm)
    if decay != "l2":
        raise InputError(f"decay: expected 'decoupled' or 'l2', got {decay!r}")

    class Adam(keras.optimizers.Adam):
        # Keras adds epsilon to the root of the second moment before its start at 0 is corrected for, others after it.
        @property
        def epsilon(self):
            return self.given * keras.ops.sqrt(1 - self.beta_2 ** keras.ops.cast(self.iterations + 1, "float32"))

        @epsilon.setter
        def epsilon(self, value):
            self.given = value

        def update_step(self, gradient, variable, learning_rate):
            penalty = weight_decay * keras.ops.convert_to_tensor(variable)
            super().update_step(keras.ops.cast(gradient, variable.dtype) + penalty, variable, learning_rate)

    return Adam(rate, epsilon=epsilon, clipnorm=clip_norm)


def _batches(inputs, targets, sample_weight, batch_size, seed, order):
    """Batches in a new random order in every epoch, or always in the same one."""
    if order not in ("shuffled", "fixed"):
        raise InputError(f"order: expected 'shuffled' or 'fixed', got {order!r}")
    # Keras shuffles arrays with an operation that, once the backend is seeded, repeats the same order in every epoch.
    import keras

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.random = np.random.default_rng(seed)
            self.order = self.random.permutation(len(targets))

        def __len__(self):
            return -(-len(targets) // batch_size)

        def __getitem__(self, index):
            rows = self.order[index * batch_size : (index + 1) * batch_size]
            batch = {name: array[rows] for name, array in inputs.items()}, targets[rows]
            return batch if sample_weight is None else (*batch, np.asarray(sample_weight[rows], np.float32))

        def on_epoch_end(self):
            if order == "shuffled":
                self.order = self.random.permutation(len(targets))

    return Batches()


def _halving_callback(followed, learning_rate, patience=5, least=1e-4):
    """A Keras callback that halves the learning rate when a loss has not fallen by ``least`` for so many epochs."""
    # As ``keras.callbacks.ReduceLROnPlateau``, which cannot read the rate under NumPy 2.4.
    import keras

    class Halving(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.best, self.waited, self.rate = np.inf, 0, learning_rate

        def on_epoch_end(self, epoch, logs=None):
            if logs[followed] < self.best - least:
                self.best, self.waited = logs[followed], 0
                return
            self.waited += 1
            if self.waited == patience:
                self.waited, self.rate = 0, 0.5 * self.rate
                self.model.optimizer.learning_rate.assign(self.rate)

    return Halving()


def _progress_callback(title, epochs):
    """A Keras callback that shows a tqdm bar of the epochs with their losses."""
    import keras
    from tqdm.auto import tqdm

    class Progress(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.bar = tqdm(total=epochs, desc=title, unit="epoch")

        def on_epoch_end(self, epoch, logs=None):
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in (logs or {}).items()}, refresh=False)
            self.bar.update()

        def on_train_end(self, logs=None):
            self.bar.close()

    return Progress()


def predict_batch(network):
    """Rows that one call of the network should get: fewer for networks whose layers have large outputs."""
    shapes = [layer.output.shape[1:] for layer in network.layers if hasattr(layer.output, "shape")]
    widest = max(int(np.prod(shape)) for shape in shapes)
    return int(np.clip(PREDICT_NUMBERS // widest, PREDICT_LEAST, PREDICT_BATCH))


def predict(network, inputs):
    """Output (N, 2 L) of a network for many rows, in batches."""
    # As of network.predict within 1e-5 of the scale of the labels; see networks.inference.
    from stellarlabels.networks.inference import for_prediction

    inputs = _inputs_of(network, inputs)
    count = len(next(iter(inputs.values())))
    out = np.zeros((count, network.output_shape[-1]))
    batch, fast = predict_batch(network), for_prediction(network)
    for start in range(0, count, batch):
        rows = slice(start, start + batch)
        out[rows] = fast.predict_on_batch({name: array[rows] for name, array in inputs.items()})
    return out


def cost_weights(*axes, bins, gamma=0.5, ranges=None):
    """Weights (N,) of stars by how rare they are in a histogram of axes (N,): 1 in the fullest bin, more in others."""
    # The weight is (f / f_max) ** -gamma with f the number of stars in the star's bin and f_max that in the fullest bin
    # (Eq. 11 of the UA-CSNet paper; CSNet's Eq. 8 has the same form). Stars with a missing value on any axis get 1, but
    # for axes of one bin, on which the weight does not depend. Stars outside the ranges are in no bin; they get the
    # weight of the rarest stars that are in one (1 if none is).
    if len(axes) != len(bins) or (ranges is not None and len(axes) != len(ranges)):
        raise InputError(f"bins: expected {len(axes)} numbers, one for each axis, got {len(bins)}")
    if not gamma >= 0:
        raise InputError(f"gamma: expected a number of at least 0, got {gamma}")
    points = np.stack([np.asarray(axis, dtype=float) for axis in axes], axis=1)
    points[:, [count == 1 for count in bins]] = 0 if ranges is None else np.mean(ranges, axis=1)[np.equal(bins, 1)]
    out = np.ones(len(points))
    known = np.isfinite(points).all(axis=1)
    if not known.any():
        return out
    low, high = (points[known].min(axis=0), points[known].max(axis=0)) if ranges is None else np.transpose(ranges)
    inside = known.copy()
    inside[known] = ((points[known] >= low) & (points[known] <= high)).all(axis=1)
    if not inside.any():
        return out
    counts = np.asarray(bins)
    width = np.where(high > low, (high - low) / counts, 1.0)
    cell = np.minimum(((points[inside] - low) / width).astype(int), counts - 1)
    flat = np.ravel_multi_index(cell.T, bins)
    frequency = np.bincount(flat, minlength=int(np.prod(counts)))
    out[inside] = (frequency[flat] / frequency.max()) ** -gamma
    out[known & ~inside] = out[inside].max()
    return out
