"""SkyMapper: Teff, [Fe/H] and ages of stars from dereddened magnitudes."""

from stellarlabels.columns import Column, declare
from stellarlabels.inputs.colors import Band, ColorSet
from stellarlabels.labels import Recipe
from stellarlabels.systems import System

# What stellarlabels has no name for: the survey's identifier, and a label.
declare(
    Column("object_id", dtype="int64", ucd="meta.id;meta.main", description="SkyMapper identifier of the object"),
    Column("age", unit="Gyr", ucd="time.age", description="Age of the star", low=0.0, high=20.0),
)

BANDS = [Band(name, (f"{name}_psf",), (f"e_{name}_psf",)) for name in "uvgi"]
COLORS = ColorSet.make("skymapper_uvgi", BANDS, ["u-v", "v-g", "g-i"], color="g-i")


class SkyMapperNet(System):
    """One network for each label on three colors."""

    name = "skymapper"
    title = "Teff, [Fe/H] and ages from SkyMapper magnitudes"
    compared_in = "color"
    recipes = {
        "colors": Recipe(
            labels=("teff", "feh", "age"),
            features="colors",
            feature_options={"colors": COLORS.to_dict()},
            network="color_mlp",
            network_options={"hidden": (32, 16), "l2": 0.0, "error_hidden": (8,)},
            loss="squared",
            separate=True,
            epochs=60,
            excess_epochs=5,
            batch_size=64,
            learning_rate=3e-3,
        )
    }
