"""The estimator that all systems share: a table in, a table of labels out."""

import datetime
import warnings

import numpy as np

from stellarlabels import __version__, columns, flags, releases
from stellarlabels.exceptions import InputError, NotFittedError, StellarLabelsWarning
from stellarlabels.labels import modelfile
from stellarlabels.labels.domain import TrainingStars
from stellarlabels.labels.ensemble import CHUNK, label_arrays, label_table
from stellarlabels.labels.revision import Revision
from stellarlabels.labels.training import Sample, cost_axes, label_targets, train_ensemble

#: Share of rows without E(B-V) up to which nothing is said of them.
FEW = 0.05


class LabelEstimator(Revision):
    """Predicts labels with errors and flags; trains, saves and loads itself.

    Subclasses declare ``name`` and ``recipes``.

    Parameters
    ----------
    recipe : str, optional
        Name of one of the class's ``recipes``; the first one by default.
    **changes
        Hyper-parameters that differ from the recipe; see `stellarlabels.labels.Recipe`.

    Attributes
    ----------
    recipe : `stellarlabels.labels.Recipe`
    ensemble : ``stellarlabels.labels.ensemble.Ensemble`` or None
        The trained networks.
    domain : `stellarlabels.labels.Domain` or None
        Where the training stars are.
    training_stars : ``stellarlabels.labels.domain.TrainingStars`` or None
        The identifiers of the stars that the training has seen, from which the flag IN_TRAINING is; a mask that is
        given to `fit` as ``validation`` is of stars that it has not seen.
    history_ : list of dict
        Losses of each network of the ensemble by epoch; see ``stellarlabels.networks.train``.
    provenance_ : dict
        Number of stars, dates and versions of the training.
    weights_ : str
        SHA-256 checksum of the file that it was loaded from; empty after a training. Tables of labels carry it.

    Raises
    ------
    InputError
        If there is no such recipe or hyper-parameter.
    """

    def fit(self, table, *, validation=None, progress=True, declare=(), release=None, start_from=None):
        """Train on a table with inputs and labels.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Inputs as for `predict`, and for each label a column of its name or an alias and, where known, one of its
            error. A star may lack some labels. Rows without usable input or without any label are left out.
        validation : float or array_like of bool, shape (N,) or (K, N)
            Share of the stars (whole stars, not spectra) that are kept out of the training of a network, to follow the
            loss, to stop early if the recipe asks for it, and to calibrate the errors. Each network of an ensemble
            leaves out other stars. Or a mask that says which rows all of them leave out, or one for each network. By
            default the share of the recipe, ``recipe.train.left_out``.
        progress : bool
            Whether to show progress bars.
        declare : sequence of `stellarlabels.columns.Column`
            Labels that neither the vocabulary nor the system knows. Those that are not declared have the unit, the
            description and the UCD of their column in the table.
        release : str, optional
            As in `predict`.
        start_from : LabelEstimator, optional
            A trained system with the same labels and networks, whose training is continued: each network starts with
            the weights of one of its networks. By default with random ones. The same ``validation`` of the same stars
            leaves out the same of them.

        Returns
        -------
        LabelEstimator
            The object itself, with ``history_`` and ``provenance_``.

        Raises
        ------
        stellarlabels.exceptions.ReleaseError
            If the stars are of another release than the system is for.
        stellarlabels.exceptions.MissingColumnError
            If the inputs or a label are missing from the table.
        InputError
            If no row can be used, or a label is known for none.

        Warns
        -----
        StellarLabelsWarning
            Where something is absent that the recipe rests on: stars that are left out, colors for the weights, E(B-V)
            of some stars, the S/N of the labels' spectra.
        """
        validation = self.recipe.train.left_out if validation is None else validation
        table, found = self.admitted(columns.intake(table), release)
        recipe = self.recipe
        columns.declare_labels(self.labels, table, declare)
        targets = label_targets(table, self.labels, recipe.per_label.likelihoods)
        features = self.feature_set.for_training(table)
        rows = np.flatnonzero(features.usable & targets.known)
        if rows.size < 2:
            why = _why(features, targets)
            raise InputError(f"table: expected at least 2 rows with usable input and a label, got {rows.size}{why}")
        checked = self._left_out(table, rows, validation)
        axes = cost_axes(recipe, table, rows)
        snr = self._label_snr(table, rows)
        self._tell_what_is_absent(features, checked)
        held_out = checked.all(axis=0) if np.ndim(validation) else np.zeros(rows.size, bool)
        self.training_stars = TrainingStars.of(table, rows[~held_out])
        features, targets = features[rows], targets[rows]
        guesses = targets.guesses()
        sample = Sample(features, targets, guesses, axes, snr)
        options = {"title": self.name, "progress": progress, "start": self._start(start_from)}
        self.ensemble, self.history_ = train_ensemble(recipe, sample, checked, self.feature_set.constants, **options)
        self.domain = self._domain_of(features, targets)
        if recipe.calibrate:
            self.ensemble.calibrate(checked, features, targets, self.feature_set)
        self.weights_, self.provenance_ = (
            "",
            {
                "stars": int(rows.size),
                "left_out_of_each_network": [int(mask.sum()) for mask in checked],
                "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
                "stellarlabels": __version__,
                "final_loss": [history["loss"][-1] for history in self.history_],
                **releases.told(found, self.release),
            },
        )
        return self

    def _start(self, other):
        """The ensemble of a trained system from which the training starts; None for random weights."""
        if other is None:
            return None
        other.check_trained()
        theirs, ours = ((one.labels, one.recipe.network, one.recipe.ensemble) for one in (other, self))
        if tuple(theirs[0]) != tuple(ours[0]) or theirs[1:] != ours[1:]:
            raise InputError(f"start_from: expected a system with {ours} (labels, network, how many), got {theirs}")
        return other.ensemble

    def _left_out(self, table, rows, validation):
        """For each network of the ensemble which of ``rows`` it leaves out, whole stars at a time; shape (K, rows)."""
        from stellarlabels.networks import split_groups

        count = self.recipe.ensemble
        if np.ndim(validation):
            mask = np.asarray(validation, dtype=bool)
            if mask.shape not in ((len(table),), (count, len(table))):
                got = " x ".join(map(str, mask.shape))
                raise InputError(f"validation: expected a mask of {len(table)} rows, got {got}")
            return np.broadcast_to(mask, (count, len(table)))[:, rows]
        return split_groups(self.stars_of(table)[rows], validation, self.recipe.seed, count)

    def _label_snr(self, table, rows):
        """S/N (rows,) of the spectra behind the labels, for recipes that ask for one; None if the table has none."""
        if not self.recipe.per_label.snr_ranges:
            return None
        if columns.find(table, "snrg") is None:
            self._tell("the table has no 'snrg', so labels from noisy spectra are trained, too; add that column")
            return None
        return columns.values(table, "snrg")[rows]

    def _tell_what_is_absent(self, features, checked):
        """Warn of rows without E(B-V), and if no network leaves out stars (K, rows) though the recipe says so."""
        without = int(flags.LABEL.has(features.flag[~features.usable], "MISSING_EBV").sum())
        if without > FEW * len(features):
            self._tell(f"{without} of {len(features)} rows have no E(B-V) and are not trained; see add_ebv")
        if self.recipe.train.left_out and not checked.any():
            share, lost = self.recipe.train.left_out, ", and errors are not calibrated" * self.recipe.calibrate
            self._tell(f"no star is left out{lost}; the recipe leaves out {share:g} of them: do not give validation=0")

    def _tell(self, text):
        warnings.warn(f"{self.name} {self.recipe_name!r}: {text}", StellarLabelsWarning, stacklevel=4)

    def predict(self, table, *, progress=None, release=None):
        """Labels, errors and flags of a table of stars.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Inputs by their names in the vocabulary; see the system's own documentation. It is not changed.
        progress : bool, optional
            Whether to show a progress bar; by default for more than 20,480 rows.
        release : str, optional
            The Gaia release of the stars, where the table does not tell it, see `stellarlabels.releases.of`; or
            "ignore": stars of another release than ``self.release`` are labelled all the same, with the flag
            OTHER_RELEASE.

        Returns
        -------
        `~astropy.table.QTable`
            As many rows as the table, in the same order: the table's identifier column, and for each label ``<label>``,
            ``<label>_err`` (standard error), ``<label>_flag`` (int32, bits of `stellarlabels.flags.LABEL`) and
            ``<label>_good`` (bool, never masked: the label is finite and no flag of level caution or bad is set).
            Labels of stars without usable input are masked. With other rows in the table, or in another order, a label
            moves by less than 2e-5 of its error. ``meta["release"]`` is the release of the stars,
            ``meta["release_note"]`` tells if nothing in the table said so.

        Raises
        ------
        stellarlabels.exceptions.ReleaseError
            If stars are of another release than the system is for.
        NotFittedError
            If the system has been neither trained nor loaded.
        stellarlabels.exceptions.MissingColumnError
            If an input without which no star can be labelled is not in the table.
        stellarlabels.exceptions.ColumnUnitError
            If a column's unit does not convert to what is needed.
        """
        from tqdm.auto import tqdm

        self.check_trained()
        table, found = self.admitted(columns.intake(table), release)
        size = min(CHUNK, self.chunk or CHUNK)
        starts = range(0, max(len(table), 1), size)
        quiet = not (len(starts) > 1 if progress is None else progress)
        chunks = tqdm(starts, desc=self.name, unit="chunk", disable=quiet)
        parts = [label_arrays(self, table[start : start + size]) for start in chunks]
        return label_table(self, table, parts, releases.told(found, self.release))

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
        if self.ensemble is None:
            raise NotFittedError(f"{self.name}: there is nothing to save before fit()")
        modelfile.write(path, *modelfile.described(self, dtype), overwrite=overwrite)

    @classmethod
    def load(cls, path):
        """Load a saved system of this class; `stellarlabels.load` takes the file of any system.

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
        return modelfile.restored(cls, path)


def _why(features, targets):
    """Words for a table without a row that a network can learn from: what the inputs or the labels lack."""
    if not targets.known.any():
        return "; no row has a value of any of the labels"
    lost = np.bitwise_or.reduce(features.flag[~features.usable], initial=0)
    names = [name for name in flags.decode(int(lost), "label") if name != "NO_INPUT"]
    said = f"; {int((~features.usable).sum())} rows lack inputs" + (f": {', '.join(names)}" if names else "")
    if "MISSING_EBV" in names:
        said += (
            "; add a column 'ebv', for instance with stellarlabels.corrections.extinction.add_ebv, or take a recipe "
            "that does without"
        )
    return said
