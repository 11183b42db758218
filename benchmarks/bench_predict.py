"""Predictions of the networks of all systems, next to Keras' own predict and the limits of the machine.

    python benchmarks/bench_predict.py [--quick] [--output FOLDER]

Networks of the papers' sizes predict random inputs: the values do not matter for the speed. "Here" is what a system's
``predict`` does once the features are made. The limits are the product of two large matrices with NumPy, and the
convolutions and dense layers of a network alone, without offsets, activations, normalisation and pooling, compiled by
TensorFlow and run one after the other, all in the same run and with the same threads. The share of the speed of the
convolutions alone is given besides: dense layers are a fifth of the operations of the network of the SolarDis paper,
and more than half of those of the SPCANet paper.
"""

import numpy as np
import timing

from stellarlabels import networks
from stellarlabels.labels.ensemble import build_network
from stellarlabels.networks import training


def perceptron(outputs=1, seed=0):
    """CSNet's network for one label, with errors."""
    from stellarlabels.systems.csnet import CSNet

    shapes = {"color": 13, "error": 15}
    return networks.build(
        "color_mlp", shapes=shapes, outputs=outputs, seed=seed, **CSNet("paper").recipe.network_options
    )


def inputs_of(network, count, seed=0):
    """Random inputs."""
    rng = np.random.default_rng(seed)
    shapes = {name: tensor.shape[1:] for name, tensor in network.input.items()}
    return {name: rng.uniform(0.5, 1.1, (count, *shape)).astype(np.float32) for name, shape in shapes.items()}


def operations(network):
    """Floating-point operations of the dense layers and convolutions for one star, without Jacobians."""
    total = 0
    for layer in network.layers:
        for weight in getattr(layer, "parameters", None) or getattr(layer, "trainable_weights", []):
            if len(weight.shape) == 2:
                total += 2 * int(np.prod(weight.shape))
            elif len(weight.shape) == 3:
                total += 2 * int(np.prod(weight.shape)) * layer.output.shape[1]
    return total


def csnet(result, quick):
    """Eight networks, labels alone and with errors."""
    count, repeat = (2_000, 1) if quick else (500_000, 3)
    few = min(count, 20_000)
    eight = [perceptron(seed=seed) for seed in range(8)]
    arrays = inputs_of(eight[0], count)
    for what, chosen, passes in (
        ("CSNet, eight labels", [networks.means_of(network) for network in eight], 1),
        ("CSNet, eight labels with errors", eight, 2),
    ):
        own = {name: arrays[name] for name in chosen[0].input}
        part = {name: array[:few] for name, array in own.items()}
        entries = {"here": (count, lambda chosen=chosen, own=own: [training.predict(one, own) for one in chosen])}
        for batch in (32,) if quick else (32, 1024, 4096):
            entries[batch] = (
                few,
                lambda chosen=chosen, part=part, batch=batch: [
                    one.predict(part, batch_size=batch, verbose=0) for one in chosen
                ],
            )
        rates = timing.race(entries, repeat)
        ours = np.concatenate([training.predict(one, part) for one in chosen], axis=1)
        theirs = np.concatenate([one.predict(part, verbose=0) for one in chosen], axis=1)
        result.row(
            what,
            rates["here"],
            size=count,
            peer="eight calls of Keras predict, batches of 32",
            theirs=rates[32],
            target=12,
        )
        best = max((batch for batch in rates if batch != "here"), key=rates.get)
        peer = f"eight calls of Keras predict at its best, batches of {best}"
        result.row(what, rates["here"], size=count, peer=peer, theirs=rates[best], target=1)
        # The Jacobian goes through the same kernels once more.
        flops = passes * operations(networks.means_of(eight[0])) * len(chosen)
        share = 100 * rates["here"] * flops / timing.gemm_peak()
        result.fact(f"{what}: part of the speed of a product of matrices", share, unit="%", target="at least 55 %")
        result.fact(
            f"{what}: largest difference from Keras predict", np.abs(ours - theirs).max(), target="at most 1e-5"
        )


def products(network, batch, dense):
    """A function that runs the convolutions, and if wanted dense layers, of a network on a batch, compiled, alone."""
    import tensorflow as tf

    @tf.function
    def convolve(inputs, kernel, step):
        return tf.nn.conv1d(inputs, kernel, step, "SAME")

    @tf.function
    def multiply(inputs, kernel):
        return tf.matmul(inputs, kernel)

    steps, random = [], np.random.default_rng(0)
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "Conv1D" or (dense and kind == "Dense"):
            inputs = tf.constant(random.random((batch, *layer.input.shape[1:]), np.float32))
            own = (inputs, tf.constant(np.asarray(layer.kernel)))
            steps.append((convolve, (*own, layer.strides[0])) if kind == "Conv1D" else (multiply, own))
    return lambda: [function(*arguments) for function, arguments in steps]


def convolutional(result, name, network, count, batches, repeat):
    """A network next to Keras predict with several batches, and next to its convolutions and dense layers alone."""
    arrays = inputs_of(network, count)
    batch = min(training.predict_batch(network), count)
    pieces = count // batch
    entries = {"here": (count, lambda: training.predict(network, arrays))}
    for size in batches:
        entries[f"batches of {size}"] = (
            count,
            lambda size=size: network.predict(arrays, batch_size=size, verbose=0),
        )
    limits = {"convolutions and dense layers": True, "convolutions": False}
    for what, dense in limits.items():
        alone = products(network, batch, dense)
        entries[what] = (pieces * batch, lambda alone=alone: [alone() for _ in range(pieces)])
    rates = timing.race(entries, repeat)
    limits = {what: 100 * rates["here"] / rates.pop(what) for what in limits}
    best = max((name for name in rates if name != "here"), key=rates.get)
    peer = f"Keras predict at its best, {best}"
    result.row(name, rates["here"], unit="spectra/s", size=count, peer=peer, theirs=rates[best], target=1)
    for (what, share), target in zip(limits.items(), ("at least 75 %", None), strict=True):
        result.fact(f"{name}: part of the speed of its {what} alone", share, unit="%", target=target)
    part = {key: array[: min(count, 256)] for key, array in arrays.items()}
    difference = np.abs(training.predict(network, part) - network.predict(part, verbose=0)).max()
    result.fact(f"{name}: largest difference from Keras predict", difference, target="at most 1e-5")


def spectra(result, quick):
    """The convolutional networks, and the compact ones that ship."""
    from stellarlabels import SolarDis, SPCANet, UACSNet

    repeat, batches = (1, (32,)) if quick else (3, (32, 64, 256, 1024))
    paper = build_network(SolarDis.recipes["paper"], {"flux": 4875}, 5)
    convolutional(result, "SolarDis, network of the paper", paper, 64 if quick else 512, batches[:3], repeat)
    shapes = {"flux_b": 4000, "flux_r": 4000, "quality": 4}
    network = SPCANet.pretrained().ensemble.members[0].network
    paper = build_network(SPCANet.recipes["paper"], shapes, 15)
    convolutional(result, "SPCANet, network of the paper", paper, 64 if quick else 1024, batches, repeat)
    convolutional(result, "SPCANet, weights that ship", network, 64 if quick else 2048, batches, repeat)
    compact = [("SolarDis, weights that ship", SolarDis.pretrained(), 4_000)]
    compact += [(f"UACSNet, weights {name!r}", UACSNet.pretrained(name), 20_000) for name in UACSNet.available()]
    for name, system, count in compact:
        member = system.ensemble.members[0].network
        arrays = inputs_of(member, 200 if quick else count)
        count = len(next(iter(arrays.values())))
        entries = {"here": (count, lambda member=member, arrays=arrays: training.predict(member, arrays))}
        for size in (32, 1024) if quick else (32, 256, 1024, 4096):
            entries[f"batches of {size}"] = (
                count,
                lambda size=size, member=member, arrays=arrays: member.predict(arrays, batch_size=size, verbose=0),
            )
        rates = timing.race(entries, repeat)
        best = max((key for key in rates if key != "here"), key=rates.get)
        peer = f"Keras predict at its best, {best}"
        result.row(f"{name}, one network", rates["here"], size=count, peer=peer, theirs=rates[best], target=1)


def run(quick=False):
    """Measure."""
    result = timing.Result(
        "Predictions of networks",
        "Networks of the papers' sizes, and those that ship, without the making of features and tables, next to Keras' "
        "``predict`` on the same networks. The product of matrices is that of two of 2000 x 2000 numbers in single "
        "precision with NumPy. The limit of a convolutional network are its convolutions and dense layers alone, "
        "without offsets, normalisation, activations and pooling, compiled by TensorFlow and run one after the other. "
        "The share of the speed of the convolutions alone is given besides: dense layers are a fifth of the operations "
        "of the network of the SolarDis paper, and more than half of those of the SPCANet paper. Convolutions with few "
        "filters compute several pixels at once here, which makes them faster than TensorFlow's own.",
    )
    csnet(result, quick)
    spectra(result, quick)
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
