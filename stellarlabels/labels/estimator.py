"""The estimator that all systems share: a table in, a table of labels out."""

import datetime
import logging

import numpy as np
from astropy.table import QTable

from stellarlabels import __version__, flags, schema
from stellarlabels.exceptions import InputError, ModelFileError, NotFittedError
from stellarlabels.features.base import feature_set
from stellarlabels.labels import modelfile
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.recipe import Recipe
from stellarlabels.labels.targets import label_targets
from stellarlabels.labels.uncertainty import Calibration, combine

__all__ = ["LabelEstimator"]

_log = logging.getLogger(__name__)

#: Rows whose features are held in memory at once.
CHUNK = 20000


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
        Losses of each network of the ensemble by epoch; see `stellarlabels.models.training.train`.
    provenance_ : dict
        Number of stars, dates and versions of the training.

    Raises
    ------
    InputError
        If there is no such recipe or hyper-parameter.
    """

    name = None
    recipes = {}
    #: Array of the features in which stars are compared with the training stars.
    compared_in = "flux"

    def __init__(self, recipe=None, **changes):
        recipe = next(iter(self.recipes)) if recipe is None else recipe
        if recipe not in self.recipes:
            raise InputError(f"recipe: {self.name} has {list(self.recipes)}, got {recipe!r}")
        self.recipe_name = recipe
        self.recipe = self.recipes[recipe].with_changes(**changes)
        self._networks = []
        self._center = self._scale = self._calibration = self._domain = None
        self.history_ = []
        self.provenance_ = {}

    def __repr__(self):
        state = f"trained on {self.provenance_.get('stars')} stars" if self._networks else "not trained"
        return f"<{type(self).__name__} {self.recipe_name!r}: {', '.join(self.labels)}; {state}>"

    @property
    def labels(self):
        """Names of the labels, in the order of the output's columns."""
        return self.recipe.labels

    @property
    def feature_set(self):
        """The `stellarlabels.features.FeatureSet` that makes the network's inputs."""
        return feature_set(self.recipe.features, **self.recipe.feature_options)

    def not_applicable(self, table):
        """Stars that the system's own selection excludes; overridden by systems that have one.

        Returns
        -------
        `~numpy.ndarray` of bool, shape (N,)
        """
        return np.zeros(len(table), bool)

    # ------------------------------------------------------------------ training

    def fit(self, table, *, validation=0.0, progress=True):
        """Train on a table with inputs and labels.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Inputs as for `predict`, and for each label a column of its name or an alias and, where known, one of its
            error. A star may lack some labels. Rows without usable input or without any label are left out.
        validation : float or array_like of bool, shape (N,)
            Share of the stars (whole stars, not spectra) that are kept out of the training, to follow the loss, to
            stop early if the recipe asks for it, and to calibrate the errors; or a mask that says which rows.
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
            If no row can be used.
        """
        from stellarlabels.models import losses, networks, training, weights

        recipe = self.recipe
        targets = label_targets(table, self.labels, recipe.likelihoods)
        features = self.feature_set.compute(table)
        rows = np.flatnonzero(features.usable & targets.known)
        if rows.size < 2:
            raise InputError(f"table: expected at least 2 rows with usable input and a label, got {rows.size}")
        checked = self._validation_rows(table, rows, validation)
        train, check = rows[~checked], rows[checked]
        inputs, check_inputs = features[train], features[check]
        values = targets[train].guesses()
        self._center = np.nanmean(values, axis=0)
        spread = np.nanstd(values, axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        loss = losses.get(recipe.loss)
        if targets.is_parallax.any():
            loss = losses.with_parallaxes(targets.is_parallax, self._center, self._scale)

        def packed(index):
            return losses.pack(*targets[index].scaled(self._center, self._scale))

        sample_weight = None
        if recipe.cost_bins is not None:
            axis = values[:, recipe.labels.index(recipe.cost_label)]
            sample_weight = weights.cost_weights(inputs.color, axis, bins=recipe.cost_bins, gamma=recipe.cost_gamma)
        self._networks, self.history_ = [], []
        for member in range(recipe.ensemble):
            seed = recipe.seed + 7919 * member
            network = self._build(inputs.arrays, seed)
            networks.adapt(network, inputs.arrays, seed)
            self.history_.append(
                training.train(
                    network,
                    inputs.arrays,
                    packed(train),
                    loss=loss,
                    epochs=recipe.epochs,
                    batch_size=recipe.batch_size,
                    learning_rate=recipe.learning_rate,
                    schedule=recipe.schedule,
                    weight_decay=recipe.weight_decay,
                    clip_norm=recipe.clip_norm,
                    sample_weight=sample_weight,
                    validation=(check_inputs.arrays, packed(check)) if check.size else None,
                    patience=recipe.patience,
                    seed=seed,
                    progress=progress,
                    title=f"{self.name} {member + 1}/{recipe.ensemble}",
                )
            )
            self._networks.append(network)
        self._domain = Domain.fit(inputs, inputs.arrays[self.compared_in], self.labels, values, recipe.seed)
        self._calibration = Calibration.none(len(self.labels))
        if recipe.calibrate and check.size:
            truth = targets[check]
            predicted = truth.comparable(*self._raw(check_inputs))
            self._calibration = Calibration.fit(*predicted, truth.values, truth.errors, check_inputs.snr)
        self.provenance_ = {
            "stars": int(train.size),
            "validation_stars": int(check.size),
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "stellarlabels": __version__,
            "final_loss": [history["loss"][-1] for history in self.history_],
        }
        return self

    def _validation_rows(self, table, rows, validation):
        """Which of ``rows`` are for validation, whole stars at a time."""
        from stellarlabels.models.training import split_groups

        if np.ndim(validation) == 1:
            mask = np.asarray(validation, dtype=bool)
            if len(mask) != len(table):
                raise InputError(f"validation: expected a mask of {len(table)} rows, got {len(mask)}")
            return mask[rows]
        key = schema.identifier(table)
        groups = rows if key is None else np.asarray(table[key])[rows]
        return split_groups(groups, validation, self.recipe.seed)

    def _build(self, arrays, seed):
        """An untrained network for inputs of these shapes."""
        from stellarlabels.models import networks

        shapes = {name: int(np.shape(array)[1]) for name, array in arrays.items()}
        return networks.build(
            self.recipe.network, shapes=shapes, outputs=len(self.labels), seed=seed, **self._network_options()
        )

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
            Whether to show a progress bar; by default for more than 20,000 rows.

        Returns
        -------
        `~astropy.table.QTable`
            As many rows as the table, in the same order: the table's identifier column, and for each label ``<label>``,
            ``<label>_err`` (standard error) and ``<label>_flag`` (int32, bits of `stellarlabels.flags.LABEL`). Labels
            of stars without usable input are masked.

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

        if not self._networks:
            raise NotFittedError(f"{self.name}: train it with fit(), or take it from pretrained() or load()")
        count, labels = len(table), len(self.labels)
        mean = np.full((count, labels), np.nan)
        sigma = np.full((count, labels), np.nan)
        flag = flags.LABEL.empty((count, labels))
        starts = range(0, max(count, 1), CHUNK)
        quiet = not (len(starts) > 1 if progress is None else progress)
        for start in tqdm(starts, desc=self.name, unit="chunk", disable=quiet):
            part = slice(start, start + CHUNK)
            mean[part], sigma[part], flag[part] = self._predict_chunk(table[part])
        return self._label_table(table, mean, sigma, flag)

    def _predict_chunk(self, table):
        """Mean, error and flags, (N, L) each, of a table that fits into memory."""
        features = self.feature_set.compute(table)
        usable = features.usable
        mean = np.full((len(table), len(self.labels)), np.nan)
        sigma = mean.copy()
        if usable.any():
            picked = features[usable]
            mean[usable], sigma[usable] = self._raw(picked)
            sigma[usable] = self._calibration.apply(sigma[usable], picked.snr)
            for index, label in enumerate(self.labels):
                floor = self.recipe.error_floor.get(label, 0.0)
                sigma[usable, index] = np.maximum(sigma[usable, index], floor)
        star = features.flag | self._domain.star_flags(features, features.arrays[self.compared_in])
        star |= flags.LABEL.where(NOT_APPLICABLE=self.not_applicable(table))
        per_label = [
            star | self._domain.label_flags(label, mean[:, index], sigma[:, index])
            for index, label in enumerate(self.labels)
        ]
        return mean, sigma, np.stack(per_label, axis=1)

    def _raw(self, features):
        """Combined mean and uncalibrated error of the ensemble in the labels' units, (N, L) each."""
        from stellarlabels.models import training

        outputs = [training.predict(network, features.arrays) for network in self._networks]
        labels = len(self.labels)
        means = [output[:, :labels] * self._scale + self._center for output in outputs]
        sigmas = [np.exp(output[:, labels:]) * self._scale for output in outputs]
        return combine(means, sigmas)

    def _label_table(self, table, mean, sigma, flag):
        """The output table from plain arrays."""
        out = QTable()
        key = schema.identifier(table)
        if key is not None:
            out[key] = table[key]
        for index, label in enumerate(self.labels):
            columns = schema.label_columns(label)
            for declared, data in zip(columns, (mean, sigma, flag), strict=True):
                out[declared.name] = declared.dress(data[:, index])
        out.meta = {
            "system": self.name,
            "recipe": self.recipe_name,
            "stellarlabels": __version__,
            "trained_on": self.provenance_.get("sample", f"{self.provenance_.get('stars')} stars"),
        }
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
        if not self._networks:
            raise NotFittedError(f"{self.name}: there is nothing to save before fit()")
        arrays = {"center": self._center, "scale": self._scale}
        arrays |= {f"domain.{name}": array for name, array in self._domain.arrays.items()}
        arrays |= {"calibration.log_snr": self._calibration.log_snr, "calibration.factors": self._calibration.factors}
        for member, network in enumerate(self._networks):
            for index, weight in enumerate(_stored_weights(network)):
                arrays[f"network.{member}.{index}"] = np.asarray(weight).astype(
                    dtype if weight.trainable else "float32"
                )
        description = {
            "system": self.name,
            "recipe_name": self.recipe_name,
            "recipe": self.recipe.to_dict(),
            "shapes": {name: list(tensor.shape[1:]) for name, tensor in self._networks[0].input.items()},
            "domain": {
                "ranges": self._domain.ranges,
                "labels": self._domain.labels,
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
            return cls._from_parts(description, arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelFileError(f"{path}: the description and the arrays do not fit together ({error})") from error

    @classmethod
    def _from_parts(cls, description, arrays):
        out = cls()
        out.recipe_name = description["recipe_name"]
        out.recipe = Recipe.from_dict(description["recipe"])
        out.provenance_ = description["provenance"]
        out._center, out._scale = arrays["center"], arrays["scale"]
        out._calibration = Calibration(arrays["calibration.log_snr"], arrays["calibration.factors"])
        domain = description["domain"]
        kept = {name.removeprefix("domain."): array for name, array in arrays.items() if name.startswith("domain.")}
        out._domain = Domain(domain["ranges"], domain["labels"], kept, domain["threshold"])
        empty = {name: np.zeros((0, *shape), np.float32) for name, shape in description["shapes"].items()}
        for member in range(out.recipe.ensemble):
            network = out._build(empty, seed=0)
            targets = _stored_weights(network)
            for index, weight in enumerate(targets):
                weight.assign(arrays[f"network.{member}.{index}"].astype(np.float32))
            out._networks.append(network)
        return out


def _stored_weights(network):
    """The network's weights without the states of its random generators."""
    return [weight for weight in network.weights if "seed_generator" not in weight.path]
