"""XP spectra: sampling, photometry, recovery, and labels with the weights that ship."""

import numpy as np
from astropy.table import QTable, Table


def coefficients(count, seed=1):
    """Random coefficients with errors and correlations."""
    rng = np.random.default_rng(seed)
    rows, columns = np.tril_indices(55, -1)
    table = {"source_id": np.arange(1, count + 1)}
    for band in ("bp", "rp"):
        factor = rng.normal(size=(20, 55, 9))
        matrix = factor @ factor.transpose(0, 2, 1) + 9 * np.eye(55)
        scale = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
        packed = (matrix / scale[:, :, None] / scale[:, None, :])[:, rows, columns]
        table[f"{band}_coefficients"] = rng.normal(size=(count, 55)) * 100 / (1 + np.arange(55))
        table[f"{band}_coefficient_errors"] = rng.uniform(0.1, 3, (count, 55))
        table[f"{band}_coefficient_correlations"] = packed[np.arange(count) % 20]
    return Table(table)


class Sampling:
    """Coefficients to samples."""

    def setup(self):
        from stellarlabels.inputs.xp import sample

        self.sample, self.table = sample, coefficients(2048)
        sample(self.table[:2])

    def time_flux_and_errors(self):
        self.sample(self.table)

    def time_single_precision(self):
        self.sample(self.table, single=True)

    def time_flux(self):
        self.sample(self.table, errors=False)


class Photometry:
    """Coefficients to magnitudes."""

    def setup(self):
        from stellarlabels.inputs.xp import synthetic_photometry

        self.photometry, self.table = synthetic_photometry, coefficients(2048)
        synthetic_photometry(self.table[:2])

    def time_magnitudes(self):
        self.photometry(self.table)


class Labels:
    """The whole of predict, with the networks of UACSNet."""

    timeout = 300

    def setup(self):
        from stellarlabels import UACSNet
        from stellarlabels.inputs.examples import xp_apogee_sample

        sample = xp_apogee_sample()
        self.system, self.table = UACSNet.pretrained(), QTable(sample[np.arange(2000) % len(sample)])
        self.system.predict(self.table[:10], progress=False)

    def time_predict(self):
        self.system.predict(self.table, progress=False)

    def peakmem_predict(self):
        self.system.predict(self.table, progress=False)
