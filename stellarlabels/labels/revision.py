"""What is done with a trained system afterwards: calibrated anew, carried over, taught what is outside, made less."""

import copy
import numbers

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.labels import adaptation, distillation, outside
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.ensemble import kind_of
from stellarlabels.labels.recipe import Declaration
from stellarlabels.labels.training import label_targets


class Revision(Declaration):
    """A system that can be revised once it has been trained."""

    def calibrate(self, table, unseen=None, *, plan=None, release=None):
        """Calibrate the errors anew on stars with known labels.

        What was done is recorded in ``provenance_``.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Inputs and labels, as for `fit`.
        unseen : array_like of bool, shape (K, N), optional
            For each network of the ensemble the stars that it was not trained on; all by default.
        plan : `stellarlabels.labels.CalibrationPlan`, optional
            What the factors depend on, if not what the recipe says.
        release : str, optional
            As in `predict`.

        Returns
        -------
        LabelEstimator
            The object itself.

        Raises
        ------
        stellarlabels.exceptions.ReleaseError
            If the stars are of another release than the system is for.
        InputError
            If the shape is not that of K networks and N stars.
        NotFittedError
            If there are no networks yet.
        """
        self.check_trained()
        table, _ = self.admitted(columns.intake(table), release)
        shape = (self.recipe.ensemble, len(table))
        unseen = np.ones(shape, bool) if unseen is None else np.asarray(unseen, bool)
        if unseen.shape != shape:
            raise InputError(f"unseen: expected a mask of shape {shape}, got {unseen.shape}")
        features = self.feature_set.for_training(table)
        targets = label_targets(table, self.labels, self.recipe.per_label.likelihoods)
        unseen = unseen & features.usable & targets.known
        self.ensemble = copy.copy(self.ensemble)  # that of a copy stays as it is
        if plan is not None:
            self.recipe = self.ensemble.recipe = self.recipe.with_changes(calibration=plan)
        self.ensemble.calibrate(unseen, features, targets, self.feature_set)
        self.weights_, noise = "", self.recipe.calibration.noise
        done = {"stars": [int(mask.sum()) for mask in unseen], "noise": list(noise)}
        self.provenance_["calibration"] = done if len(noise) > 1 else {"stars": done["stars"]}
        return self

    def adapt(self, table, *, same_as, pairs=None, labels=None, release=None, fine_tune=None, progress=True):
        """The same system for another data release, learned from stars that have spectra in both.

        A linear map takes spectra of the new release, with their errors, to those that the networks know. Where that
        does not suffice, the networks are trained further to say of the new spectra what they said of the old ones,
        errors included. Errors are calibrated on a fifth of the stars, which is left out of all this by a hash of the
        identifier, and the range of the stars is taken anew. Some 5,000 stars are enough.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Stars of the new release, N rows: inputs as for `predict`, XP coefficients or samples. Labels can then be
            predicted from what this table has: coefficients or samples.
        same_as : `~astropy.table.Table` or data frame
            The same stars in the release that the system is for, with inputs as for `predict`; in any order, and there
            may be others.
        pairs : `~astropy.table.Table` or data frame, optional
            Which stars are the same: identifiers of both releases, such as ``dr3_source_id`` and ``dr4_source_id`` of
            the archive's table of neighbours. Sources that were split or merged are left out. By default stars are
            matched by position, within 1 arcsec, at the same epoch.
        labels : `~astropy.table.Table` or data frame, optional
            Labels of the stars that are known, of a survey for instance, row by row as in ``table``, with errors as for
            `fit`: the errors are calibrated anew against them, so they should be of stars that the networks were not
            trained on. By default the calibration of the old release is kept, and errors grow if labels differ from
            those of the old release by more than both errors allow.
        release : str, optional
            The new release, where ``table`` does not tell it; see `stellarlabels.releases.of`.
        fine_tune : bool, optional
            Whether to train the networks further; by default if the map leaves more than the noise of the spectra. What
            they learn is kept only if labels of stars left out come closer to those of the old release by it.
        progress : bool
            Whether to show progress bars.

        Returns
        -------
        LabelEstimator
            A new object; its ``release`` is the new one, ``provenance_["adapted"]`` tells what was done and measured.

        Raises
        ------
        stellarlabels.exceptions.ReleaseError
            If ``table`` is not of one other release, or ``same_as`` not of the system's; or if the system does not
            depend on a release.
        stellarlabels.exceptions.MissingColumnError
            If inputs, positions or identifiers are missing.
        InputError
            If there are too few stars, or the inputs of the system are of a kind that cannot be carried over.
        NotFittedError
            If there are no networks yet.
        """
        options = {"pairs": pairs, "labels": labels, "release": release, "fine_tune": fine_tune}
        return adaptation.adapted(self, table, same_as, progress=progress, **options)

    def distil(self, table, *, networks=1, copies=16, validation=0.1, release=None, progress=True, **changes):
        """A student: a system with few networks that has learned to say what all networks of this one say together.

        It learns from copies of the stars, not from their labels: each is a mixture of a star and a similar one, with
        noise added that has up to a hundred times the covariance of its inputs, and for some colors are unknown. Of
        systems that propagate the errors of their inputs it does so, too, through its own derivatives; the variances of
        dropout passes and between networks, and the excess, it has learned. Its errors are calibrated on stars whose
        copies it has not seen, and it knows where labels hold as this system does.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Inputs and labels, as for `fit`: the stars of the training. Labels serve the calibration alone.
        networks : int
            Number of networks of the student.
        copies : int
            Copies of each star. What is said of them takes as long as a prediction without derivatives.
        validation : float or array_like of bool, shape (N,)
            As of `fit`: share of the stars of which the student sees no copies.
        release : str, optional
            As in `predict`.
        progress : bool
            Whether to show progress bars.
        **changes
            Hyper-parameters that differ from those of this system and of students, for instance ``epochs=100`` or
            ``network_options={"width": 256}``; see `stellarlabels.labels.Recipe`.

        Returns
        -------
        LabelEstimator
            A new object. ``provenance_["student"]`` names the teacher, and has the scatter of the labels about the
            teacher's, in the student's errors, for stars left out.

        Raises
        ------
        stellarlabels.exceptions.ReleaseError
            If the stars are of another release than the system is for.
        stellarlabels.exceptions.MissingColumnError
            If the inputs or a label are missing from the table.
        InputError
            If there are too few rows, or a hyper-parameter is not one of a recipe.
        NotFittedError
            If there are no networks yet.
        """
        options = {"networks": networks, "copies": copies, "validation": validation, "release": release}
        return distillation.distilled(self, table, progress=progress, changes=changes, **options)

    def learn_outside(
        self, table, objects=None, *, kinds=None, spared=None, false_alarms=0.01, epochs=None, progress=True
    ):
        """Learn what objects look like for which the labels do not hold; `predict` then flags such (OTHER_KIND).

        A network learns to tell the stars of a table, all of which count as good, from other objects and from spoiled
        copies of the stars, in what the networks for labels see, with less and with more noise, and with unknown
        colors. Copies are spoiled in ways that the system's inputs declare; those count that look bad or get a label
        that is off by more than two of its errors. What was done is recorded in ``provenance_``.

        Parameters
        ----------
        table : `~astropy.table.Table` or data frame
            Stars for which the labels hold, with labels as for `fit`: those of the training. Their ranges are found
            anew.
        objects : `~astropy.table.Table` or data frame, optional
            Objects for which some labels do not, with the same inputs.
        kinds : str or array_like of str, shape (M,), optional
            What the objects are, for instance "hot"; needed with ``objects``.
        spared : dict of str to sequence of str, optional
            Labels that hold for objects of a kind all the same.
        false_alarms : float or dict of str to float
            Share of the stars of the table, left out of the learning, that get the flag; perhaps by label. It is that
            of copies with little and with much noise, with and without colors, each by itself where these are many.
        epochs : int, optional
            How long is learned: by default 45 epochs, or 4000 steps where these are more. Where the objects are like
            stars that are inside, fewer are better.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        LabelEstimator
            The object itself.

        Raises
        ------
        InputError
            If there is nothing outside to learn from, or ``kinds`` or ``spared`` do not fit.
        NotFittedError
            If there are no networks yet.
        """
        self.check_trained()
        table, objects = columns.intake(table), None if objects is None else columns.intake(objects)
        options = {"kinds": kinds, "spared": spared, "false_alarms": false_alarms}
        options |= {"epochs": epochs, "progress": progress}
        features = self.feature_set.compute(table)
        targets = label_targets(table, self.labels, self.recipe.per_label.likelihoods)
        rows = np.flatnonzero(features.usable & targets.known)
        self.domain = self._domain_of(features[rows], targets[rows])
        self.domain.outside = found = outside.learn(self, table, features, objects, seed=self.recipe.seed, **options)
        self.provenance_["outside"] = {"kinds": found.counts, "false_alarms": false_alarms}
        self.weights_ = ""
        return self

    def fewer(self, networks):
        """The same system with only the first networks of its ensemble: as many times faster, a little less precise.

        Errors stay calibrated: they are combined of those of the single networks, see
        ``stellarlabels.labels.uncertainty.combine``.

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
        self.check_trained()
        if not (isinstance(networks, numbers.Integral) and 1 <= networks <= self.recipe.ensemble):
            raise InputError(f"networks: expected a whole number from 1 to {self.recipe.ensemble}, got {networks!r}")
        out = copy.copy(self)
        out.ensemble = self.ensemble.first(int(networks))
        out.recipe = out.ensemble.recipe
        out.provenance_ = {**self.provenance_, "networks": int(networks)}
        out.weights_ = f"{self.weights_}, first {networks} networks" if self.weights_ else ""
        return out

    @classmethod
    def joined(cls, systems):
        """One ensemble, not calibrated, of systems that were trained one by one with one recipe on the same stars."""
        first = systems[0]
        out = cls(first.recipe_name)
        members = [member for system in systems for member in system.ensemble.members]
        count = sum(system.recipe.ensemble for system in systems)
        out.recipe = first.recipe.with_changes(ensemble=count, calibrate=True)
        out.ensemble = kind_of(out.recipe)(out.recipe, first.ensemble.center, first.ensemble.scale, members)
        out.domain, out.training_stars = first.domain, first.training_stars
        out.history_ = [history for system in systems for history in system.history_]
        together = ("left_out_of_each_network", "final_loss")
        lists = {name: [one for system in systems for one in system.provenance_[name]] for name in together}
        out.provenance_ = {**first.provenance_, **lists}
        return out

    def _domain_of(self, features, targets):
        """Where training stars are that have these inputs and targets."""
        compared, trained = features.arrays[self.compared_in], np.isfinite(targets.values)
        out = Domain.fit(features, compared, self.labels, targets.guesses(), self.recipe.seed, trained)
        out.restrict(self.recipe.per_label.label_ranges, self.recipe.per_label.color_ranges)
        return out
