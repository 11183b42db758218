"""The estimator that all systems share: a table in, a table of labels out."""

import copy
import datetime
import logging
import numbers

import numpy as np
from astropy.table import QTable

from stellarlabels import __version__, columns, files, flags
from stellarlabels.exceptions import InputError, ModelFileError, NotFittedError
from stellarlabels.inputs.base import feature_set
from stellarlabels.labels import modelfile
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.fitting import Member, Sample, fit_member, parts
from stellarlabels.labels.recipe import Recipe
from stellarlabels.labels.targets import label_targets
from stellarlabels.labels.uncertainty import ONE_SIGMA, Calibration, combine

__all__ = ["LabelEstimator"]

_log = logging.getLogger(__name__)

#: Rows whose features are held in memory at once.
CHUNK = 20480


class LabelEstimator:
    """Predicts labels with errors and flags; trains, saves and loads itself.

    Subclasses declare ``name`` and ``recipes``. Everything in this class is the same for all of them.

    Parameters
    ----------
    recipe : str, optional
        Name of one of the class's ``recipes``; the first one, the paper's, by default.
    **changes
        Hyper-parameters that differ from the recipe; see `stellarlabels.labels.recipe.Recipe`.

    Attributes
    ----------
    recipe : `stellarlabels.labels.recipe.Recipe`
    history_ : list of dict
        Losses of each network of the ensemble by epoch; see `stellarlabels.networks.training.train`.
    provenance_ : dict
        Number of stars, dates and versions of the training.
    weights_ : str
        SHA-256 checksum of the file that it was loaded from; empty after a training. Tables of labels carry it.

    Raises
    ------
    InputError
        If there is no such recipe or hyper-parameter.
    """

    name = None
    recipes = {}
    #: Whether the factors of a calibration on several axes are multiplied; see `stellarlabels.labels.uncertainty`.
    calibration_product = False
    #: Whether networks to which the same stars are new are calibrated together, not each for itself.
    calibrated_together = False
    #: What else a system does to calibrate its errors, for the record.
    calibrated_with = {}
    #: Central intervals (their probabilities) that are to hold what they should after the calibration.
    calibration_levels = (ONE_SIGMA,)
    #: Terms of the error that are given beside the total, as columns ``<label>_err_<term>``.
    error_terms = ()
    #: Array of the features in which stars are compared with the training stars.
    compared_in = "flux"
    #: Rows whose features are held in memory at once, where they are larger than those of other systems.
    chunk = None

    def __init__(self, recipe=None, **changes):
        recipe = next(iter(self.recipes)) if recipe is None else recipe
        if recipe not in self.recipes:
            raise InputError(f"recipe: {self.name} has {list(self.recipes)}, got {recipe!r}")
        self.recipe_name = recipe
        self.recipe = self.recipes[recipe].with_changes(**changes)
        self._members = []
        self._center = self._scale = self._calibration = self._domain = None
        self.history_ = []
        self.provenance_ = {}
        self.weights_ = ""

    def __repr__(self):
        state = f"trained on {self.provenance_.get('stars')} stars" if self._members else "not trained"
        return f"<{type(self).__name__} {self.recipe_name!r}: {', '.join(self.labels)}; {state}>"

    @property
    def labels(self):
        """Names of the labels, in the order of the output's columns."""
        return self.recipe.labels

    @property
    def feature_set(self):
        """The `stellarlabels.inputs.FeatureSet` that makes the network's inputs."""
        return feature_set(self.recipe.features, **self.recipe.feature_options)

    def not_applicable(self, table):
        """Stars that the system's own selection excludes; overridden by systems that have one.

        Returns
        -------
        `~numpy.ndarray` of bool, shape (N,)
        """
        return np.zeros(len(table), bool)

    def cautions(self, table, labels):
        """Labels of stars with which the system's authors advise caution; overridden by systems that have such.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input.
        labels : dict of str to `~numpy.ndarray` of float64, shape (N,)
            Predicted labels in their units, NaN where there is none.

        Returns
        -------
        dict of str to `~numpy.ndarray` of bool, shape (N,)
            By label; labels that are not named need none.
        """
        return {}

    # ------------------------------------------------------------------ training

    def fit(self, table, *, validation=0.0, progress=True):
        """Train on a table with inputs and labels.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Inputs as for `predict`, and for each label a column of its name or an alias and, where known, one of its
            error. A star may lack some labels. Rows without usable input or without any label are left out.
        validation : float or array_like of bool, shape (N,)
            Share of the stars (whole stars, not spectra) that are kept out of the training of a network, to follow the
            loss, to stop early if the recipe asks for it, and to calibrate the errors. Each network of an ensemble
            leaves out other stars. Or a mask that says which rows all of them leave out.
        progress : bool
            Whether to show progress bars.

        Returns
        -------
        LabelEstimator
            The object itself, with ``history_`` and ``provenance_``.

        Raises
        ------
        stellarlabels.exceptions.MissingColumnError
            If the inputs or a label are missing from the table.
        InputError
            If no row can be used, or a label is known for none.
        """
        recipe = self.recipe
        targets = label_targets(table, self.labels, recipe.likelihoods)
        features = self.training_inputs(table)
        rows = np.flatnonzero(features.usable & targets.known)
        if rows.size < 2:
            raise InputError(f"table: expected at least 2 rows with usable input and a label, got {rows.size}")
        checked = self._validation_rows(table, rows, validation)
        axis = np.full(len(table), np.nan) if recipe.cost_bins is None else columns.values(table, recipe.cost_label)
        features, targets = features[rows], targets[rows]
        guesses = targets.guesses()
        for label, known in zip(self.labels, np.isfinite(guesses).any(axis=0), strict=True):
            if not known:
                raise InputError(f"table: no star with usable input has a known {label!r} to learn from")
        self._center = np.nanmean(guesses, axis=0)
        spread = np.nanstd(guesses, axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        sample = Sample(features, targets, guesses, axis[rows])
        self._members, self.history_ = [], []
        self._calibration = Calibration()
        groups = parts(recipe)
        for number in range(recipe.ensemble):
            train, check = sample[~checked[number]], sample[checked[number]]
            for part in groups:
                name = f" {self.labels[part[0]]}" if len(groups) > 1 else ""
                member, history = fit_member(
                    self,
                    train,
                    check,
                    part,
                    recipe.seed + 7919 * number,
                    progress=progress,
                    title=f"{self.name}{name} {number + 1}/{recipe.ensemble}",
                )
                self._members.append(member)
                self.history_.append(history)
        self._domain = Domain.fit(features, features.arrays[self.compared_in], self.labels, guesses, recipe.seed)
        self._domain.restrict(recipe.label_ranges, recipe.color_ranges)
        if recipe.calibrate:
            self._calibration = self._calibrated(self._unseen(checked, features, targets))
        self.weights_ = ""
        self.provenance_ = {
            "stars": int(rows.size),
            "left_out_of_each_network": [int(mask.sum()) for mask in checked],
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "stellarlabels": __version__,
            "final_loss": [history["loss"][-1] for history in self.history_],
        }
        return self

    def calibrate(self, table, unseen=None):
        """Calibrate the errors anew on stars with known labels.

        What was done is recorded in ``provenance_``.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Inputs and labels, as for `fit`.
        unseen : array_like of bool, shape (K, N), optional
            For each network of the ensemble the stars that it was not trained on; all by default.

        Returns
        -------
        LabelEstimator
            The object itself.

        Raises
        ------
        InputError
            If the shape is not that of K networks and N stars.
        NotFittedError
            If there are no networks yet.
        """
        if not self._members:
            raise NotFittedError(f"{self.name}: train it with fit() before calibrate()")
        shape = self.recipe.ensemble, len(table)
        unseen = np.ones(shape, bool) if unseen is None else np.asarray(unseen, bool)
        if unseen.shape != shape:
            raise InputError(f"unseen: expected a mask of shape {shape}, got {unseen.shape}")
        features, targets = self.training_inputs(table), label_targets(table, self.labels, self.recipe.likelihoods)
        unseen = unseen & features.usable & targets.known
        self._calibration = self._calibrated(self._unseen(unseen, features, targets))
        self.weights_ = ""
        self.provenance_["calibration"] = {"stars": [int(mask.sum()) for mask in unseen], **self.calibrated_with}
        return self

    def fewer(self, networks):
        """The same system with only the first networks of its ensemble: as many times faster, a little less precise.

        Errors stay calibrated: they are combined of those of the single networks, see
        `stellarlabels.labels.uncertainty.combine`.

        Parameters
        ----------
        networks : int
            From 1 to the number of networks.

        Returns
        -------
        LabelEstimator
            A new object, with ``networks`` in its ``provenance_``.

        Raises
        ------
        InputError
            If there are not so many networks.
        NotFittedError
            If there are no networks yet.
        """
        self._check_trained()
        if not (isinstance(networks, numbers.Integral) and 1 <= networks <= self.recipe.ensemble):
            raise InputError(f"networks: expected a whole number from 1 to {self.recipe.ensemble}, got {networks!r}")
        out = copy.copy(self)
        out.recipe = self.recipe.with_changes(ensemble=int(networks))
        out._members = self._members[: networks * len(parts(self.recipe))]
        out.provenance_ = {**self.provenance_, "networks": int(networks)}
        out.weights_ = f"{self.weights_}, first {networks} networks" if self.weights_ else ""
        return out

    def _check_trained(self):
        if not self._members:
            raise NotFittedError(f"{self.name}: train it with fit(), or take it from pretrained() or load()")

    def training_inputs(self, table):
        """Features of training stars; overridden by systems that need more for training than for predictions."""
        return self.feature_set.compute(table)

    def _unseen(self, masks, features, targets):
        """Networks, and features and targets of the stars that they were not trained on, for `_calibrated`."""
        size, sets = len(parts(self.recipe)), {}
        for number, mask in enumerate(masks):
            key = mask.tobytes() if self.calibrated_together else number
            sets.setdefault(key, (mask, []))[1].extend(self._members[number * size : (number + 1) * size])
        return [(members, features[mask], targets[mask]) for mask, members in sets.values()]

    def _calibrated(self, unseen):
        """Calibration from what networks predict for the stars that they were not trained on.

        Parameters
        ----------
        unseen : list of tuple
            Members that share the labels among them, and features and targets of their stars.
        """
        columns = []
        for members, features, targets in unseen:
            mean, sigma = self._outputs(members, features)
            axes = self._calibration_axes(features, mean)
            columns.append((*targets.comparable(mean, sigma), targets.values, targets.errors, *axes.values()))
        mean, sigma, values, errors, *along = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        axes = dict(zip(axes, along, strict=True))
        return Calibration.fit(
            mean, sigma, values, errors, axes, levels=self.calibration_levels, product=self.calibration_product
        )

    def _calibration_axes(self, features, mean):
        """What the calibration depends on, (N,) each, NaN where unknown: magnitude, else signal-to-noise ratio."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_snr = np.log10(features.snr)
        return {"magnitude": features.magnitude, "log_snr": np.where(np.isfinite(log_snr), log_snr, np.nan)}

    def _validation_rows(self, table, rows, validation):
        """For each network of the ensemble which of ``rows`` it leaves out, whole stars at a time; shape (K, rows)."""
        from stellarlabels.networks.training import split_groups

        count = self.recipe.ensemble
        if np.ndim(validation) == 1:
            mask = np.asarray(validation, dtype=bool)
            if len(mask) != len(table):
                raise InputError(f"validation: expected a mask of {len(table)} rows, got {len(mask)}")
            return np.tile(mask[rows], (count, 1))
        key = columns.identifier(table)
        groups = rows if key is None else np.asarray(table[key])[rows]
        return split_groups(groups, validation, self.recipe.seed, count)

    def _build(self, arrays, seed, outputs):
        """An untrained network for inputs of these shapes and so many labels."""
        from stellarlabels.networks import builders as networks

        shapes = {name: int(np.shape(array)[1]) for name, array in arrays.items()}
        return networks.build(self.recipe.network, shapes=shapes, outputs=outputs, seed=seed, **self._network_options())

    def _network_options(self):
        return self.recipe.network_options

    # ------------------------------------------------------------------ prediction

    def predict(self, table, *, progress=None):
        """Labels, errors and flags of a table of stars.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Inputs by their names in the vocabulary; see the system's own documentation. It is not changed.
        progress : bool, optional
            Whether to show a progress bar; by default for more than 20,480 rows.

        Returns
        -------
        `~astropy.table.QTable`
            As many rows as the table, in the same order: the table's identifier column, and for each label ``<label>``,
            ``<label>_err`` (standard error) and ``<label>_flag`` (int32, bits of `stellarlabels.flags.LABEL`). Labels
            of stars without usable input are masked. With other rows in the table, or in another order, a label moves
            by less than 1e-5 of its error.

        Raises
        ------
        NotFittedError
            If the system has been neither trained nor loaded.
        stellarlabels.exceptions.MissingColumnError
            If an input without which no star can be labelled is not in the table.
        stellarlabels.exceptions.ColumnUnitError
            If a column's unit does not convert to what is needed.
        """
        from tqdm.auto import tqdm

        self._check_trained()
        size = min(CHUNK, self.chunk or CHUNK)
        starts = range(0, max(len(table), 1), size)
        quiet = not (len(starts) > 1 if progress is None else progress)
        chunks = tqdm(starts, desc=self.name, unit="chunk", disable=quiet)
        results = [self._predict_chunk(table[start : start + size]) for start in chunks]
        return self._label_table(table, {end: np.concatenate([part[end] for part in results]) for end in results[0]})

    def _predict_chunk(self, table):
        """Arrays (N, L) by the ending of their columns' names, of a table that fits into memory."""
        features = self.feature_set.compute(table)
        usable = features.usable
        names = ("", "_err", *(f"_err_{term}" for term in self.error_terms))
        out = {end: np.full((len(table), len(self.labels)), np.nan) for end in names}
        mean, sigma = out[""], out["_err"]
        if usable.any():
            for end, array in zip(names, self._combined(features[usable]), strict=True):
                out[end][usable] = array
            for index, label in enumerate(self.labels):
                floor = self.recipe.error_floor.get(label, 0.0)
                sigma[usable, index] = np.maximum(sigma[usable, index], floor)
        star = features.flag | self._domain.star_flags(features, features.arrays[self.compared_in])
        star |= flags.LABEL.where(NOT_APPLICABLE=self.not_applicable(table))
        cautions = self.cautions(table, dict(zip(self.labels, mean.T, strict=True)))
        per_label = [
            star
            | self._domain.label_flags(label, mean[:, index], sigma[:, index], features.color)
            | flags.LABEL.where(CAUTION=cautions.get(label, np.zeros(len(table), bool)))
            for index, label in enumerate(self.labels)
        ]
        return {**out, "_flag": np.stack(per_label, axis=1)}

    def _outputs(self, members, features):
        """Mean and error in the labels' units, (N, L) each, from members that share the labels among them."""
        from stellarlabels.networks import training

        mean = np.full((len(features), len(self.labels)), np.nan)
        sigma = mean.copy()
        for member in members:
            output = training.predict(member.network, features.arrays)
            columns = list(member.labels)
            mean[:, columns] = output[:, : len(columns)] * self._scale[columns] + self._center[columns]
            sigma[:, columns] = np.exp(output[:, len(columns) :]) * self._scale[columns]
        return mean, sigma

    def _combined(self, features):
        """Mean and calibrated error of the ensemble, and the terms of the error, (N, L) each."""
        return combine(*self._by_network(features), calibrated=bool(self._calibration.curves))

    def _by_network(self, features):
        """Means and calibrated errors of each network of the ensemble, (K, N, L) each."""
        count = len(self._members) // self.recipe.ensemble
        groups = [self._members[start : start + count] for start in range(0, len(self._members), count)]
        means, sigmas = zip(*(self._outputs(members, features) for members in groups), strict=True)
        means = np.stack(means)
        axes = self._calibration_axes(features, means.mean(axis=0))
        return means, self._calibration.apply(np.stack(sigmas), axes)

    def _label_table(self, table, arrays):
        """The output table from the arrays of `_predict_chunk`."""
        out = QTable()
        key = columns.identifier(table)
        if key is not None:
            out[key] = table[key]
        for index, label in enumerate(self.labels):
            value, error, flag = columns.label_columns(label)
            terms = [columns.error_term(label, term) for term in self.error_terms]
            for declared, data in zip((value, error, *terms, flag), arrays.values(), strict=True):
                out[declared.name] = declared.dress(data[:, index])
        out.meta = {
            "system": self.name,
            "recipe": self.recipe_name,
            "stellarlabels": __version__,
            "trained_on": self.provenance_.get("sample", f"{self.provenance_.get('stars')} stars"),
        }
        if self.weights_:
            out.meta["weights"] = f"sha256:{self.weights_}"
        return out

    # ------------------------------------------------------------------ files

    def save(self, path, *, overwrite=False, dtype="float32"):
        """Save the trained system as one file that holds arrays and text only.

        Parameters
        ----------
        path : path-like
            ``.stellarlabels`` is the usual suffix.
        overwrite : bool
        dtype : {"float32", "float16"}
            Precision of the stored trained weights; float16 halves the file and rounds them to three digits. Fixed
            scalings are always stored as float32.

        Raises
        ------
        NotFittedError
            If there is nothing to save.
        stellarlabels.exceptions.WriteError
            If the file exists and ``overwrite`` is False, or it cannot be written.
        """
        if not self._members:
            raise NotFittedError(f"{self.name}: there is nothing to save before fit()")
        arrays = {"center": self._center, "scale": self._scale}
        arrays |= {f"domain.{name}": array for name, array in self._domain.arrays.items()}
        if self._calibration.rest is not None:
            arrays["calibration.rest"] = self._calibration.rest
        for axis, (knots, factors) in self._calibration.curves.items():
            arrays |= {f"calibration.{axis}.knots": knots, f"calibration.{axis}.factors": factors}
        for number, member in enumerate(self._members):
            for index, weight in enumerate(_stored_weights(member.network)):
                arrays[f"network.{number}.{index}"] = np.asarray(weight).astype(
                    dtype if weight.trainable else "float32"
                )
        description = {
            "system": self.name,
            "recipe_name": self.recipe_name,
            "recipe": {**self.recipe.to_dict(), "feature_options": self.feature_set.config},
            "shapes": {name: list(tensor.shape[1:]) for name, tensor in self._members[0].network.input.items()},
            "calibration": list(self._calibration.curves),
            "calibration_product": self._calibration.product,
            "domain": {
                "ranges": self._domain.ranges,
                "labels": self._domain.labels,
                "colors": self._domain.colors,
                "threshold": self._domain.threshold,
            },
            "provenance": self.provenance_,
        }
        modelfile.write(path, description, arrays, overwrite=overwrite)

    @classmethod
    def load(cls, path):
        """Load a saved system.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        LabelEstimator
            Of this class, ready to predict.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, of another version, or of another system.
        """
        description, arrays = modelfile.read(path)
        if description.get("system") != cls.name:
            raise ModelFileError(f"{path}: holds a model of {description.get('system')!r}, not of {cls.name!r}")
        try:
            out = cls._from_parts(description, arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelFileError(f"{path}: the description and the arrays do not fit together ({error})") from error
        out.weights_ = files.sha256(path)
        return out

    @classmethod
    def _from_parts(cls, description, arrays):
        out = cls()
        out.recipe_name = description["recipe_name"]
        out.recipe = Recipe.from_dict(description["recipe"])
        out.provenance_ = description["provenance"]
        out._center, out._scale = arrays["center"], arrays["scale"]
        out._calibration = Calibration(
            {
                axis: (arrays[f"calibration.{axis}.knots"], arrays[f"calibration.{axis}.factors"])
                for axis in description["calibration"]
            },
            description.get("calibration_product", out.calibration_product),
            arrays.get("calibration.rest"),
        )
        domain = description["domain"]
        kept = {name.removeprefix("domain."): array for name, array in arrays.items() if name.startswith("domain.")}
        out._domain = Domain(domain["ranges"], domain["labels"], kept, domain["threshold"], domain.get("colors", {}))
        empty = {name: np.zeros((0, *shape), np.float32) for name, shape in description["shapes"].items()}
        for _ in range(out.recipe.ensemble):
            for part in parts(out.recipe):
                network = out._build(empty, seed=0, outputs=len(part))
                for index, weight in enumerate(_stored_weights(network)):
                    weight.assign(arrays[f"network.{len(out._members)}.{index}"].astype(np.float32))
                out._members.append(Member(network, part))
        return out


def _stored_weights(network):
    """The network's weights without the states of its random generators."""
    return [weight for weight in network.weights if "seed_generator" not in weight.path]
