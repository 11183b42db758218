"""UncertainNet: labels from XP coefficients with all their covariances."""

import numpy as np

from stellarlabels import columns, flags
from stellarlabels.gather import Supply
from stellarlabels.labels import ONE_SIGMA, CalibrationPlan, Recipe
from stellarlabels.systems.base import System

__all__ = ["UncertainNet"]

#: Magnitude, BP-RP, and signal-to-noise ratio: of noisy spectra the errors of red stars differ from others. The errors
#: are calibrated on spectra to which noise with so many times their own covariance has been added.
CALIBRATION = CalibrationPlan(
    axes=("magnitude", "color", "log_snr"),
    product=True,
    levels=(0.5, ONE_SIGMA),
    together=True,
    noise=(0, 1, 4, 9),
)

#: The paper: 115 inputs, two layers of 128 with dropout, 50 passes (Sections 3 and 3.1). Its 20,000 iterations on each
#: batch, the batches in turn, are 20,000 epochs, 2,500 of which seed the gradients.
PAPER = Recipe(
    labels=("teff", "logg", "feh", "c_fe", "n_fe", "alpha_m"),
    features="xp_coefficients",
    network="uncertain_mlp",
    network_options={
        "hidden": (128, 128),
        "activation": "relu",
        "dropout": 0.2,
        "first_phase": 0.125,
        "indicators": False,
    },
    loss="propagated_gaussian",
    epochs=20000,
    batch_size=10000,
    learning_rate=5e-4,
    weight_decay=1e-5,
    decay="l2",
    epsilon=1e-8,
    order="fixed",
    left_out=0.05,
    combination="propagated",
    calibration=CALIBRATION,
    calibrate=False,
)

#: The teacher of the weights that ship: an ensemble of residual networks on the components of the spectra that their
#: samples show, without WISE.
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
    ensemble=4,
    combination="propagated",
    calibration=CALIBRATION,
)


class UncertainNet(System):
    """Uncertain network on Gaia XP coefficients with all their covariances.

    Fallows, C. P., & Sanders, J. L., "Stellar Atmospheric Parameters From Gaia BP/RP Spectra using Uncertain Neural
    Networks"; catalog: `doi:10.5281/zenodo.10471095 <https://doi.org/10.5281/zenodo.10471095>`_.

    The error of each label is the sum in squares of three terms (the paper's Eq. 11), each with a column of its own:
    ``<label>_err_model``, the scatter of 50 passes with dropout and of the networks of an ensemble, or what a student
    has learned of it;
    ``<label>_err_input``, what the full covariance of the inputs causes, propagated through the Jacobian of the network
    (Eq. 7); ``<label>_err_excess``, what the network has learned to expect beyond.

    Parameters
    ----------
    recipe : {"apogee", "paper"}
        "apogee", that of the default weights, by default. "paper": Teff, log g, [Fe/H], [C/Fe], [N/Fe] and [alpha/M]
        from 110 coefficients, BP-RP, W1-W2, J-H, H-W2 and the pseudo-absolute magnitude, with the paper's
        network and hyper-parameters. "apogee": Teff, log g, [Fe/H] and [alpha/M] without WISE: an ensemble of
        residual networks on the components of the coefficients that the sampled spectra show.
    **changes
        Hyper-parameters that differ from the recipe, for instance ``epochs=300, seed=1``; see
        `stellarlabels.labels.Recipe`.

    Notes
    -----
    Inputs: ``source_id``; XP coefficients with errors and correlations, or ``flux`` and ``flux_error`` (cells of 343
    samples) from which coefficients are recovered; where they are there, ``phot_g_mean_mag``, ``phot_bp_mean_mag``,
    ``phot_rp_mean_mag``, ``j_m``, ``h_m``, ``ks_m`` (paper: ``w1mpro``, ``w2mpro``) with their errors, ``parallax``
    (corrected for its zero-point) and ``parallax_error``. What is missing is flagged; networks of the recipe "apogee"
    have learned to do without. Spectra are not dereddened.

    Errors of the recipe "apogee" are calibrated on stars that the networks were not trained on, with the stars' own
    noise and with more of it (`CALIBRATION`). The variance that does not come from the inputs gets a factor for each
    label, with which stars with all amounts of noise need the same correction; then the errors get factors that depend
    on the magnitude, on BP-RP and on the signal-to-noise ratio, for which intervals of 50 % and 68.3 % hold what they
    should, in the geometric mean.

    The dropout of the passes is the same for all stars. A prediction is then the same in any table, and the medians and
    scatters are those of independent passes; but the noise of the median, 1.25 / sqrt(50) of the scatter of the passes,
    is shared by similar stars and does not average out over them.

    Choices where the paper is silent or contradicts itself: hidden layers have ReLU activations; all inputs are
    standardised; the covariance of normalised coefficients includes the error of the divisor for BP, too (see
    ``stellarlabels.inputs.xp.coefficient_features``); the scatter of the passes is not added in the likelihood of the
    training, see ``stellarlabels.networks.losses``; the error of the pseudo-magnitude holds for negative parallaxes.

    The recipe "paper" trains with an L2 penalty as in PyTorch's Adam, batches in a fixed order and 115 inputs: what is
    missing counts as the mean of the training stars, and the labels have the flag CAUTION. It leaves out 5 % of the
    stars and does not recalibrate the errors. The weights that ship ("apogee") were trained with decoupled weight decay
    and new batches in each epoch, and with inputs that say what is missing.
    """

    name = "uncertain"
    title = "Teff, log g, [Fe/H], [alpha/M] from Gaia XP coefficients, with three terms of the errors"
    reference = "https://doi.org/10.5281/zenodo.10471095"
    citation = r"""@misc{2024arXiv240510699F,
  author = {Fallows, C. P. and Sanders, J. L.},
  title = {Stellar Atmospheric Parameters From {Gaia} {BP/RP} Spectra using Uncertain Neural Networks},
  year = {2024},
  eprint = {2405.10699},
  archiveprefix = {arXiv},
  note = {catalog: doi:10.5281/zenodo.10471095},
}"""
    supply = Supply("source_id", "gaia_stars", ("gaia_by_id", "xp coefficients"), 15000)
    recipes = {"apogee": APOGEE, "paper": PAPER}
    shipped = {
        "apogee": "Teff, log g, [Fe/H], [alpha/M]; Gaia DR3 XP spectra and photometry, labels of APOGEE DR17; "
        "3300-7000 K, [Fe/H] -2.5 to 0.6",
    }
    compared_in = "flux"

    def own_flags(self, table, values):
        """CAUTION where a color or parallax is missing, if the networks have not learned to do without."""
        if self.recipe.network_options.get("indicators", True):
            return {}
        missing = np.isnan(self.feature_set.other_features(table)).any(axis=1)
        return dict.fromkeys(self.labels, flags.LABEL.where(CAUTION=missing))

    computed_from = {"bp_rp": "phot_bp_mean_mag and phot_rp_mean_mag"}

    def derived_columns(self, table, labels):
        """The color BP-RP where the table does not have it."""
        from stellarlabels.tables import quality

        color = quality.quantity(table, "bp_rp")
        known = columns.find(table, "bp_rp") is not None or not np.isfinite(color).any()
        return {} if known else {"bp_rp": columns.column("bp_rp").dress(color)}

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
        features = self.features(table)
        out = np.full((len(table), len(self.labels), len(self.labels)), np.nan)
        if features.usable.any():
            out[features.usable] = self.ensemble.covariance(features[features.usable])
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
        features = self.features(table)
        unknown = np.where(features.usable[:, None, None], 1.0, np.nan)
        return features, *(part * unknown for part in self.ensemble.jacobian(features))

    def from_features(self, features):
        """Labels of stars whose inputs have been computed already, all of which can be used.

        Parameters
        ----------
        features : `stellarlabels.inputs.Features`
            From ``feature_set.compute(table)``, perhaps after
            ``stellarlabels.inputs.xp.add_noise``.

        Returns
        -------
        mean, total, model, inputs, excess : `~numpy.ndarray` of float64, shape (N, L)
            Labels, their total errors and the three terms, in the labels' units.
        """
        return self.ensemble.predict(features)
