"""CSNet: eight labels from thirteen J-PLUS and Gaia colors."""

from astropy.table import QTable

from stellarlabels import columns, flags, packaged
from stellarlabels.gather import Supply
from stellarlabels.labels import ONE_SIGMA, Recipe
from stellarlabels.systems.base import System
from stellarlabels.systems.derived import dereddened_photometry, galactic

__all__ = ["CSNet"]

#: Bins of the weights: of the label, and of [Fe/H] (Section 4.1).
BINS = {
    "teff": (20, 1),
    "logg": (20, 1),
    "feh": (20, 1),
    "alpha_fe": (20, 60),
    "c_fe": (28, 60),
    "n_fe": (35, 50),
    "mg_fe": (20, 40),
    "ca_fe": (25, 60),
}


def _limits(quantity, selection):
    """Smallest and largest value of a quantity in a selection of the paper's Table 2, as the quality cuts have it."""
    table = packaged.table("quality", "csnet")
    rows = table[(table["cut"] == selection) & (table["quantity"] == quantity)]
    return tuple(sorted(float(value) for value in rows["limit"]))


#: Extinction coefficients of the paper's Table 1: E(BP-RP)/E(B-V) of 1.360 for the networks, their ranges and samples.
COEFFICIENTS = "yang_2022"

#: The paper: eight networks with the same hyper-parameters (Section 4.1), ranges of labels and colors (Table 2).
PAPER = Recipe(
    labels=tuple(BINS),
    features="colors",
    feature_options={"colors": "csnet"},
    network="color_mlp",
    network_options={"hidden": (300, 200, 100), "l2": 5e-5, "error_hidden": (32, 32)},
    loss="squared",
    separate=True,
    label_ranges={label: _limits(label, f"{label}_sample") for label in BINS},
    color_ranges={label: _limits("bp_rp_0", f"{label}_color") for label in BINS},
    epochs=5000,
    batch_size=2000,
    learning_rate=1e-4,
    excess_epochs=100,
    cost_bins=BINS,
    cost_axes=("label", "feh"),
    cost_gamma=0.5,
    calibration_levels=(0.5, ONE_SIGMA),
    snr_ranges={label: _limits("snrg", f"{label}_sample")[0] for label in BINS},
    decay="l2",
    epsilon=1e-8,
    left_out=0.25,
)

#: The same networks for synthetic photometry of stars with APOGEE labels, trained in fewer and smaller steps, three of
#: them for each label. The strength of the weights was chosen on stars that were not held out for the final test: with
#: the paper's 0.5, [alpha/Fe] of common stars, most of which the noise of this photometry hides, comes out a quarter
#: worse than without weights, and [Fe/H] below -1.5 gains a sixth only. Noise in the colors keeps strong weights from
#: making the network learn rare stars by heart.
XP = PAPER.with_changes(
    labels=("teff", "logg", "feh", "alpha_fe"),
    label_ranges={},
    color_ranges={},
    snr_ranges={},
    decay="decoupled",
    epsilon=1e-7,
    left_out=0.0,
    epochs=100,
    batch_size=500,
    learning_rate=1e-3,
    schedule="cosine",
    excess_epochs=15,
    cost_gamma={"teff": 0.5, "logg": 0.5, "feh": 1.1, "alpha_fe": 0.2},
    input_noise={"feh": 1.0},
    ensemble=3,
)


#: Smaller networks, four of them, for the few thousand stars of S-PLUS and J-PLUS that SEGUE has labels for. The
#: likelihood has errors of the labels and wings; noise and strengths of the weights were chosen on left-out stars.
SPLUS = XP.with_changes(
    labels=("teff", "logg", "feh", "c_fe"),
    feature_options={"colors": "splus_dereddened"},
    network_options={"hidden": (128, 64)},
    loss="student_t",
    epochs=60,
    batch_size=512,
    learning_rate=4e-3,
    input_noise={label: 0.3 for label in BINS},
    cost_gamma={"teff": 0.0, "logg": 0.0, "feh": 0.7, "c_fe": 0.0},
    cost_bins={label: (20, 1) for label in BINS},
    calibration_axes=("magnitude",),
    ensemble=4,
)
#: J-PLUS has a third of these stars: one network learns all labels, from stars that count by how rare their [Fe/H] is.
JPLUS = SPLUS.with_changes(
    labels=("teff", "logg", "feh", "c_fe", "alpha_fe"),
    feature_options={"colors": "jplus_dereddened"},
    separate=False,
    epochs=100,
    batch_size=256,
    learning_rate=3e-3,
    input_noise=0.5,
    cost_bins=(1, 20),
    cost_gamma=0.3,
)


class CSNet(System):
    """Cost-sensitive networks on J-PLUS and Gaia colors.

    Yang, L., Yuan, H., Xiang, M., et al. 2022, A&A, 659, A181, "J-PLUS: Stellar parameters, C, N, Mg, Ca and [alpha/Fe]
    abundances for two million stars from DR1" (`2022A&A...659A.181Y
    <https://ui.adsabs.harvard.edu/abs/2022A%26A...659A.181Y>`_).

    Parameters
    ----------
    recipe : {"paper", "jplus_xp"}
        "paper": Teff, log g, [Fe/H], [alpha/Fe], [C/Fe], [N/Fe], [Mg/Fe], [Ca/Fe], a network 13-300-200-100-1 for each,
        with the paper's hyper-parameters, to be trained on one's own table. "jplus_xp": the first four of them, trained
        in a hundredth of the time; the weights that ship are for J-PLUS magnitudes synthesised from Gaia XP spectra.
    **changes
        Hyper-parameters that differ from the recipe, for instance ``labels=("feh",), seed=1`` to train one label alone;
        see `stellarlabels.labels.Recipe`.

    Notes
    -----
    Inputs: see `stellarlabels.inputs.colors`. All 13 colors are needed.

    The recipe "paper" leaves out a quarter of the stars (3:1), trains labels from spectra of S/N_g above 20 or 50
    (column ``snrg``; Table 2), and has Adam with epsilon 1e-8. The weights that ship ("jplus_xp") were trained without
    these three, with Keras' epsilon of 1e-7, and in color and label ranges of the training stars.

    The weight of a training star is Eq. 7 of the paper, in bins of the label and [Fe/H] between the smallest and the
    largest value; a star whose [Fe/H] is unknown has weight 1 for the labels with bins of [Fe/H]. Colors and labels are
    standardised (the paper says so of the colors only; its penalty of 5e-5 on the weights would mean nothing beside a
    Teff in K). The squared residuals are averaged over a batch; the optimiser is Adam as in Keras (the paper's Eqs. 6
    and on are a mixture of that and stochastic gradient descent with momentum).

    The paper gives no errors of single labels. Here the variance of a label is that of the magnitudes' errors,
    propagated through the derivatives of the network, plus an excess that a second small network learns from the
    residuals of the training stars, both calibrated on the stars that were left out.

    Ranges of BP-RP are those of the dereddened color. The range of colors of log g and [Fe/H] begins at 0.062 in the
    paper's Table 2 and at 0.063 in its text; the table counts. Its 18,714 stars for each of [N/Fe], [Mg/Fe] and [Ca/Fe]
    have different color ranges and are likely to be a slip; nothing here depends on it.
    """

    name = "csnet"
    title = "Teff, log g, [Fe/H], [alpha/Fe], C, N, Mg, Ca from J-PLUS and Gaia colors"
    reference = "https://ui.adsabs.harvard.edu/abs/2022A%26A...659A.181Y"
    citation = r"""@article{2022A&A...659A.181Y,
  author = {Yang, Lin and Yuan, Haibo and Xiang, Maosheng and others},
  title = {{J-PLUS}: Stellar parameters, {C}, {N}, {Mg}, {Ca} and [alpha/{Fe}] abundances for two million stars from
           {DR1}},
  journal = {Astronomy & Astrophysics},
  year = {2022},
  volume = {659},
  eid = {A181},
}"""
    supply = Supply("source_id", "csnet_apply_dr3", ("jplus_by_id", "gaia_by_id", "distances", "ebv"), 1500)
    recipes = {"paper": PAPER, "jplus_xp": XP, "jplus_segue": JPLUS, "splus_segue": SPLUS}
    shipped = {
        "jplus_xp": "Teff, log g, [Fe/H], [alpha/Fe]; J-PLUS, BP, RP synthesised from Gaia DR3 XP spectra, labels of "
        "APOGEE DR17; 3300-7000 K, [Fe/H] -2.5 to 0.5",
        "splus_segue": "Teff, log g, [Fe/H], [C/Fe]; magnitudes of S-PLUS DR2 (9 filters, dereddened, no Gaia), labels "
        "of SEGUE; 4500-7000 K, [Fe/H] -3.2 to -0.1",
        "jplus_segue": "Teff, log g, [Fe/H], [C/Fe], [alpha/Fe]; magnitudes of J-PLUS DR1 (12 filters, dereddened, no "
        "Gaia), labels of SEGUE; 4500-6000 K, metal-poor stars, [Fe/H] -3.2 to -1.3",
    }
    compared_in = "color"

    def own_flags(self, table, values):
        """CAUTION: Teff of dwarfs below 4800 K and log g of giants below 4500 K (the paper's Section 4.3).

        Only of stars of which M_G is known, from ``m_g``, or ``phot_g_mean_mag`` and ``r_med_geo``.
        """
        from stellarlabels.tables import quality

        if "teff" not in values:
            return {}
        color, absolute = dereddened_photometry(table, COEFFICIENTS)
        judged = {"bp_rp_0": color, "m_g": absolute, "teff": values["teff"]}
        stars = QTable({name: columns.column(name).dress(data) for name, data in judged.items()})
        cuts = quality.get("csnet").only("trusted_teff", "trusted_logg")
        failed = quality.apply(stars, cuts)["quality_flag"]
        doubted = {label: cuts.flag_set.has(failed, f"TRUSTED_{label.upper()}") for label in ("teff", "logg")}
        return {label: flags.LABEL.where(CAUTION=mask) for label, mask in doubted.items()}

    def recommended(self, table, *, selection="recommended"):
        """The stars for which the paper recommends its labels.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input of `predict`.
        selection : {"recommended", "precise", "giants", "dwarfs"}
            "recommended": FLAGS = 0 in all filters and 0.063 < (BP-RP)0 < 1.786. "precise": also G < 18 and errors of
            less than 0.1 mag. "giants" and "dwarfs": the two halves of the color-magnitude diagram, for which ``m_g``
            or ``r_med_geo`` must be known (the paper's Section 4.3).

        Returns
        -------
        `~numpy.ndarray` of bool, shape (N,)
            False also where an input of the selection is missing.
        """
        from stellarlabels.tables import quality

        color, absolute = dereddened_photometry(table, COEFFICIENTS)
        return quality.passes(table, quality.get("csnet", selection), supply={"bp_rp_0": color, "m_g": absolute})

    def derived_columns(self, table, labels):
        """Galactic coordinates where the table does not have them."""
        has_both = all(columns.find(table, name) is not None for name in "lb")
        return {} if has_both else galactic(table)
