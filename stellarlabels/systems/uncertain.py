"""UncertainNet: labels from XP coefficients with all their covariances."""

from dataclasses import replace

import numpy as np

from stellarlabels.inputs.xp import packed
from stellarlabels.inputs.xp.coefficient_set import add_noise
from stellarlabels.labels.recipe import Recipe
from stellarlabels.labels.uncertainty import ONE_SIGMA, Calibration, balance, reduced
from stellarlabels.networks.error_propagation import PASSES, Propagation
from stellarlabels.systems.base import System

__all__ = ["UncertainNet"]

#: The paper: 115 inputs, two layers of 128 with dropout, 50 passes (Sections 3 and 3.1). Its 20,000 iterations on each
#: batch, the batches in turn, are 20,000 epochs, 2,500 of which seed the gradients.
PAPER = Recipe(
    labels=("teff", "logg", "feh", "c_fe", "n_fe", "alpha_m"),
    features="xp_coefficients",
    network="uncertain_mlp",
    network_options={"hidden": (128, 128), "activation": "relu", "dropout": 0.2, "first_phase": 0.125},
    loss="propagated_gaussian",
    epochs=20000,
    batch_size=10000,
    learning_rate=5e-4,
    weight_decay=1e-5,
)

#: An ensemble of residual networks on the components of the spectra that their samples show, without WISE.
APOGEE = Recipe(
    labels=("teff", "logg", "feh", "alpha_m"),
    features="xp_coefficients",
    feature_options={"colors": ("G-J", "J-H", "H-Ks", "BP-G", "G-RP"), "pseudo_magnitude": "observed"},
    network="uncertain_mlp",
    network_options={
        "blocks": 3,
        "width": 384,
        "activation": "gelu",
        "dropout": 0.1,
        "components": 100,
        "context": True,
        "scales": (20.0, 60.0, 200.0, 600.0, 2000.0),
        "noise": (0.3, -1.0, 1.0),
        "groups": ((0, 1, 2), (0, 3, 4), (5,)),
        "rates": (0.03, 0.02, 0.25),
        "first_phase": 0.25,
        "propagate": False,
    },
    loss="propagated_student_t",
    epochs=75,
    batch_size=512,
    learning_rate=1e-3,
    schedule="cosine",
    weight_decay=1e-4,
    clip_norm=5.0,
    ensemble=16,
)


#: The errors are calibrated on spectra to which noise with so many times their own covariance has been added.
NOISE_LEVELS = (0, 1, 4, 9)


class UncertainNet(System):
    """Uncertain network on Gaia XP coefficients with all their covariances.

    Fallows, C. P., & Sanders, J. L., "Stellar Atmospheric Parameters From Gaia BP/RP Spectra using Uncertain Neural
    Networks"; catalog: `doi:10.5281/zenodo.10471095 <https://doi.org/10.5281/zenodo.10471095>`_.

    The error of each label is the sum in squares of three terms (the paper's Eq. 11), each with a column of its own:
    ``<label>_err_model``, the scatter of 50 passes with dropout and of the networks of an ensemble;
    ``<label>_err_input``, what the full covariance of the inputs causes, propagated through the Jacobian of the network
    (Eq. 7); ``<label>_err_excess``, what the network has learned to expect beyond.

    Parameters
    ----------
    recipe : {"paper", "apogee"}
        "paper": Teff, log g, [Fe/H], [C/Fe], [N/Fe] and [alpha/M] from 110 coefficients, BP-RP, W1-W2, J-H, H-W2 and
        the pseudo-absolute magnitude, with the paper's network and hyper-parameters. "apogee": Teff, log g, [Fe/H] and
        [alpha/M] without WISE: an ensemble of residual networks on the components of the coefficients that the sampled
        spectra show.
    **changes
        Hyper-parameters that differ from the recipe, for instance ``epochs=300, seed=1``; see
        `stellarlabels.labels.recipe.Recipe`.

    Notes
    -----
    Inputs: ``source_id``; XP coefficients with errors and correlations, or ``flux`` and ``flux_error`` (cells of 343
    samples) from which coefficients are recovered; where they are there, ``phot_g_mean_mag``, ``phot_bp_mean_mag``,
    ``phot_rp_mean_mag``, ``j_m``, ``h_m``, ``ks_m`` (paper: ``w1mpro``, ``w2mpro``) with their errors, ``parallax``
    (corrected for its zero-point) and ``parallax_error``. What is missing is flagged, and the network has learned to do
    without. Spectra are not dereddened.

    Errors are calibrated on stars that the networks were not trained on, with the stars' own noise and with more of it
    (`NOISE_LEVELS`). The variance that does not come from the inputs gets a factor for each label, with which stars
    with all amounts of noise need the same correction; then the errors get factors that depend on the magnitude, on
    BP-RP and on the signal-to-noise ratio, for which intervals of 50 % and 68.3 % hold what they should, in the
    geometric mean.

    The dropout of the passes is the same for all stars. A prediction is then the same in any table, and the medians and
    scatters are those of independent passes; but the noise of the median, 1.25 / sqrt(50) of the scatter of the passes,
    is shared by similar stars and does not average out over them.

    Choices where the paper is silent or contradicts itself: hidden layers have ReLU activations; all inputs are
    standardised; the covariance of normalised coefficients includes the error of the divisor for BP, too (see
    `stellarlabels.inputs.xp.coefficient_set`); the scatter of the passes is not added in the likelihood of the
    training, see `stellarlabels.networks.losses`; the error of the pseudo-magnitude holds for negative parallaxes.
    """

    name = "uncertain"
    title = "Teff, log g, [Fe/H], [alpha/M] from Gaia XP coefficients, with three terms of the errors"
    reference = "https://doi.org/10.5281/zenodo.10471095"
    recipes = {"paper": PAPER, "apogee": APOGEE}
    shipped = {
        "apogee": "Teff, log g, [Fe/H], [alpha/M] of stars of 3300-7000 K, trained on APOGEE; no [C/Fe], no [N/Fe]",
    }
    compared_in = "flux"
    error_terms = ("model", "input", "excess")
    calibration_product = True
    calibration_levels = (0.5, ONE_SIGMA)
    calibrated_together = True
    calibrated_with = {"noise": list(NOISE_LEVELS)}

    def __init__(self, recipe=None, **changes):
        super().__init__(recipe, **changes)
        self._ready = None

    @classmethod
    def joined(cls, systems):
        """One ensemble of systems that were trained one by one with the same recipe on the same stars.

        Parameters
        ----------
        systems : sequence of UncertainNet

        Returns
        -------
        UncertainNet
            Not calibrated.
        """
        first = systems[0]
        out = cls(first.recipe_name)
        members = [member for system in systems for member in system._members]
        out.recipe = first.recipe.with_changes(ensemble=len(members), calibrate=True)
        out._center, out._scale, out._domain = first._center, first._scale, first._domain
        out._members, out._calibration = members, Calibration()
        out.history_ = [history for system in systems for history in system.history_]
        left_out = [number for system in systems for number in system.provenance_["left_out_of_each_network"]]
        loss = [value for system in systems for value in system.provenance_["final_loss"]]
        out.provenance_ = {**first.provenance_, "left_out_of_each_network": left_out, "final_loss": loss}
        return out

    def covariance(self, table):
        """Covariance of the labels of each star.

        Parameters
        ----------
        table : `~astropy.table.Table`
            As for `predict`.

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, L, L)
            In the labels' units, in the order of ``labels``: the full covariance that the inputs cause, and the model
            and excess terms on its diagonal, which is ``<label>_err`` squared. NaN without usable input.
        """
        features = self.feature_set.compute(table)
        out = np.full((len(table), len(self.labels), len(self.labels)), np.nan)
        if features.usable.any():
            picked = features[features.usable]
            terms = self._terms(picked)
            _, _, model, _, excess = self._errors(terms, picked)
            scale = self._factors(picked) * self._scale
            inside = terms.inputs * scale[:, :, None] * scale[:, None, :]
            inside[:, *np.diag_indices(len(self.labels))] += model**2 + excess**2
            out[features.usable] = inside
        return out

    def jacobian(self, table):
        """Derivatives of the labels with respect to the inputs.

        Parameters
        ----------
        table : `~astropy.table.Table`
            As for `predict`.

        Returns
        -------
        features : `stellarlabels.inputs.Features`
            Inputs of those stars of the table that can be used, with their names in ``usable`` of the whole table.
        coefficients : `~numpy.ndarray`, shape (N, L, 110)
            With respect to the normalised coefficients, in the labels' units; NaN without usable input.
        others : `~numpy.ndarray`, shape (N, L, C)
            With respect to colors and pseudo-magnitude; 0 where one is missing.
        """
        features = self.feature_set.compute(table)
        parts = self._propagation().jacobian(features.arrays)
        scale = np.where(features.usable[:, None, None], self._scale[:, None], np.nan)
        return features, *(part * scale for part in parts)

    def from_features(self, features):
        """Labels of stars whose inputs have been computed already, all of which can be used.

        Parameters
        ----------
        features : `stellarlabels.inputs.Features`
            From ``feature_set.compute(table)``, perhaps after
            `stellarlabels.inputs.xp.coefficient_set.add_noise`.

        Returns
        -------
        mean, total, model, inputs, excess : `~numpy.ndarray` of float64, shape (N, L)
            Labels, their total errors and the three terms, in the labels' units.
        """
        return self._errors(self._terms(features), features)

    def training_inputs(self, table):
        """Features of training stars, with factors of their covariances, with which training draws noise."""
        features = self.feature_set.compute(table)
        arrays = dict(features.arrays)
        for band in ("bp", "rp"):
            arrays[f"{band}_factor"] = packed.factor(arrays[f"{band}_covariance"])
        arrays["other_factor"] = packed.factor(packed.pack(arrays["other_covariance"]))
        return replace(features, arrays=arrays)

    # ------------------------------------------------------------------ inside

    def _propagation(self, members=None):
        """The trained networks, or some of them, for NumPy."""
        if members is not None:
            cores = [member.network.get_layer("uncertain") for member in members]
            return Propagation(cores, -(-PASSES * len(cores) // self.recipe.ensemble), self.recipe.seed)
        self._check_trained()
        if self._ready is None or self._ready[0] is not self._members:
            self._ready = self._members, self._propagation(self._members)
        return self._ready[1]

    def _terms(self, features, members=None):
        return self._propagation(members)(features.arrays)

    def _variances(self, members, features):
        """Mean of networks; variance from the inputs and all other variance, as they come, of a single one; and the
        variance of the networks.
        """
        terms = self._terms(features, members)
        square = self._scale**2
        rest = (terms.excess + terms.dropout) * square
        return terms.mean * self._scale + self._center, terms.inputs_each * square, rest, terms.spread * square

    def _calibrated(self, unseen):
        columns = []
        for members, features, targets in unseen:
            for level in NOISE_LEVELS if len(features) else ():
                noisy = add_noise(features, level, seed=self.recipe.seed + level)
                mean, *variances = self._variances(members, noisy)
                axes = self._calibration_axes(noisy, mean)
                amount = np.full(len(mean), level)
                columns.append((mean, *variances, targets.values, targets.errors, amount, *axes.values()))
        if not columns:
            return Calibration(product=True)
        mean, inputs, rest, gained, values, errors, amount, *along = (
            np.concatenate(parts) for parts in zip(*columns, strict=True)
        )
        options = {"levels": self.calibration_levels, "gained": gained}
        groups = [amount == level for level in NOISE_LEVELS]
        factor = balance(mean, inputs, rest, values, errors, groups, **options)
        sigma = np.sqrt(inputs + factor * rest)
        axes = dict(zip(axes, along, strict=True))
        return replace(Calibration.fit(mean, sigma, values, errors, axes, product=True, **options), rest=factor)

    def _calibration_axes(self, features, mean):
        """Magnitude, BP-RP, and signal-to-noise ratio: of noisy spectra the errors of red stars differ from others."""
        axes = super()._calibration_axes(features, mean)
        return {"magnitude": axes["magnitude"], "color": features.color, "log_snr": axes["log_snr"]}

    def _factors(self, features):
        """Factors (N, L) of the calibration."""
        axes = self._calibration_axes(features, None)
        return self._calibration.apply(np.ones((len(features), len(self.labels))), axes)

    def _combined(self, features):
        return self.from_features(features)

    def _errors(self, terms, features):
        """Mean, total error, and its terms model, input and excess, (N, L) each, in the labels' units.

        The factors of the calibration are those of single networks' errors. The mean of the networks is better by the
        variance of the networks' means (see `stellarlabels.labels.uncertainty.combine`); this is taken out of the model
        term, which does not fall below the standard error of that mean, and then out of the excess.
        """
        factor = self._factors(features)
        rest = factor**2 * (1.0 if self._calibration.rest is None else self._calibration.rest)
        excess, dropout = rest * terms.excess, rest * terms.dropout
        inputs = factor**2 * np.einsum("nll->nl", terms.inputs)
        if self._calibration.curves:
            single = factor**2 * terms.inputs_each + dropout + excess
            total = reduced(single, terms.spread)
            model = np.maximum(total - inputs - excess, terms.spread / len(self._members) + dropout / PASSES)
            excess = np.maximum(total - inputs - model, 0)
        else:
            model = dropout + terms.spread
        mean = terms.mean * self._scale + self._center
        return mean, *(np.sqrt(part) * self._scale for part in (model + inputs + excess, model, inputs, excess))
