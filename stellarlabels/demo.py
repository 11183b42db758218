"""The demonstration: real held-out stars from spectrum to catalog, without a network connection."""

from pathlib import Path

from stellarlabels.exceptions import InputError

__all__ = ["run"]


def run(output="stellarlabels-demo", *, system="uacsnet", weights=None):
    """Label the embedded sample and write catalog, plots and comparison.

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
        Bias and scatter of each label against APOGEE; see `stellarlabels.validation.compare`.
    files : dict of str to `~pathlib.Path`
        What was written: ``labels.vot``, ``labels.fits``, ``catalog.vot``, ``catalog.fits``, ``kiel.png``,
        ``residuals.png``, ``summary.ecsv``.

    Raises
    ------
    InputError
        If the output exists and is not a folder.
    """
    from matplotlib.figure import Figure

    from stellarlabels import catalogs, plots, systems
    from stellarlabels.inputs.examples import xp_apogee_sample
    from stellarlabels.validation import compare

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output: expected a folder, got the file {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    stars = xp_apogee_sample()
    model = systems.get(system).pretrained(weights)
    inputs = stars[[name for name in stars.colnames if name.removesuffix("_err") not in model.labels]]
    labels = model.predict(inputs)
    catalog = model.catalog(inputs, labels)
    names = ("labels.vot", "labels.fits", "catalog.vot", "catalog.fits", "kiel.png", "residuals.png", "summary.ecsv")
    files = {name: folder / name for name in names}
    for suffix in ("vot", "fits"):
        catalogs.write(labels, files[f"labels.{suffix}"], overwrite=True)
        catalogs.write(catalog, files[f"catalog.{suffix}"], model.name, overwrite=True)
    summary = compare(labels, stars)
    summary.write(files["summary.ecsv"], overwrite=True)
    lines = -(-len(summary) // 2)
    panels = Figure(figsize=(10.8, 3.6 * lines), layout="constrained")
    figures = {"residuals.png": plots.residual_panels(labels, stars, figure=panels)}
    if {"teff", "logg"} <= set(model.labels):
        ax = Figure(figsize=(6, 5), layout="constrained").add_subplot()
        figures["kiel.png"] = plots.kiel(labels, ax=ax).figure
    for name, figure in figures.items():
        files[name].write_bytes(plots.figure_bytes(figure, "png"))
    return summary, {name: path for name, path in files.items() if path.exists()}
