"""The demonstration: stars that ship with the package, from spectrum or colors to catalog, without a network."""

from pathlib import Path

from stellarlabels.exceptions import InputError, MissingColumnError

__all__ = ["run", "sample_for"]


def sample_for(model):
    """Stars that ship with the package and that a system can label.

    Parameters
    ----------
    model : `~stellarlabels.labels.LabelEstimator`

    Returns
    -------
    `~astropy.table.QTable`
        ``meta["sample"]`` says what stars they are, ``meta["against"]`` where their known labels are from.

    Raises
    ------
    InputError
        If there are none.
    """
    from stellarlabels.inputs.examples import SAMPLES

    for make in SAMPLES:
        stars = make()
        try:
            model.feature_set.compute(stars[:1])
        except MissingColumnError:
            continue
        return stars
    raise InputError(f"system: the package has no stars that {model.name} could label; try 'label' with your own")


def run(output="stellarlabels-demo", *, system="uacsnet", weights=None):
    """Label an embedded sample and write catalog, plots and comparison.

    Parameters
    ----------
    output : path-like
        Folder, made if it does not exist.
    system : str
        Name of the system.
    weights : str, optional
        Name of its shipped weights; the default ones if not given.

    Returns
    -------
    summary : `~astropy.table.QTable`
        Bias and scatter of each label against what is known of the stars; see `stellarlabels.validation.compare`.
        ``meta["sample"]`` and ``meta["against"]`` are those of `sample_for`; ``meta["verdicts"]`` tells how many of
        each label are good, and which flags took the others.
    files : dict of str to `~pathlib.Path`
        What was written: ``labels.vot``, ``labels.fits``, ``catalog.vot``, ``catalog.fits``, ``kiel.png``,
        ``residuals.png``, ``summary.ecsv``.

    Raises
    ------
    InputError
        If the output exists and is not a folder, or the package has no sample that the system could label.
    """
    from stellarlabels import catalogs, systems
    from stellarlabels.validation import Verdicts, compare

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output: expected a folder, got the file {folder}")
    model = systems.get(system).pretrained(weights)
    stars = sample_for(model)
    inputs = stars[[name for name in stars.colnames if name.removesuffix("_err") not in model.labels]]
    labels = model.predict(inputs)
    catalog = model.catalog(inputs, labels)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for suffix in ("vot", "fits"):
        for name, table, schema in (("labels", labels, ()), ("catalog", catalog, (model.name,))):
            files[f"{name}.{suffix}"] = folder / f"{name}.{suffix}"
            catalogs.write(table, files[f"{name}.{suffix}"], *schema, overwrite=True)
    summary = compare(labels, stars)
    summary.meta |= {key: stars.meta[key] for key in ("sample", "against")}
    summary.meta["stars"] = len(labels)
    summary.meta["verdicts"] = str(Verdicts.count(labels))
    files["summary.ecsv"] = folder / "summary.ecsv"
    summary.write(files["summary.ecsv"], overwrite=True)
    return summary, files | _draw(labels, stars, summary, folder)


def _draw(labels, stars, summary, folder):
    """Write the figures; give their names and paths."""
    from matplotlib.figure import Figure

    from stellarlabels import plots

    lines = -(-len(summary) // 2)
    panels = Figure(figsize=(10.8, 3.6 * lines), layout="constrained")
    figures = {"residuals.png": plots.residual_panels(labels, stars, figure=panels)}
    if {"teff", "logg"} <= set(labels.colnames):
        ax = Figure(figsize=(6, 5), layout="constrained").add_subplot()
        figures["kiel.png"] = plots.kiel(labels, ax=ax).figure
    for name, figure in figures.items():
        (folder / name).write_bytes(plots.figure_bytes(figure, "png"))
    return {name: folder / name for name in figures}
