"""Speed of the full prediction of the uncertain network, against loops with PyTorch; and a stream of stars.

    python benchmarks/bench_uncertain.py
    python benchmarks/bench_uncertain.py --stream 1000000

The network is the paper's (115-128-128-12, dropout 0.2, 50 passes). Every contestant computes the same: median and
scatter of the passes, the Jacobian of six labels, and its product with the dense 115 x 115 covariance of the inputs.
"batched" is a loop over passes and outputs on batches of 1,000 stars with autograd; "per star" is the same for one star
at a time. PyTorch is not a requirement of the package: pip install torch.

With ``--stream`` so many stars pass through the feature set and the network in tables of 10,000, made from the real
spectra of the sample with noise of their own covariance; the largest memory of the process is printed.
"""

import argparse
import resource
import time

import numpy as np
from astropy.table import QTable

from stellarlabels.archive.sample import xp_apogee_sample
from stellarlabels.features.base import feature_set
from stellarlabels.features.xp_coefficients import dense_covariance
from stellarlabels.models import networks
from stellarlabels.models.propagation import PASSES, Propagation
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


def timed(function, count, repeats=3):
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return count / best


def race(count):
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
    rival = Rival(core)
    speeds = {"stellarlabels": timed(lambda: ours(arrays), count)}
    speeds["PyTorch, batched"] = timed(lambda: rival.predict(inputs, covariance, 1000), count)
    few = min(count, 200)
    speeds["PyTorch, per star"] = timed(lambda: rival.predict(inputs[:few], covariance[:few], 1), few, repeats=1)
    print(f"threads of PyTorch: {rival.torch.get_num_threads()}")
    for name, speed in speeds.items():
        print(f"{name:20s} {speed:10.0f} stars/s   ours is {speeds['stellarlabels'] / speed:6.1f} times as fast")


def stream(count, size=10_000):
    from stellarlabels.systems.uncertain import UncertainNet

    system = UncertainNet.pretrained("apogee")
    sample = xp_apogee_sample()
    rng = np.random.default_rng(0)
    done, start = 0, time.perf_counter()
    peak = []
    while done < count:
        rows = np.arange(done, min(done + size, count))
        table = QTable(sample[rows % len(sample)])
        table["source_id"] = rows
        noise = rng.standard_normal(table["flux"].shape).astype(np.float32)
        table["flux"] = table["flux"] + 0.1 * noise * table["flux_error"]
        labels = system.predict(table, progress=False)
        assert len(labels) == rows.size
        done += rows.size
        peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
        if len(peak) % 10 == 0 or done == count:
            print(f"{done} stars, {done / (time.perf_counter() - start):.0f} stars/s, largest memory {peak[-1]:.2f} GB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stars", type=int, default=10_000)
    parser.add_argument("--stream", type=int, help="predict so many stars in bounded memory, instead of the race")
    args = parser.parse_args()
    stream(args.stream) if args.stream else race(args.stars)


if __name__ == "__main__":
    main()
