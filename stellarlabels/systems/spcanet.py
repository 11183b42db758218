"""SPCANet: Teff, log g and 13 abundances from LAMOST medium-resolution spectra."""

import numpy as np
from astropy.table import Table

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError
from stellarlabels.gather import Supply
from stellarlabels.labels import Recipe
from stellarlabels.systems.base import System

__all__ = ["SPCANet"]

#: The 15 labels of the paper.
LABELS = (
    "teff", "logg", "feh", "c_h", "n_h", "o_h", "mg_h", "al_h", "si_h", "s_h", "ca_h", "ti_h", "cr_h", "ni_h", "cu_h",
)  # fmt: skip

#: Abundances that stars above 6500 K do not have; their [Fe/H] is in the paper's figures and cautions (Section 4.1).
ABUNDANCES = LABELS[3:]

#: Labels in which the two models are compared.
COMPARED = ("teff", "logg", "feh")

#: What names a spectrum beside its minute, in this order.
_OBSERVED = ("lmjd", "planid", "spid", "fiberid")

#: Above this Teff and below this [Fe/H] the paper advises caution (Section 4.1).
CAREFUL = {"teff": 7000.0, "feh": -1.0}

#: The paper's network at the full 4,000 pixels of each arm (Section 3.1); what it leaves out is a choice.
PAPER = Recipe(
    labels=LABELS,
    features="lamost_mrs",
    network="two_arm_cnn",
    network_options={
        "filters": (4, 8, 4),
        "kernels": (9, 9, 9),
        "strides": (1, 1, 1),
        "dense": (256, 128),
        "dropout": 0.2,
    },
    loss="gaussian",
    epochs=60,
    batch_size=256,
    learning_rate=1e-3,
    schedule="cosine",
    left_out=0.25,
    ensemble=2,
    combination="single",
)

#: The same network with strides, a twentieth of the work; the labels that synthetic spectra have.
COMPACT = PAPER.with_changes(
    labels=("teff", "logg", "feh"),
    network_options={
        "filters": (8, 16, 16),
        "kernels": (9, 7, 5),
        "strides": (5, 4, 2),
        "dense": (96, 48),
        "dropout": 0.05,
    },
    epochs=11,
    batch_size=256,
    left_out=0.1,
    learning_rate=2e-3,
    weight_decay=1e-4,
    clip_norm=5.0,
)


class SPCANet(System):
    """Stellar parameters and chemical abundances network for LAMOST medium-resolution spectra.

    Wang, R., Luo, A.-L., Chen, J.-J., et al. 2020, ApJ, 891, 23, "SPCANet: Stellar Parameters and Chemical Abundances
    Network for LAMOST-II Medium Resolution Survey" (`doi:10.3847/1538-4357/ab6dea
    <https://doi.org/10.3847/1538-4357/ab6dea>`_).

    Parameters
    ----------
    recipe : {"paper", "compact"}
        "paper": 15 labels from the network at the full 4,000 pixels of each arm, to be trained on one's own table.
        "compact": the same network with strides, a twentieth of the work; Teff, log g, [Fe/H], other labels with
        ``labels=...``.
    **changes
        Hyper-parameters that differ from the recipe; see `stellarlabels.labels.Recipe`.

    Notes
    -----
    Inputs: see `stellarlabels.inputs.lamost.MRSArms`; `stellarlabels.read_lamost` reads them from
    files. Abundances are [X/H].

    `predict` also gives ``<label>_err_model``, the standard deviation of the networks of the ensemble. With the two
    networks of the recipes it is half their difference: the second one is the paper's alternate model. Where they
    differ by more than 120 K, 0.16 dex in log g or 0.06 dex in [Fe/H], all labels of the star have the flag
    MODELS_DISAGREE. Labels of stars below 3500 K or above 8000 K, and the abundances from [C/H] to [Cu/H] of stars
    above 6500 K, have the flag NOT_APPLICABLE; in the catalog the latter are missing, as in the paper. [Fe/H] of these
    stars stays: the paper shows it up to 8000 K (Figs. 8 and 9). Labels of stars above 7000 K with [Fe/H] < -1, and
    those from an arm with S/N of at most 10, have the flag CAUTION; the paper has no such spectra.

    What the paper leaves out or says twice, and what is done here:

    - Kernels, filters, rate and epochs are not given; the recipes have 9 pixels, 4, 8 and 4 filters and dropout of a
      fifth (compact: see the recipe). The text has "two sets of double convolutional layers" and "the third", Figure 5
      three with batch normalisation each; here there are three.
    - The input is added to all filters of the last convolution; where these have strides, it is averaged first.
    - The network also gets the S/N of the arms, and whether they are there, beside the convolutions' output; it
      predicts an error for each label, which the paper lacks, by a Gaussian likelihood.
    - The paper splits 98,612 spectra of 12,433 stars at random into 6:2:1, so that most stars are on both sides, and
      its precisions hold for stars that the network has seen. Here whole stars are left out; ``split="spectrum"`` in
      `fit` does as the paper does. Of what is not the test set, the recipe "paper" leaves out a quarter (2 of 8),
      another one of each network: so the alternate model has a training set of its own.
    - Which of two agreeing models' labels the catalog has is not said; here it is their mean.
    """

    name = "spcanet"
    title = "Teff, log g and 13 abundances from LAMOST medium-resolution spectra"
    reference = "https://doi.org/10.3847/1538-4357/ab6dea"
    citation = r"""@article{2020ApJ...891...23W,
  author = {Wang, R. and Luo, A.-L. and Chen, J.-J. and others},
  title = {{SPCANet}: Stellar Parameters and Chemical Abundances Network for {LAMOST-II} Medium Resolution Survey},
  journal = {The Astrophysical Journal},
  year = {2020},
  volume = {891},
  eid = {23},
}"""
    supply = Supply("obsid", "lamost_mrs_stars", ("lamost medium",), 600000)
    recipes = {"paper": PAPER, "compact": COMPACT}
    shipped = {
        "synthetic-cannon": "Teff, log g, [Fe/H]; synthetic spectra with lines as strong as in real ones of low "
        "resolution and the noise of LAMOST DR7 to DR10, scale of LASP; 3500-8000 K, [Fe/H] -2.5 to 0.5",
    }
    compared_in = "coarse"
    chunk = 2048

    def fit(self, table, *, validation=None, progress=True, split="star", release=None):
        """Train on a table with inputs and labels.

        Parameters
        ----------
        table, validation, progress, release
            See `stellarlabels.labels.LabelEstimator.fit`. The spectra of a star are those with the same
            ``source_id`` (or ``obsid``, which differs from spectrum to spectrum).
        split : {"star", "spectrum"}
            Whether whole stars or single spectra are left out for validation, others of each network. With "spectrum",
            as in the paper, other spectra of the same star are trained on, and the validation promises too much.

        Returns
        -------
        SPCANet
            The object itself.

        Raises
        ------
        InputError
            If ``split`` is neither; and as in `stellarlabels.labels.LabelEstimator.fit`.
        """
        if split not in ("star", "spectrum"):
            raise InputError(f"split: expected 'star' or 'spectrum', got {split!r}")
        if split == "spectrum" and np.ndim(validation) == 0:
            from stellarlabels.networks import split_groups

            share = self.recipe.train.left_out if validation is None else validation
            validation = split_groups(np.arange(len(table)), share, self.recipe.seed, self.recipe.ensemble)
        super().fit(table, validation=validation, progress=progress, release=release)
        self.provenance_["split"] = split
        return self

    computed_from = {"star_name": "ra and dec", "mrs_id": "lmjd, planid, spid, fiberid and lmjm"}

    def own_flags(self, table, values):
        """CAUTION, NOT_APPLICABLE, MODELS_DISAGREE: the paper's limits on labels and on differences of two models."""
        return dict(zip(self.labels, self._limits(values).T, strict=True))

    def derived_columns(self, table, labels):
        """The names of star and spectrum in the form of the paper's Table 2, where the table has none.

        That of the star is made of its position. That of the spectrum is date-plate-spectrograph-fiber-MJM, without the
        version of the pipeline, which archives do not tell; co-added spectra have none.
        """
        out = {}
        if columns.find(table, "star_name") is None:
            ra, dec = (columns.values(table, name, required=False) for name in ("ra", "dec"))
            out["star_name"] = columns.column("star_name").dress(_names(ra, dec))
        there = {name.lower(): name for name in table.colnames}
        minute = there.get("lmjm", there.get("exposure"))
        if columns.find(table, "mrs_id") is None and minute is not None and {*_OBSERVED} <= set(there):
            parts = [table[there[name]] for name in _OBSERVED]
            out["mrs_id"] = columns.column("mrs_id").dress(_spectrum_names(*parts, table[minute]))
        return out

    def catalog(self, table, labels=None, *, release=None, strict=False):
        catalog = super().catalog(table, labels, release=release, strict=strict)
        hot = _fails("cool_enough", {"teff": columns.values(catalog, "teff")})
        for label in ABUNDANCES:
            column = columns.find(catalog, label)
            values = columns.values(catalog, label)
            catalog.replace_column(column, columns.column(label).dress(np.where(hot, np.nan, values)))
        return catalog

    def _limits(self, values):
        """Flags (N, L) from values by the names of their columns."""
        out = flags.LABEL.empty((len(next(iter(values.values()))), len(self.labels)))
        if self.recipe.ensemble > 1 and set(COMPARED) <= set(values):
            apart = {f"{label}_difference": 2 * values[f"{label}_err_model"] for label in COMPARED}
            out |= flags.LABEL.where(MODELS_DISAGREE=_fails("models_agree", apart))[:, None]
        if "teff" in values:
            teff = {"teff": values["teff"]}
            out |= flags.LABEL.where(NOT_APPLICABLE=_fails("teff_range", teff))[:, None]
            abundance = np.array([label in ABUNDANCES for label in self.labels])
            out |= flags.LABEL.where(NOT_APPLICABLE=_fails("cool_enough", teff)[:, None] & abundance)
        if {"teff", "feh"} <= set(values):
            with np.errstate(invalid="ignore"):
                careful = (values["teff"] > CAREFUL["teff"]) & (values["feh"] < CAREFUL["feh"])
            out |= flags.LABEL.where(CAUTION=careful)[:, None]
        return out


def _fails(cut, values):
    """Which stars fail one of the paper's cuts; those of which the values are not known do not."""
    from stellarlabels.tables import quality

    table = Table({name: columns.column(name).dress(array) for name, array in values.items()}, copy=False)
    passed, defined = quality.get("spcanet")[cut](table)
    return defined & ~passed


def _spectrum_names(day, plan, spectrograph, fiber, minute):
    """Names of spectra of single exposures from columns (N,); masked where a part is unknown."""
    from astropy.time import Time

    cells = [np.ma.asarray(columns.without_unit(one)) for one in (day, plan, spectrograph, fiber, minute)]
    unknown = np.any([np.ma.getmaskarray(one) for one in cells], axis=0) | (cells[4].filled(0) <= 0)
    dates = Time(cells[0].filled(0).astype(float), format="mjd").strftime("%Y%m%d")
    words = [dates, np.char.strip(cells[1].filled("").astype(str)), *(one.filled(0).astype(str) for one in cells[2:])]
    return np.ma.MaskedArray(["-".join(row) for row in zip(*words, strict=True)], mask=unknown)


def _names(ra, dec):
    """Names LAMOST Jhhmmss.ss+ddmmss.s of positions in degrees; masked where unknown."""
    from astropy import units as u
    from astropy.coordinates import Angle

    known = np.isfinite(ra) & np.isfinite(dec)
    east = Angle(np.where(known, ra, 0) * u.deg).to_string(u.hour, sep="", precision=2, pad=True)
    north = Angle(np.where(known, dec, 0) * u.deg).to_string(u.deg, sep="", precision=1, pad=True, alwayssign=True)
    names = np.char.add(np.char.add("LAMOST J", np.atleast_1d(east)), np.atleast_1d(north))
    return np.ma.MaskedArray(names, mask=~known)
