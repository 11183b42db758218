"""SolarDis: stellar labels and distances of solar-like stars from LAMOST low-resolution spectra."""

import numpy as np
from astropy.table import Table

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.gather import Supply
from stellarlabels.inputs.lamost import lamost_columns, normalised
from stellarlabels.inputs.spectra import pixel_column, redshift
from stellarlabels.labels import Recipe
from stellarlabels.systems.base import System

__all__ = ["SolarDis"]

#: Scatter of the paper's test stars (its Section 3.3 and, for M_G, the code), for weights that come without errors.
PAPER_SCATTER = {"teff": 86.0, "logg": 0.07, "feh": 0.06, "m_g": 0.2546, "bp_rp_0": 0.03}

#: A redshift that no star of the Galaxy has.
LARGEST_REDSHIFT = 0.01

#: The paper (Sections 2.2 and 3): the published pre-processing, the network, its loss and learning rate; five networks
#: each of which leaves out another fifth of the stars.
PAPER = Recipe(
    labels=("teff", "logg", "feh", "m_g", "bp_rp_0"),
    features="lamost_lrs",
    feature_options={"variant": "code"},
    network="spectrum_cnn",
    network_options={"filters": (64, 128, 256), "kernel": 3, "pool": 3, "dense": (512, 256), "slope": 0.01},
    loss="squared",
    epochs=100,
    batch_size=64,
    learning_rate=1e-4,
    schedule="plateau",
    left_out=0.2,
    ensemble=5,
    calibration_product=True,
)

#: Networks for a thousand stars: noise-weighted components, a kernel machine and a perceptron.
COMPACT = Recipe(
    labels=("teff", "logg", "feh", "m_g", "bp_rp_0"),
    features="lamost_lrs",
    feature_options={"variant": "local", "width": 31},
    network="kernel_mlp",
    network_options={
        "components": 32,
        "windows": (None, (110, 890)),
        "floor": 0.004,
        "iterations": 4,
        "width": 64,
        "dropout": 0.1,
        "share": (0.45, 0.55, 0.45, 0.3, 0.4),
        "reach": (1.25,),
        "centers": 2000,
        "bends": (0.15,),
        "noise": 1.0,
        "copies": 4,
    },
    label_ranges={"teff": (3800.0, 13000.0)},
    loss="student_t",
    epochs=20,
    batch_size=256,
    learning_rate=3e-3,
    schedule="cosine",
    weight_decay=1e-3,
    clip_norm=5.0,
    ensemble=5,
    calibration_axes=("magnitude", "log_snr", "teff"),
    calibration_product=True,
)


class SolarDis(System):
    """Convolutional network on LAMOST low-resolution spectra, and distances from its absolute magnitudes.

    Shen, Y.-Y., & Luo, A.-L. 2024, A&A, 691, "Distance and stellar parameter estimations of solar-like stars from the
    LAMOST spectroscopic survey" (`doi:10.1051/0004-6361/202450164 <https://doi.org/10.1051/0004-6361/202450164>`_).

    Parameters
    ----------
    recipe : {"paper", "compact"}
        "paper": Teff, log g, [Fe/H], M_G and (BP-RP)0 with the paper's network of 23,849,605 parameters, for
        training on one's own table. "compact": the same labels with a network for few stars, trained on real spectra
        with labels of the LAMOST pipeline (LASP); M_G and (BP-RP)0 follow from these labels by the parallaxes of other
        LAMOST stars.
    variant : {"paper", "compact"}, optional
        Another name of ``recipe``.
    **changes
        Hyper-parameters that differ from the recipe, for instance ``epochs=300, seed=1``; see
        `stellarlabels.labels.Recipe`. ``feature_options={"variant": "paper"}`` takes the pre-processing that the
        paper states instead of that of its code; see `stellarlabels.inputs.lamost.normalised`.

    Notes
    -----
    Inputs: ``obsid``, ``wavelength``, ``flux``, ``ivar``, ``andmask``, ``ormask``, ``z`` (or ``radial_velocity``) as
    from `stellarlabels.read_lamost`. Where neither ``z`` nor ``radial_velocity`` is known, or one of
    them is -9999, the star is taken to be at rest, and its labels have the flag MISSING_VELOCITY; for spectra that are
    at rest already give ``z = 0``. Distances need ``phot_g_mean_mag`` and ``bp_rp`` (or
    ``phot_bp_mean_mag`` and ``phot_rp_mean_mag``) besides.

    The paper states neither the number of epochs nor the size of batches, nor the slope of LeakyReLU: here 100, 64 and
    0.01; of the authors' own weights the slope is that of their file (`import_published`). The networks of the recipe
    "paper" leave out a fifth of the stars each (`fit` without ``validation``), as in the paper. It gives no errors of
    single stars; here those of the recipe "paper" are the scatter of the stars that each network was not trained on, as
    a function of the signal-to-noise ratio. The networks of the recipe "compact" predict errors, with a factor from
    such stars that depends on the signal-to-noise ratio and on Teff. Stars, not spectra, are left out.
    """

    name = "solardis"
    title = "Teff, log g, [Fe/H], M_G, (BP-RP)0 and distances from LAMOST low-resolution spectra"
    reference = "https://doi.org/10.1051/0004-6361/202450164"
    citation = r"""@article{Shen_SolarDis,
  author = {Shen, Y.-Y. and Luo, A.-L.},
  title = {Distance and stellar parameter estimations of solar-like stars from the {LAMOST} spectroscopic survey},
  journal = {Astronomy & Astrophysics},
  year = {2024},
  volume = {691},
  doi = {10.1051/0004-6361/202450164},
}"""
    supply = Supply("obsid", "lamost_stars", ("lamost low",), 100000, for_distances=("gaia near", "gaia_by_id"))
    recipes = {"paper": PAPER, "compact": COMPACT}
    shipped = {
        "compact": "Teff, log g, [Fe/H], M_G, (BP-RP)0 (distance); LAMOST DR10 spectra, labels of LASP, parallaxes; "
        "4100-8500 K, [Fe/H] -2.3 to 0.4",
    }
    chunk = 2048

    def __init__(self, recipe=None, *, variant=None, **changes):
        if variant is not None and recipe not in (None, variant):
            raise InputError(f"variant: is another name of recipe, got {variant!r} and {recipe!r}")
        super().__init__(variant if recipe is None else recipe, **changes)

    @classmethod
    def import_published(cls, path, *, center, scale, slope=None):
        """The system with the authors' weights, which the user has downloaded (doi:10.5281/zenodo.13748129).

        Of the file only arrays are read; code in it is not run. The authors' scaler of the labels is a pickled object,
        which cannot be read without running what it says; its numbers are arguments.

        Parameters
        ----------
        path : path-like
            Folder of the TensorFlow SavedModel, or a ``.keras`` or ``.h5`` file.
        center, scale : array_like, shape (5,)
            Mean and standard deviation of the labels, ``mean_`` and ``scale_`` of the authors' StandardScaler, in the
            order Teff, log g, [Fe/H], M_G, (BP-RP)0.
        slope : float, optional
            Slope of the LeakyReLU activations below 0. It is read from files that describe the network (``.keras``,
            ``.h5`` of a whole model, SavedModel), and has to be given for files of weights alone. Keras' layer has 0.3,
            its activation "leaky_relu" 0.2. With a wrong slope all labels are off, by tens of K and 0.05 mag in M_G.

        Returns
        -------
        SolarDis
            With the recipe "paper" and one network. Errors are the scatter of the paper's test stars, the same for all.

        Raises
        ------
        stellarlabels.exceptions.ModelFileError
            If the file is missing, damaged, or of another network.
        InputError
            If center and scale are not five numbers each, or a scale is not positive; if the slope is neither in the
            file nor given, or the two differ.
        """
        from stellarlabels.labels import Calibration, Domain, Ensemble, Member, build_network
        from stellarlabels.systems import kerasfile

        out = cls("paper", ensemble=1)
        count = len(out.labels)
        for name, values in (("center", center), ("scale", scale)):
            values = np.asarray(values, float)
            if values.shape != (count,) or not np.isfinite(values).all() or (name == "scale" and (values <= 0).any()):
                raise InputError(f"{name}: expected {count} numbers, got {values}")
        layers = kerasfile.read_layers(path)
        slope = _slope(kerasfile.read_slope(path), slope, path)
        out.recipe = out.recipe.with_changes(network_options={"slope": slope})
        center, scale, size = np.asarray(center, float), np.asarray(scale, float), _pixels(out)
        network = build_network(out.recipe, {"flux": size}, count)
        kerasfile.assign(network, layers, path)
        factors = np.array([PAPER_SCATTER[label] for label in out.labels]) / scale
        calibration = Calibration({"log_snr": (np.zeros(1), factors[None])})
        out.ensemble = Ensemble(out.recipe, center, scale, [Member(network, tuple(range(count)))], calibration)
        spread = {
            label: (float(middle - 5 * width), float(middle + 5 * width), float(width))
            for label, middle, width in zip(out.labels, center, scale, strict=True)
        }
        arrays = {"center": np.ones(size), "matrix": np.zeros((size, 1)), "references": np.zeros((1, 1))}
        arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
        out.domain = Domain({"snr": (10.0, np.inf)}, spread, arrays, np.inf)
        out.provenance_ = {
            "sample": "18,573 stars of the SolarDis paper (APOGEE DR17 and Gaia DR3 labels)",
            "stars": 14858,
        }
        return out

    def distances(
        self, table, labels=None, *, extinction=None, absolute_mag_err=None, release=None, zero_point=True, **options
    ):
        """Distances from the predicted M_G and (BP-RP)0.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input of `predict`, with ``phot_g_mean_mag`` and ``bp_rp`` (or ``phot_bp_mean_mag`` and
            ``phot_rp_mean_mag``).
        labels : `~astropy.table.Table`, optional
            The output of `predict` for that table; computed if not given.
        extinction : Quantity or array_like, optional
            A_G in mag. By default that of the published code, ``1.8626 (BP-RP - (BP-RP)0)``, negative where the
            predicted color is redder than the observed one (`extinction`).
        absolute_mag_err : Quantity or array_like, optional
            Error of M_G in mag; by default the predicted one. The published catalog has 0.2546 for all stars.
        release : str, optional
            As in `predict`.
        zero_point : bool
            Whether parallaxes, where they are used, are corrected for their zero-point first; False if they are.
        **options
            For `stellarlabels.distances.distances`; parallaxes are not used unless ``use_parallax=True``.

        Returns
        -------
        `~astropy.table.QTable`
            See `stellarlabels.distances.distances`. The published distance is ``distance_mode``, which is smaller than
            the median ``distance`` by the factor ``exp(-(0.4605 sigma)**2)``, 1.4 % for 0.2546 mag.

        Raises
        ------
        InputError
            If the system does not predict ``m_g``.
        stellarlabels.exceptions.MissingColumnError
            If the photometry is missing.
        """
        from stellarlabels.distances import distances

        if "m_g" not in self.labels:
            raise InputError(f"{self!r} has no m_g, and so no distances; take SolarDis.pretrained(), or train with m_g")
        table = columns.intake(table)
        labels = self.predict(table, release=release) if labels is None else labels
        extinction = self.extinction(table, labels) if extinction is None else extinction
        options = {"use_parallax": False, "release": release, "zero_point": zero_point, **options}
        return distances(table, labels, band="g", extinction=extinction, absolute_mag_err=absolute_mag_err, **options)

    @staticmethod
    def extinction(table, labels):
        """A_G of the published code, ``A_G/E(BP-RP) (BP-RP - (BP-RP)0)`` with the coefficients of PARSEC for a G2V
        star.

        Parameters
        ----------
        table : `~astropy.table.Table`
            With ``bp_rp``, or ``phot_bp_mean_mag`` and ``phot_rp_mean_mag``.
        labels : `~astropy.table.Table`
            With ``bp_rp_0``.

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N,)
            mag; not cut off at 0.
        """
        from stellarlabels.corrections.extinction import coefficients

        law = coefficients("parsec")
        if columns.find(table, "bp_rp") is not None:
            color = columns.values(table, "bp_rp")
        else:
            color = columns.values(table, "phot_bp_mean_mag") - columns.values(table, "phot_rp_mean_mag")
        return law.ratio("G") / law.ratio("BP-RP") * (color - columns.values(labels, "bp_rp_0"))

    def catalog(self, table, labels=None, *, release=None, strict=False):
        """The catalog in the published schema (Table D.1 of the paper), see
        `stellarlabels.systems.System.catalog`.

        ``cnn_distance`` is the mode for an error of 0.2546 mag of M_G, as published, where the recipe gives M_G and the
        table has the photometry; ``flag`` is 1 for spectra of which the published pre-processing replaced pixels,
        whatever the pre-processing of the networks. Zero-points and corrected parallaxes are computed where the table
        has what it takes. Columns ``teff``, ``logg`` and ``feh`` of the table are those of LASP if it says that they
        are of LAMOST (``meta["catalog"]``, as from `stellarlabels.tables.read_labels`).
        """
        from astropy.table import QTable

        from stellarlabels.distances import published_value

        table = columns.intake(table)
        labels = self.predict(table, release=release) if labels is None else labels
        colors = ("bp_rp",) if columns.find(table, "bp_rp") is not None else ("phot_bp_mean_mag", "phot_rp_mean_mag")
        photometry = ("phot_g_mean_mag", *colors)
        if "m_g" in self.labels and all(columns.find(table, name) is not None for name in photometry):
            found = self.distances(table, labels, absolute_mag_err=published_value("solardis_m_g_err"))
            labels = QTable(labels)
            labels["distance"] = found["distance_mode"]
        return super().catalog(table, labels, release=release, strict=strict)

    computed_from = {
        **{
            f"{name}_lasp{end}": f"{name}{end} of a table whose meta['catalog'] says 'lamost'"
            for name in ("teff", "logg", "feh")
            for end in ("", "_err")
        },
        "distance": "m_g, bp_rp_0 and the magnitudes G, BP and RP",
        "bad_pixel_flag": "spectra",
        "parallax_over_error": "parallax and parallax_error",
        "bp_rp": "phot_bp_mean_mag and phot_rp_mean_mag",
        "parallax_zero_point": "parallaxes with what Gaia gives beside them, see stellarlabels.corrections.parallax",
        "parallax_corrected": "parallaxes with what Gaia gives beside them, see stellarlabels.corrections.parallax",
    }

    def derived_columns(self, table, labels):
        """The flag of bad pixels, where the table has spectra, parallaxes with their zero-point, and labels of LASP."""
        from stellarlabels.corrections.parallax import zero_point
        from stellarlabels.tables import quality

        out = {name: quality.quantity(table, name) for name in ("parallax_over_error", "bp_rp")}
        try:
            out["parallax_zero_point"] = np.ma.filled(columns.without_unit(zero_point(table)), np.nan)
            out["parallax_corrected"] = columns.values(table, "parallax") - out["parallax_zero_point"]
        except (MissingColumnError, InputError):
            pass
        if table.meta.get("catalog") == "lamost":
            for name in ("teff", "logg", "feh"):
                value, error, _ = columns.label_columns(name)
                out[f"{name}_lasp"] = columns.values(table, name, required=False)
                out[f"{name}_lasp_err"] = columns.column_values(table, error, required=False)
        out = {name: array for name, array in out.items() if np.isfinite(array).any()}
        out = {name: array for name, array in out.items() if columns.column_name(table, _declared(name)) is None}
        out = {name: _declared(name).dress(array) for name, array in out.items()}
        if columns.column_name(table, pixel_column("flux")) is not None:
            out["bad_pixel_flag"] = self._bad_pixels(table, labels)
        return out

    def _bad_pixels(self, table, labels):
        """1 for spectra of which the published pre-processing replaced pixels, 0 for others, masked without input."""
        found, own = labels[f"{self.labels[0]}_flag"], self.recipe.feature_options.get("variant")
        replaced = flags.LABEL.has(found, "BAD_SAMPLES")
        if own not in ("code", "paper"):
            size = self.chunk
            parts = [normalised(table[start : start + size]) for start in range(0, len(table), size)]
            replaced = np.concatenate([part.replaced for part in parts]) if parts else np.zeros(0, bool)
        flag = np.ma.MaskedArray(replaced.astype(np.int16), flags.LABEL.has(found, "NO_INPUT"))
        return columns.column("bad_pixel_flag").dress(flag)

    def not_applicable(self, table):
        """What is no star, and for the recipe "paper" what is not solar-like.

        No star: the survey's ``class`` is another one, or the redshift is larger than 0.01. Not solar-like: outside of
        the selection of the paper (its Sections 2.1 and 4.1) after the labels of LASP (``teff_lasp``, ``logg_lasp``,
        ``feh_lasp``), or after ``teff``, ``logg`` and ``feh`` of the table, where it has them.
        """
        from astropy.table import QTable

        from stellarlabels.tables import quality

        with np.errstate(invalid="ignore"):
            out = np.abs(redshift(table)) > LARGEST_REDSHIFT
        named = columns.column_name(table, lamost_columns()["class"])
        if named is not None:
            kind = np.ma.filled(np.ma.MaskedArray(columns.without_unit(table[named]), dtype=object), "")
            out |= ~np.isin([str(word).strip().upper() for word in kind], ["STAR", ""])
        if self.recipe.network != "spectrum_cnn":
            return out
        names = ("teff", "logg", "feh")
        lasp = "_lasp" * any(columns.find(table, f"{name}_lasp") is not None for name in names)
        known = {name: columns.values(table, f"{name}{lasp}", required=False) for name in names}
        judged = np.all([np.isfinite(values) for values in known.values()], axis=0)
        lasp = QTable({name: columns.column(name).dress(values) for name, values in known.items()})
        passes = np.ma.filled(quality.passes(lasp, quality.get("solardis", "solar_like")), False)
        return out | (judged & ~passes)

    def stars_of(self, table):
        """Stars by position or ``source_id``: an obsid is that of a spectrum."""
        from stellarlabels.tables import group_by_star

        placed = columns.find(table, "ra") is not None and columns.find(table, "dec") is not None
        if placed or columns.find(table, "source_id") is not None:
            return np.asarray(group_by_star(table)["star_index"])
        return super().stars_of(table)


def _declared(name):
    """The declaration of a column of the catalog, or of the error of one."""
    return columns.label_columns(name.removesuffix("_err"))[1] if name.endswith("_lasp_err") else columns.column(name)


def _slope(stated, given, path):
    """The slope of the activations, stated in a file or given; `InputError` if neither is, or they differ."""
    if stated is None and given is None:
        raise InputError(
            f"slope: {path} holds weights alone and does not say the slope of their LeakyReLU activations; give it "
            "(0.3 for Keras' layer, 0.2 for its activation 'leaky_relu'), or import the file of the whole model"
        )
    if None not in (stated, given) and abs(stated - given) > 1e-6:
        raise InputError(f"slope: {path} says {stated:g}, got {given:g}; leave the argument away")
    return float(given if stated is None else stated)


def _pixels(system):
    """Number of pixels of the system's input."""
    table = Table({"flux": np.zeros((0, 2)), "ivar": np.zeros((0, 2))})
    table.meta["wavelength"] = np.array([3700.0, 9100.0])
    return system.feature_set.compute(table).arrays["flux"].shape[1]
