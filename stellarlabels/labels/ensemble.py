"""The trained networks of a system: what they predict together, with which errors and flags, and their calibration.

The errors of an ensemble are combined in one of three ways, which a recipe names as its ``combination``:

"mixture"
    The networks give a mean and an error. See ``stellarlabels.labels.uncertainty.combine``.
"single"
    The error is that of a single network, and does not become smaller where the networks differ; their standard
    deviation is given beside it, as the term "model".
"propagated"
    The networks propagate the covariance of their inputs. The error is the sum in squares of the terms "model" (scatter
    of passes with dropout, and of the networks), "input" (what the covariance of the inputs causes) and "excess".
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from stellarlabels import __version__, columns, flags
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError
from stellarlabels.labels.outside import inputs_of
from stellarlabels.labels.uncertainty import Calibration, balance, reduced

#: Errors of scaled labels are at least this, so that their logarithms are finite.
LEAST = 1e-3


@dataclass
class Member:
    """One trained network (`keras.Model`), and which of the recipe's labels its outputs are (tuple of int)."""

    network: object
    labels: tuple


def parts(recipe):
    """Labels (tuples of their indices) that share a network."""
    every = range(len(recipe.labels))
    return [(index,) for index in every] if recipe.per_label.separate else [tuple(every)]


def build_network(recipe, shapes, outputs, seed=0, floor=LEAST):
    """An untrained network of a recipe for inputs of these lengths (dict of str to int) and so many labels."""
    # ``floor``: limits of the errors of scaled labels, for recipes whose network has those of the recipe, see `floors`.
    from stellarlabels import networks

    options = dict(recipe.network_options)
    if options.get("floor") == "error_floor":
        options["floor"] = floor
    return networks.build(recipe.network, shapes=shapes, outputs=outputs, seed=seed, **options)


def floors(recipe, part, scale):
    """The recipe's lower limits of errors of some labels (their indices), in units of the labels' scales (L,)."""
    named = recipe.per_label.error_floor
    return [max(named.get(recipe.labels[index], 0.0) / float(scale[index]), LEAST) for index in part]


class Ensemble:
    """Networks whose errors are combined as those of a mixture; a label is ``center + scale * output``, both (L,)."""

    #: Terms of the error that are given beside the total, as columns ``<label>_err_<term>``.
    error_terms: tuple[str, ...] = ()

    def __init__(self, recipe, center, scale, members=(), calibration=None):
        self.recipe, self.center, self.scale = recipe, np.asarray(center), np.asarray(scale)
        self.members = list(members)
        self.calibration = Calibration() if calibration is None else calibration

    @property
    def groups(self):
        """Members of each network of the ensemble, which share the labels among them (list of lists)."""
        size = len(parts(self.recipe))
        return [self.members[start : start + size] for start in range(0, len(self.members), size)]

    def first(self, count):
        """The same with the first networks only."""
        members = [member for group in self.groups[:count] for member in group]
        recipe = self.recipe.with_changes(ensemble=count)
        return type(self)(recipe, self.center, self.scale, members, self.calibration)

    def predict(self, features):
        """Labels, their errors, and the terms of the errors, (N, L) each, in the labels' units."""
        terms = self.terms(features)
        mean = terms.mean * self.scale + self.center
        variances = self.variances(terms, self.factors(features, mean))
        return mean, *(np.sqrt(variance) * self.scale for variance in variances)

    def terms(self, features, groups=None):
        """What the networks, or some of them, say (``stellarlabels.networks.Terms``), in units of the scaled labels."""
        from stellarlabels.networks import Terms

        means, sigmas = zip(*(self._outputs(group, features) for group in groups or self.groups), strict=True)
        means, nothing = np.stack(means), np.zeros(means[0].shape)
        excess = np.mean(np.square(sigmas), axis=0)
        return Terms(means.mean(axis=0), nothing, means.var(axis=0), None, nothing, excess)

    def said(self, features):
        """Means and variances (N, L) of which a student has a logarithm of an error each, in scaled labels."""
        terms = self.terms(features)
        return terms.mean, terms.excess + self.gained(terms)

    def _outputs(self, group, features):
        """Mean and error (N, L) of members that share the labels among them, in units of the scaled labels."""
        from stellarlabels import networks

        mean = np.full((len(features), len(self.recipe.labels)), np.nan)
        sigma = mean.copy()
        for member in group:
            output, places = networks.predict(member.network, features.arrays), list(member.labels)
            mean[:, places] = output[:, : len(places)]
            sigma[:, places] = np.exp(output[:, len(places) :])
        return mean, sigma

    def factors(self, features, mean):
        """Factors (N, L) of the calibration for stars with these predicted labels (N, L)."""
        axes = self.recipe.calibration.values(features, mean, self.recipe.labels)
        return self.calibration.apply(np.ones(mean.shape), axes)

    def variances(self, terms, factor):
        """Total variance and its terms, (N, L) each, of scaled labels, from what networks say and factors (N, L)."""
        single = factor**2 * terms.excess
        return ((reduced(single, terms.spread) if self.calibration.curves else single + terms.spread),)

    def gained(self, terms):
        """By how much the variance of the mean of several networks is smaller than that of one (N, L)."""
        return terms.spread

    def calibrate(self, unseen, features, targets, feature_set):
        """Calibrate the errors on stars (N) that are new to a network where ``unseen`` (K, N) is true."""
        # ``targets`` may be a function that gives them of features, in place of one for all amounts of noise.
        plan, residuals, sets = self.recipe.calibration, [], {}
        for number, (mask, group) in enumerate(zip(unseen, self.groups, strict=True)):
            sets.setdefault(mask.tobytes() if plan.together else number, (mask, []))[1].append(group)
        for mask, groups in sets.values():
            stars, known = features[mask], targets if callable(targets) else targets[mask]
            for level, hidden in product(plan.noise, ((), *plan.incomplete)) if mask.any() else ():
                residuals.append(self._residuals(groups, stars.without(hidden), known, level, feature_set))
        if residuals:
            self.calibration = self._fit([np.concatenate(found) for found in zip(*residuals, strict=True)])
        else:
            self.calibration = Calibration(product=plan.product)

    def _residuals(self, groups, features, targets, level, feature_set):
        """What `_fit` needs of some stars with so much more noise: a list of arrays (N, L) or (N,)."""
        if level:
            features = feature_set.add_noise(features, level, seed=self.recipe.seed + level)
        if level and self.recipe.calibration.dimmed:
            features = replace(features, magnitude=features.magnitude + 2.5 * np.log10(1 + level))
        targets = targets(features) if callable(targets) else targets
        terms = self.terms(features, groups)
        mean = terms.mean * self.scale + self.center
        along = self.recipe.calibration.values(features, mean, self.recipe.labels).values()
        mean, slope = targets.comparable(mean, np.broadcast_to(self.scale, mean.shape))
        variances = (terms.inputs_each, terms.excess + terms.dropout, self.gained(terms))
        scaled = (variance * slope**2 for variance in variances)
        return [mean, *scaled, targets.values, targets.errors, np.full(len(mean), level), *along]

    def _fit(self, found):
        """The calibration from predictions, variances, reference labels, amounts of noise, and values along axes."""
        plan, labels = self.recipe.calibration, self.recipe.labels
        mean, inputs, rest, gained, values, errors, amount, *along = found
        factor, options = None, {"levels": plan.levels, "gained": gained}
        if len(plan.noise) > 1 and inputs.any():
            groups = [amount == level for level in plan.noise]
            factor = balance(mean, inputs, rest, values, errors, groups, **options)
            rest = factor * rest
        axes, options = dict(zip(plan.present(labels), along, strict=True)), {**options, "knots": plan.knots}
        out = Calibration.fit(mean, np.sqrt(inputs + rest), values, errors, axes, product=plan.product, **options)
        plan.limit(out.curves, labels)
        return replace(out, rest=factor)


class SingleErrors(Ensemble):
    """Networks whose error is that of a single one; their standard deviation is given beside it."""

    error_terms = ("model",)

    def variances(self, terms, factor):
        return factor**2 * terms.excess, terms.spread

    def gained(self, terms):
        return np.zeros_like(terms.spread)


class PropagatedErrors(Ensemble):
    """Networks that propagate the covariance of their inputs."""

    error_terms = ("model", "input", "excess")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._ready = None

    def _propagation(self, groups=None):
        """The networks, or some of them, for NumPy."""
        from stellarlabels.networks import PASSES, Propagation

        if groups is not None:
            passes = -(-PASSES * len(groups) // self.recipe.ensemble)
            return Propagation.of([member.network for group in groups for member in group], passes, self.recipe.seed)
        if self._ready is None or self._ready[0] != self.members:
            self._ready = list(self.members), self._propagation(self.groups)
        return self._ready[1]

    def terms(self, features, groups=None):
        return self._propagation(groups)(features.arrays)

    def said(self, features):
        return self._propagation().said(features.arrays)

    def variances(self, terms, factor):
        """Total, model, input and excess variance (N, L) of scaled labels."""
        # The factors of the calibration are those of single networks' errors. The mean of the networks is better by the
        # variance of the networks' means (see `combine`); this is taken out of the model term, which does not fall
        # below the standard error of that mean, and then out of the excess.
        from stellarlabels.networks import PASSES

        rest = factor**2 * (1.0 if self.calibration.rest is None else self.calibration.rest)
        excess, dropout = rest * terms.excess, rest * terms.dropout
        inputs = factor**2 * np.einsum("nll->nl", terms.inputs)
        if self.calibration.curves:
            single = factor**2 * terms.inputs_each + dropout + excess
            total = reduced(single, terms.spread)
            model = np.maximum(total - inputs - excess, terms.spread / len(self.members) + dropout / PASSES)
            excess = np.maximum(total - inputs - model, 0)
        else:
            model = dropout + terms.spread
        return model + inputs + excess, model, inputs, excess

    def covariance(self, features):
        """Covariance (N, L, L) of the labels, in their units: that of the inputs, other terms on its diagonal."""
        terms = self.terms(features)
        factor = self.factors(features, terms.mean * self.scale + self.center)
        _, model, _, excess = self.variances(terms, factor)
        scale = factor * self.scale
        out = terms.inputs * scale[:, :, None] * scale[:, None, :]
        out[:, *np.diag_indices(len(self.recipe.labels))] += (model + excess) * self.scale**2
        return out

    def jacobian(self, features):
        """Derivatives (N, L, 110) and (N, L, C) of the labels, in their units, with respect to the inputs."""
        return tuple(part * self.scale[:, None] for part in self._propagation().jacobian(features.arrays))


_COMBINATIONS = {"mixture": Ensemble, "single": SingleErrors, "propagated": PropagatedErrors}


def kind_of(recipe):
    """The class of the ensemble that a recipe's ``combination`` names."""
    if recipe.combination not in _COMBINATIONS:
        raise InputError(f"combination: expected one of {list(_COMBINATIONS)}, got {recipe.combination!r}")
    return _COMBINATIONS[recipe.combination]


#: Rows whose features are held in memory at once.
CHUNK = 20480


def label_arrays(system, table):
    """Labels (N, L), total errors, terms of the errors and flags of a table that fits into memory, by ends of names."""
    features = system.feature_set.compute(table)
    usable, size = features.usable, (len(table), len(system.labels))
    out = {f"{end}": np.full(size, np.nan) for end in ("", "_err", *(f"_err_{term}" for term in system.error_terms))}
    if usable.any():
        known = features if usable.all() else features[usable]
        for array, found in zip(out.values(), system.ensemble.predict(known), strict=True):
            array[usable] = found
        floors = [system.recipe.per_label.error_floor.get(label, 0.0) for label in system.labels]
        out["_err"][usable] = np.maximum(out["_err"][usable], floors)
    return {**out, "_flag": _flags(system, table, features, out)}


def _flags(system, table, features, arrays):
    """Flags (N, L): of the input, of the domain of the training stars, and the system's own."""
    domain = system.domain
    star = features.flag | domain.star_flags(features, features.arrays[system.compared_in])
    star |= flags.LABEL.where(NOT_APPLICABLE=system.not_applicable(table))
    star |= flags.LABEL.where(SYNTHETIC_TRAINING=np.full(len(table), bool(system.provenance_.get("synthetic"))))
    if system.training_stars is not None:
        star |= flags.LABEL.where(IN_TRAINING=system.training_stars.has(table))
    values = {
        f"{label}{end}": array[:, index] for end, array in arrays.items() for index, label in enumerate(system.labels)
    }
    own, out = system.own_flags(table, values), []
    outside = {} if domain.outside is None else domain.outside.flagged(inputs_of(system, features))
    for label in system.labels:
        found = domain.label_flags(label, values, features.color, outside.get(label, False))
        out.append(star | found | own.get(label, 0))
    return np.stack(out, axis=1)


def label_table(system, table, parts, release):
    """The output table of stars from the dicts of `label_arrays` of its parts, and what is said of their release."""
    arrays = [np.concatenate([part[end] for part in parts]) for end in parts[0]]
    out = StarTable()
    # A spectrum of LAMOST may know its source of Gaia, too.
    for name in columns.main_identifiers(table) or [columns.identifier(table)]:
        if name is not None:
            out[name] = table[name]
    for index, label in enumerate(system.labels):
        value, error, flag = columns.label_columns(label)
        terms = [columns.error_term(label, term) for term in system.error_terms]
        for declared, data in zip((value, error, *terms, flag), arrays, strict=True):
            out[declared.name] = declared.dress(data[:, index])
        out[columns.good_column(label).name] = columns.good_values(label, out[value.name], out[flag.name])
    out.meta = {
        "system": system.name,
        "recipe": system.recipe_name,
        "stellarlabels": __version__,
        "trained_on": system.provenance_.get("sample", f"{system.provenance_.get('stars')} stars"),
        **release,
    }
    if system.weights_:
        out.meta["weights"] = f"sha256:{system.weights_}"
    return out
