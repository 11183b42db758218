"""Absolute magnitude and intrinsic color of a star of given Teff, log g and [Fe/H], learned from parallaxes.

LASP has no absolute magnitudes. Those of the stars that SolarDis is trained on follow from their labels, by a network
that has seen 10,000 stars of Green et al. (2021, ApJ 907, 57) with labels of LAMOST, Gaia DR2 photometry and
parallaxes, and reddening. Of a star it says M_G and (BP-RP)0, each with its scatter among stars of these labels, which
has that of LASP's labels in it. No parallax is inverted: the likelihood is that of the parallax (see
``stellarlabels.networks.losses.with_parallaxes``). Extinction is A_G = 1.8626 E(BP-RP), as in `SolarDis.distances`, and
E(BP-RP) in units of the reddening of that table is found from the colors themselves.

    python tools/absolute_magnitudes.py          (trains and measures in five folds; two minutes)

Writes docs/measured/weights/solardis-magnitudes.json, which the page of SolarDis shows.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from lamost_lrs import folder

from stellarlabels import networks
from stellarlabels.corrections.extinction import coefficients
from stellarlabels.labels.uncertainty import ONE_SIGMA, robust_scatter
from stellarlabels.networks import losses

FILE = "tables/green2020_test_data_small.h5"

#: Where what is measured is written.
MEASURED = Path(__file__).parents[1] / "docs" / "measured" / "weights"

#: What is added to parallaxes of Gaia DR2 (mas), and the largest reddening and error of it.
ZERO_POINT, REDDENING, REDDENING_ERROR = 0.04, 0.2, 0.06

#: The largest temperature (K) of the table with LASP labels for which there are enough stars.
HOTTEST = 8500.0

#: Median and scale of labels and magnitudes, roughly.
INPUTS = np.array([[0.92, 0.13], [3.8, 0.9], [-0.3, 0.4]])
CENTER, SCALE = np.array([4.0, 0.85]), np.array([2.0, 0.25])

#: Smallest scatter of the color, that of the photometry's own systematics.
LEAST = np.array([0.05, 0.01])

SLOPE = 0.2 * np.log(10)

#: Stars of which it is known what should come out: labels, and M_G and (BP-RP)0 where these are known.
KNOWN = {
    "the Sun": ((5772.0, 4.44, 0.0), {"m_g": 4.67, "bp_rp_0": 0.82}),
    "a giant of the red clump": ((4800.0, 2.5, -0.1), {}),
}


class Stars:
    """Labels (N, 3) of LAMOST, magnitudes, parallaxes and reddening of the table, without the dusty ones."""

    def __init__(self, path=None):
        import h5py

        with h5py.File(folder() / FILE if path is None else path) as file:
            data = file["data"][:]
        magnitudes = data["mag"][:, :3].astype(float)
        chosen = (data["atm_source"] == b"lamost") & np.isfinite(magnitudes).all(axis=1)
        chosen &= (data["r_err"] < REDDENING_ERROR) & (data["r"] < REDDENING)
        chosen &= (data["atm_param"][:, 0] > 3800) & (data["atm_param"][:, 0] < HOTTEST + 200)
        data, magnitudes = data[chosen], magnitudes[chosen]
        self.labels = data["atm_param"].astype(float)
        self.g, self.color = magnitudes[:, 0], magnitudes[:, 1] - magnitudes[:, 2]
        self.reddening, self.reddening_error = data["r"].astype(float), data["r_err"].astype(float)
        self.parallax = data["parallax"].astype(float) + ZERO_POINT
        self.parallax_error = data["parallax_err"].astype(float)
        law = coefficients("parsec")
        self.unit = reddening_unit(self.labels, self.color, self.reddening)
        self.ratio = self.unit * law.ratio("G") / law.ratio("BP-RP")

    def __len__(self):
        return len(self.g)

    @property
    def luminosity(self):
        """Pseudo-luminosities (mas), free of extinction, and their errors, (N,) each."""
        factor = 10 ** (0.2 * (self.g - self.ratio * self.reddening))
        value = self.parallax * factor
        return value, np.hypot(self.parallax_error * factor, SLOPE * self.ratio * self.reddening_error * np.abs(value))

    def targets(self):
        """Pseudo-luminosities and scaled colors with errors, as the loss wants them (N, 6)."""
        value, error = self.luminosity
        color = (self.color - self.unit * self.reddening - CENTER[1]) / SCALE[1]
        noise = np.hypot(self.unit * self.reddening_error, 0.004) / SCALE[1]
        return losses.pack(np.column_stack([value, color]), np.column_stack([error, noise]))


def reddening_unit(labels, color, reddening):
    """E(BP-RP) of a reddening of 1, from a robust fit of the colors by a polynomial of the labels."""
    x = scaled(labels)
    powers = [(i, j, k) for i in range(5) for j in range(5 - i) for k in range(5 - i - j)]
    design = np.column_stack([*(np.prod(x**power, axis=1) for power in powers), reddening])
    weight = np.ones(len(x))
    for _ in range(10):
        found = np.linalg.lstsq(design * weight[:, None], color * weight, rcond=None)[0]
        residual = color - design @ found
        weight = 1 / np.sqrt(1 + (residual / (2 * robust_scatter(residual))) ** 2)
    return float(found[-1])


def scaled(labels):
    """Labels (N, 3) as the network gets them."""
    labels = np.array(labels, float)
    labels[:, 0] = 5040 / labels[:, 0]
    return (labels - INPUTS[:, 0]) / INPUTS[:, 1]


def build(seed):
    """Means and logarithms of scatters of magnitude and color from three labels."""

    def dense(units, number, **options):
        return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed + number), **options)

    x = start = keras.Input((3,), name="labels")
    for number in range(2):
        x = dense(48, number, activation="gelu")(x)
    mean = keras.layers.Add()([dense(2, 2)(start), dense(2, 3)(x)])
    spread = dense(2, 4, bias_initializer=keras.initializers.Constant(-1.5))(x)
    return keras.Model({"labels": start}, keras.layers.Concatenate()([mean, spread]))


def train(stars, rows, seed=0, epochs=30):
    """A network that has seen some of the stars."""
    network = build(seed)
    loss = losses.with_parallaxes([True, False], CENTER, SCALE)
    inputs = {"labels": scaled(stars.labels[rows]).astype(np.float32)}
    options = {"epochs": epochs, "batch_size": 256, "learning_rate": 5e-3, "schedule": "cosine", "weight_decay": 1e-4}
    networks.train(
        network, inputs, stars.targets()[rows], loss=loss, seed=seed, progress=False, clip_norm=5.0, **options
    )
    return network


def said(network, labels):
    """Means and scatters (N, 2) for labels (N, 3)."""
    out = networks.predict(network, {"labels": scaled(labels).astype(np.float32)})
    return out[:, :2] * SCALE + CENTER, np.exp(out[:, 2:]) * SCALE


def parallax_pulls(stars, magnitude, scatter):
    """Pulls (N,) of the parallaxes for magnitudes with scatters (N,)."""
    value, error = stars.luminosity
    model = 10 ** (0.2 * (magnitude + 10))
    return (value - model) / np.hypot(error, SLOPE * model * scatter)


class Relation:
    """M_G and (BP-RP)0 with scatter as a function of Teff, log g, [Fe/H]; five networks, each without a fifth."""

    def __init__(self, stars, seed=0):
        self.fold = np.random.default_rng(seed).integers(5, size=len(stars))
        self.networks = [train(stars, self.fold != number, number) for number in range(5)]
        self.mean, self.scatter = np.zeros((len(stars), 2)), np.zeros((len(stars), 2))
        for number, network in enumerate(self.networks):
            rows = self.fold == number
            self.mean[rows], self.scatter[rows] = said(network, stars.labels[rows])
        self.factor = self._factor(stars)
        self.measured = self._measured(stars)

    def _factor(self, stars):
        """Factor on the scatter of magnitudes at which 68.3 % of the parallaxes of stars left out are within it."""
        from scipy.optimize import brentq

        def excess(log):
            pull = parallax_pulls(stars, self.mean[:, 0], np.exp(log) * self.scatter[:, 0])
            return np.quantile(np.abs(pull), ONE_SIGMA) - 1

        return float(np.exp(brentq(excess, -1, 1.5)))

    def of(self, labels):
        """Means and scatters (N, 2) for labels (N, 3), NaN where these are hotter than the table's."""
        found = [said(network, labels) for network in self.networks]
        mean = np.mean([one[0] for one in found], axis=0)
        scatter = np.mean([one[1] for one in found], axis=0) * [self.factor, 1]
        known = (labels[:, 0] < HOTTEST)[:, None]
        return np.where(known, mean, np.nan), np.where(known, np.maximum(scatter, LEAST), np.nan)

    def _measured(self, stars):
        """How well stars left out are described: parallaxes of S/N > 10, pulls of all, colors."""
        logg, teff = stars.labels[:, 1], stars.labels[:, 0]
        groups = {"all": logg > -9, "log g > 4": logg > 4, "log g 3.5-4": (logg > 3.5) & (logg <= 4)}
        groups |= {
            "log g 2.6-3.5": (logg > 2.6) & (logg <= 3.5),
            "log g < 2.6": logg <= 2.6,
            "Teff > 7500 K": teff > 7500,
        }
        pull = parallax_pulls(stars, self.mean[:, 0], self.factor * self.scatter[:, 0])
        sharp = stars.parallax > 10 * stars.parallax_error
        with np.errstate(invalid="ignore", divide="ignore"):
            residual = self.mean[:, 0] - 5 * np.log10(stars.luminosity[0]) + 10
        color = self.mean[:, 1] - stars.color + stars.unit * stars.reddening
        out = {}
        for name, rows in groups.items():
            some = rows & sharp
            out[name] = {
                "m_g": {
                    "stars": int(rows.sum()),
                    "with parallaxes of S/N > 10": int(some.sum()),
                    "scatter": robust_scatter(residual[some]),
                    "bias": float(np.median(residual[some])),
                    "within_1_sigma": float(np.mean(np.abs(pull[rows]) < 1)),
                    "within_2_sigma": float(np.mean(np.abs(pull[rows]) < 2)),
                    "pull_width": robust_scatter(pull[rows]),
                },
                "bp_rp_0": {"stars": int(rows.sum()), "scatter": robust_scatter(color[rows])},
            }
        return out


def drawn(relation, labels, seed=0):
    """A magnitude and a color (N, 2) for each star, drawn from their distributions for its labels (N, 3).

    Of two stars with similar labels one is as far above the mean as the other is below: what is learned from them is
    the mean of many, and their scatter.
    """
    from scipy.spatial import cKDTree

    mean, scatter = relation.of(labels)
    random, place = np.random.default_rng(seed), scaled(labels)
    tree, sign, draw = cKDTree(place), np.zeros(len(labels)), random.normal(size=mean.shape)
    for row in random.permutation(len(labels)):
        if sign[row]:
            continue
        sign[row] = 1
        near = [other for other in tree.query(place[row], 50)[1] if other < len(sign) and not sign[other]]
        if near:
            sign[near[0]], draw[near[0]] = -1, draw[row]
    return mean + sign[:, None] * scatter * draw


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="green2020_test_data_small.h5; by default that of STELLARLABELS_DATA")
    parser.add_argument("--output", type=Path, default=MEASURED)
    args = parser.parse_args()
    stars = Stars(args.data)
    relation = Relation(stars)
    told = {}
    for name, (labels, truth) in KNOWN.items():
        values, errors = (found[0] for found in relation.of(np.array([labels])))
        told[name] = {
            label: {"value": float(value), "error": float(error)} | ({"known": truth[label]} if label in truth else {})
            for label, value, error in zip(("m_g", "bp_rp_0"), values, errors, strict=True)
        }
    result = {
        "system": "solardis",
        "what": "M_G and (BP-RP)0 of stars of given Teff, log g and [Fe/H], on stars that each network has left out; "
        "within one and two sigma are all parallaxes, for the former by construction",
        "stars": len(stars),
        "E(BP-RP) in units of the reddening of the table": stars.unit,
        "factor on the scatter of magnitudes": relation.factor,
        "measured": {"M_G and color for given labels": relation.measured, "what it says of known stars": told},
    }
    text = json.dumps(result, indent=1) + "\n"
    (args.output / "solardis-magnitudes.json").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
