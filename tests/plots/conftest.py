"""Tables of stars whose residuals and errors are known."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

#: True scatter of each label, by which the labels differ from the reference; the errors say the same.
SCATTER = {"teff": 50.0, "logg": 0.1, "feh": 0.08, "alpha_m": 0.03}


def stars(count, *, honesty=1.0, offset=0.0, seed=1):
    """Labels and reference of the same stars; the errors are ``honesty`` times the true scatter."""
    rng = np.random.default_rng(seed)
    giant = rng.random(count) < 0.5
    truth = {
        "teff": np.where(giant, rng.uniform(4000, 5200, count), rng.uniform(4500, 6800, count)),
        "logg": np.where(giant, rng.uniform(0.5, 3.3, count), rng.uniform(3.9, 4.8, count)),
        "feh": rng.uniform(-2, 0.4, count),
        "alpha_m": rng.uniform(-0.1, 0.3, count),
    }
    unit = {"teff": u.K}
    g = rng.uniform(10, 16, count)
    labels = QTable({"source_id": np.arange(1, count + 1), "phot_g_mean_mag": g * u.mag})
    labels["phot_bp_mean_mag"], labels["phot_rp_mean_mag"] = (g + 0.4) * u.mag, (g - 0.5) * u.mag
    reference = QTable({"source_id": np.arange(1, count + 1)})
    for name, sigma in SCATTER.items():
        of = unit.get(name, u.dex)
        reference[name] = truth[name] * of
        labels[name] = (truth[name] + rng.normal(offset * sigma, sigma, count)) * of
        labels[f"{name}_err"] = np.full(count, honesty * sigma) * of
        labels[f"{name}_flag"] = np.where(rng.random(count) < 0.1, 8, 0).astype(np.int32)
    return labels, reference


@pytest.fixture(scope="session")
def make_stars():
    """The function that makes labels and reference."""
    return stars


@pytest.fixture(scope="session")
def few():
    return stars(800)


@pytest.fixture(scope="session")
def many():
    return stars(20_000)


@pytest.fixture
def ax():
    """Axes of a figure of their own."""
    from matplotlib.figure import Figure

    return Figure(figsize=(5, 4), layout="constrained", dpi=100).add_subplot()


@pytest.fixture(scope="session")
def pixels():
    """The picture inside the frame of Axes as an array of colors from 0 to 1, the first line at the top."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def draw(ax):
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        image = np.asarray(canvas.buffer_rgba(), float)[:, :, :3] / 255
        box = ax.get_window_extent()
        height = image.shape[0]
        return image[round(height - box.y1) + 2 : round(height - box.y0) - 2, round(box.x0) + 2 : round(box.x1) - 2]

    return draw


@pytest.fixture(scope="session")
def ink():
    """Share of pixels of about a color in a picture, or in a part of it."""

    def share(image, color, tolerance=0.12):
        from matplotlib.colors import to_rgb

        return float((np.abs(image - np.array(to_rgb(color))).max(axis=2) < tolerance).mean())

    return share
