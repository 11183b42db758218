"""UACSNet: metallicities of giants, and more, from Gaia XP spectra."""

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.gather import Supply
from stellarlabels.inputs.xp import SIZES
from stellarlabels.labels import Recipe
from stellarlabels.systems.base import System
from stellarlabels.systems.derived import dereddened_photometry, galactic

__all__ = ["UACSNet"]

#: The paper: 60 dereddened pixels, two branches (Table 1), cost-sensitive Gaussian likelihood (Section 4.1).
PAPER = Recipe(
    labels=("feh",),
    features="xp_pixels",
    network="mean_variance_mlp",
    network_options={
        "hidden": (256, 64),
        "latent": 16,
        "head": (8,),
        "error_hidden": (16,),
        "error_head": (8,),
        "floor": "error_floor",
        "l2": 1e-5,
    },
    loss="gaussian",
    epochs=30000,
    batch_size=512,
    learning_rate=1e-3,
    cost_bins=(10, 15),
    cost_gamma=0.5,
    error_floor={"feh": 0.02},
    calibrate=False,
)

#: Labels of giants and dwarfs from all samples and colors, and absolute magnitudes learned from parallaxes: an ensemble
#: of residual networks, which also see the stars as noisy as fainter ones, and without some of their colors. Errors are
#: calibrated on such copies, too. Luminosities of giants and dwarfs are differently hard to tell, and dwarfs have
#: unresolved companions: errors of absolute magnitudes have factors that depend on these.
APOGEE = Recipe(
    labels=("teff", "logg", "feh", "alpha_m", "m_g_dimmed"),
    features="xp_spectrum",
    network="residual_mlp",
    network_options={
        "components": 100,
        "rank": sum(SIZES.values()),
        "width": 384,
        "blocks": 3,
        "dropout": 0.1,
        "noise": 0.5,
        "faint": (0.35, 0.0, 2.3),
        "color_groups": ((0, 1, 2), (0, 3, 4)),
        "color_rates": (0.1, 0.06),
    },
    loss="student_t",
    likelihoods={"m_g_dimmed": "parallax"},
    epochs=100,
    batch_size=512,
    learning_rate=1e-3,
    schedule="cosine",
    weight_decay=1e-4,
    clip_norm=5.0,
    ensemble=4,
    calibration_axes=("magnitude", "log_snr", "missing", "feh", "m_g_dimmed"),
    calibration_product=True,
    calibration_own=("m_g_dimmed",),
    calibration_noise=(0, 60, 240),
    calibration_dimmed=True,
    calibration_incomplete=((0, 1, 2), (0, 3, 4, "magnitude"), (0, 1, 2, 3, 4, "magnitude")),
    calibration_knots=48,
)


class UACSNet(System):
    """Uncertainty-aware cost-sensitive network on Gaia XP spectra.

    Yang, L., Yuan, H., Huang, B., et al., "Metallicities of 20 Million Giant Stars Based on Gaia XP spectra"; catalog:
    `doi:10.12149/101604 <https://doi.org/10.12149/101604>`_.

    Parameters
    ----------
    recipe : {"apogee", "paper"}
        "apogee", that of the default weights, by default. "paper": [Fe/H] of giants from 60 dereddened pixels with the
        paper's network and hyper-parameters. "apogee": Teff, log g, [Fe/H], [alpha/M] and ``m_g_dimmed`` of
        giants and dwarfs from the whole spectrum and colors, not dereddened. ``m_g_dimmed`` is the absolute
        magnitude in the G band as dimmed by dust (M_G + A_G), which gives distances without a map of dust; it
        is trained on parallaxes, see ``stellarlabels.labels.training``.
    **changes
        Hyper-parameters that differ from the recipe, for instance ``epochs=300, seed=1``; see
        `stellarlabels.labels.Recipe`.

    Notes
    -----
    Inputs: ``source_id``; ``flux`` and ``flux_error`` (cells of 343 samples, 336 to 1020 nm; W m-2 nm-1) or XP
    coefficients; the recipe "paper" needs ``ebv`` and uses ``phot_bp_mean_mag`` and ``phot_rp_mean_mag`` for flags; the
    recipe "apogee" uses ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag``, ``j_m``, ``h_m``, ``ks_m``
    where they are there.

    Choices where the paper is silent or contradicts itself: pixel edges are 60 equal bins of 11.4 nm; the normalisation
    window is 10 nm wide; flux and errors are standardised; the paper's Eq. 7 mixes the standard deviation with its
    square, here the standard deviation is ``max(0.02 dex, network output)``; Eq. 8 has a label in the denominator that
    does not belong there; Eq. 12 puts the weight in front of the sum, here it is each star's own; the L2 term with the
    paper's lambda is on the kernels of all layers.

    The weights called "paper" have the paper's networks and inputs, but were trained otherwise than the recipe "paper"
    trains now: with APOGEE DR17 in place of PASTEL; 170 epochs, since 30,000 would overfit these stars; five networks,
    whose errors are recalibrated; the floor of 0.02 dex under the finished errors, not in the likelihood; E(B-V) of
    Burstein & Heiles, not SFD; giants by log g < 3.5 instead of their absolute magnitude; no cuts in ``|Z|`` and in the
    flux excess; spectra that were not corrected after Huang et al. (2024). The recipe does not recalibrate.
    """

    name = "uacsnet"
    title = "Teff, log g, [Fe/H], [alpha/M] from Gaia XP spectra; [Fe/H] of giants as in the paper"
    reference = "https://doi.org/10.12149/101604"
    citation = r"""@misc{Yang_UACSNet,
  author = {Yang, Lin and Yuan, Haibo and Huang, Bowen and Zhang, Ruoyi and Beers, Timothy C. and Xiao, Kai and
            Xu, Shuai and Huang, Yang and Xiang, Maosheng and Zhang, Meng and Zhang, Jinming},
  title = {Metallicities of 20 Million Giant Stars Based on Gaia XP spectra},
  doi = {10.12149/101604},
  note = {the DOI is that of the catalog},
}"""
    supply = Supply("source_id", "gaia_stars", ("gaia_by_id", "distances", "xp samples", "ebv"), 15000)
    recipes = {"apogee": APOGEE, "paper": PAPER}
    shipped = {
        "apogee": "Teff, log g, [Fe/H], [alpha/M], M_G + A_G (distance); Gaia DR3 XP spectra, labels of APOGEE DR17 "
        "and parallaxes; 3300-7000 K, [Fe/H] -2.3 to 0.5",
        "paper": "[Fe/H] of giants (five of the paper's networks, its inputs); Gaia DR3 XP spectra, labels of APOGEE "
        "DR17; [Fe/H] -2.3 to 0.5, E(B-V) < 0.2",
    }

    computed_from = {
        "bp_rp_0": "phot_bp_mean_mag, phot_rp_mean_mag and ebv",
        "m_g": "phot_g_mean_mag, r_med_geo and ebv",
        "l": "ra and dec",
        "b": "ra and dec",
    }

    def not_applicable(self, table):
        """Dwarfs, for the recipe that is for giants: those whose M_G is known and is not that of a giant.

        The selection is ``M_G < -x**2 + 6.5 x - 1.8`` with x = (BP-RP)0 (the paper's Section 2.3).
        """
        if self.recipe.features != "xp_pixels":
            return super().not_applicable(table)
        color, absolute = dereddened_photometry(table)
        with np.errstate(invalid="ignore"):
            return absolute >= -(color**2) + 6.5 * color - 1.8

    def distances(self, table, labels=None, *, release=None, zero_point=True, **options):
        """Distances from the predicted absolute magnitudes and, where the table has them, parallaxes.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input of `predict`, with ``phot_g_mean_mag``; ``parallax`` and ``parallax_error`` are used where they
            are there.
        labels : `~astropy.table.Table`, optional
            The output of `predict` for that table; computed if not given.
        release : str, optional
            As in `predict`.
        zero_point : bool
            Whether the parallaxes are corrected for their zero-point first, with
            `stellarlabels.corrections.parallax.correct_parallax`; False if they are already.
        **options
            For `stellarlabels.distances.distances`, for instance ``prior="exponential"`` or ``use_parallax=False``.

        Returns
        -------
        `~astropy.table.QTable`
            See `stellarlabels.distances.distances`.

        Raises
        ------
        InputError
            If the system does not predict ``m_g_dimmed``; take ``UACSNet.pretrained("apogee")``.
        stellarlabels.exceptions.MissingColumnError
            If a column is missing without which there is no zero-point; give it, or ``zero_point=False``.
        """
        from stellarlabels.distances import distances

        if "m_g_dimmed" not in self.labels:
            raise InputError(f"{self!r} has no absolute magnitude; take UACSNet.pretrained('apogee')")
        table = columns.intake(table)
        labels = self.predict(table, release=release) if labels is None else labels
        return distances(table, labels, band="g_dimmed", release=release, zero_point=zero_point, **options)

    def derived_columns(self, table, labels):
        """Galactic coordinates, (BP-RP)0 and M_G where the table does not have them.

        M_G needs ``r_med_geo``; extinction in G follows from E(B-V) with the coefficients of Zhang & Yuan (2023), since
        the paper does not state its own.
        """
        out = {}
        color, absolute = dereddened_photometry(table)
        for name, data in (("bp_rp_0", color), ("m_g", absolute)):
            if columns.find(table, name) is None:
                out[name] = columns.column(name).dress(data)
        if columns.find(table, "l") is None or columns.find(table, "b") is None:
            out |= galactic(table)
        return out
