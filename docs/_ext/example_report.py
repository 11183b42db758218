"""The example report: made from the sample that ships with the package when the documentation is built.

It goes to the folder ``example-report`` beside the pages.
"""

from pathlib import Path

import numpy as np
from astropy import units as u

from stellarlabels import catalogs, report
from stellarlabels.inputs.examples import xp_apogee_sample

#: What is repeated in the catalog from the input.
KEPT = ("ra", "dec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "parallax", "parallax_error")


def write(folder):
    """Label the sample and write the report on the labels."""
    from stellarlabels import UACSNet

    stars = xp_apogee_sample()
    for name in ("j_m", "h_m", "ks_m"):  # so that some labels are good, with a note
        stars[name][::4] = np.nan * u.mag
    labels = UACSNet.pretrained().predict(stars)
    for name in KEPT:
        labels[name] = stars[name]
    truth = stars[[name for name in stars.colnames if name == "source_id" or name in labels.colnames]]
    catalogs.write(labels, folder / "labels.fits", overwrite=True)
    report.write(
        folder / "labels.fits",
        folder,
        against=[("APOGEE DR17", truth)],
        title="UACSNet on 600 stars that it has not seen, every fourth without 2MASS",
        overwrite=True,
    )


def make(app):
    """Write the report if the pages are HTML and it is not there yet."""
    folder = Path(app.confdir) / "_build" / "example" / "example-report"
    if app.builder.format == "html" and not (folder / "index.html").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(folder)


def setup(app):
    """Make the report when a build begins."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
