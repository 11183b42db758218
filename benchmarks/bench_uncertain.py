"""Speed of the full prediction of the uncertain network, against loops with PyTorch; and a stream of stars.

    python benchmarks/bench_uncertain.py [--quick] [--output FOLDER]
    python benchmarks/bench_uncertain.py --stream 1000000 [--output FOLDER]

The network is the paper's (115-128-128-12, dropout 0.2, 50 passes). Every contestant computes the same: median and
scatter of the passes, the Jacobian of six labels, and its product with the dense 115 x 115 covariance of the inputs.
"batched" is a loop over passes and outputs on batches of 1,000 stars with autograd; "per star" is the same for one star
at a time. PyTorch is not a requirement of the package: pip install torch.

With ``--stream`` so many stars pass through the feature set and the networks that ship in tables of 10,000, made from
the real spectra of the sample with noise; rate and memory are kept apart (uncertain_stream.json).
"""

import argparse
import time

import numpy as np
import timing
from astropy.table import QTable

from stellarlabels import networks
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp.coefficient_features import dense_covariance
from stellarlabels.networks.error_propagation import PASSES, Propagation
from stellarlabels.systems.uncertain import PAPER

LABELS = 6


def stars(count):
    """Real inputs, repeated."""
    features = feature_set("xp_coefficients").compute(xp_apogee_sample())
    rows = np.arange(count) % len(features)
    arrays = {name: array[rows] for name, array in features.arrays.items()}
    arrays["others"] = np.nan_to_num(arrays["others"])
    return arrays


def network_of(arrays):
    """The paper's network with random weights."""
    shapes = {name: array.shape[1] for name, array in arrays.items()}
    shapes |= {"bp_factor": 55, "rp_factor": 55, "other_factor": shapes["others"]}
    network = networks.build("uncertain_mlp", shapes=shapes, outputs=LABELS, seed=1, **PAPER.network_options)
    core = network.get_layer("uncertain")
    core.reference.assign(np.eye(110)[55])
    core.matrix.assign(np.eye(110))
    return core


class Rival:
    """The same network in PyTorch."""

    def __init__(self, core):
        import torch

        self.torch = torch
        size = 110 + core.scale.shape[0]
        first, second, last = (torch.nn.Linear(*shape) for shape in ((size, 128), (128, 128), (128, 2 * LABELS)))
        self.network = torch.nn.Sequential(
            first, torch.nn.ReLU(), torch.nn.Dropout(0.2), second, torch.nn.ReLU(), torch.nn.Dropout(0.2), last
        )

    def predict(self, inputs, covariance, batch):
        torch = self.torch
        out = []
        for start in range(0, len(inputs), batch):
            x, c = (torch.from_numpy(array[start : start + batch]) for array in (inputs, covariance))
            self.network.train()
            with torch.no_grad():
                passes = torch.stack([self.network(x)[:, :LABELS] for _ in range(PASSES)])
            self.network.eval()
            x.requires_grad_(True)
            y = self.network(x)
            rows = [torch.autograd.grad(y[:, label].sum(), x, retain_graph=True)[0] for label in range(LABELS)]
            jacobian = torch.stack(rows, dim=1)
            sigma = torch.einsum("nli,nij,nlj->nl", jacobian, c, jacobian)
            out.append((passes.median(dim=0).values, passes.var(dim=0), sigma, y[:, LABELS:].exp().detach()))
        return out


def operations(core):
    """Floating-point operations of a complete prediction of one star: passes, Jacobian, and its products with C.

    Units that passes leave out count, though they are not computed.
    """
    kernels = [array.shape for group in core.parameters for array in group if len(array.shape) == 2]
    first, *rest = kernels
    widths = 2 * first[0] * first[1], sum(2 * shape[0] * shape[1] for shape in rest)
    passes = widths[0] + PASSES * widths[1]
    jacobian = sum(widths) + LABELS * sum(widths) + LABELS * 2 * 110 * first[0]
    return passes + jacobian + 2 * LABELS * 2 * 55 * 55 + 2 * 2 * 55 * LABELS**2


def run(quick=False):
    """Measure."""
    count = 300 if quick else 10_000
    arrays = stars(count)
    core = network_of(arrays)
    ours = Propagation([core])
    covariance = np.zeros((count, 115, 115), np.float32)
    for start in range(0, count, 500):
        rows = slice(start, start + 500)
        blocks = [arrays[f"{band}_covariance"][rows].astype(float) for band in ("bp", "rp")]
        covariance[rows, :110, :110] = dense_covariance(arrays["coefficients"][rows].astype(float), blocks)
        covariance[rows, 110:, 110:] = arrays["other_covariance"][rows]
    inputs = np.concatenate([arrays["coefficients"], arrays["others"]], axis=1)
    result = timing.Result(
        "Complete predictions of UncertainNet",
        f"Median and scatter of {PASSES} dropout passes, Jacobians of six labels, and their products with the "
        "covariance of all inputs, by the network of the paper, next to a loop over passes and labels with PyTorch and "
        "autograd: on batches of 1,000 stars, and star by star. The part of the speed of a product of matrices counts "
        "the operations with units that a pass leaves out, though they are not computed.",
    )
    entries = {"here": (count, lambda: ours(arrays))}
    try:
        rival = Rival(core)
    except ImportError:
        result.text += " PyTorch was not there."
    else:
        few = min(count, 20 if quick else 200)
        entries["batches"] = (count, lambda: rival.predict(inputs, covariance, 1000))
        entries["star by star"] = (few, lambda: rival.predict(inputs[:few], covariance[:few], 1))
    rates = timing.race(entries, 1 if quick else 3)
    for name, target in (("batches", 4), ("star by star", 60)):
        if name in rates:
            result.row(
                "all outputs", rates["here"], size=count, peer=f"PyTorch, {name}", theirs=rates[name], target=target
            )
    share = 100 * rates["here"] * operations(core) / timing.gemm_peak()
    result.fact("part of the speed of a product of matrices", share, unit="%", target="at least 50 %")
    return result


def stream(count, size=10_000):
    """Time and memory of a stream of stars through the feature set and the networks that ship."""
    from stellarlabels.systems.uncertain import UncertainNet

    system, sample = UncertainNet.pretrained("apogee"), xp_apogee_sample()
    rng = np.random.default_rng(0)
    result = timing.Result(
        "A stream of stars through UncertainNet",
        f"Sampled spectra in tables of {size:,}, from which coefficients with covariances are recovered, and the "
        "complete prediction of the networks that ship. The stars are the real ones of the sample with noise.",
    )
    memory, start = [], time.perf_counter()
    for first in range(0, count, size):
        rows = np.arange(first, min(first + size, count))
        table = QTable(sample[rows % len(sample)])
        table["source_id"] = rows
        noise = rng.standard_normal(table["flux"].shape).astype(np.float32)
        table["flux"] = table["flux"] + 0.1 * noise * table["flux_error"]
        labels = system.predict(table, progress=False)
        assert len(labels) == rows.size
        memory.append([int(rows[-1]) + 1, round(timing.memory(), 3)])
    result.row("table to table", count / (time.perf_counter() - start), size=count)
    for number in sorted({0, len(memory) // 10, len(memory) - 1}):
        done, peak = memory[number]
        result.fact(f"largest memory after {done:,} stars", peak, unit="GB")
    result.series = {"x": "stars", "y": "largest memory (GB)", "lines": {"UncertainNet": memory}}
    return result


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--stream", type=int)
    options, others = parser.parse_known_args()
    if options.stream:
        timing.main(lambda quick: stream(options.stream), "bench_uncertain_stream.py", __doc__, arguments=others)
    else:
        timing.main(run, __file__, __doc__, arguments=others)


if __name__ == "__main__":
    main()
