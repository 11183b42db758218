"""Write the color sets of other surveys than J-PLUS that ship with the package.

    python tools/color_sets.py [--output stellarlabels/data/colors]

SDSS has published extinction coefficients, S-PLUS has copies of the filters of J-PLUS. For SkyMapper and J-PAS E(color)
per E(B-V) is measured here: the extinction curve for XP spectra (Zhang et al. 2024) reddens real spectra of the shipped
sample by 0.1 mag in E(B-V); the coefficients of their XP spectra are recovered; synthetic magnitudes show how much each
band has become fainter. The medians of stars of 4300 to 6500 K with E(B-V) < 0.1 mag count. Bands whose single stars
scatter by more than 0.12 are left out: they reach beyond the spectra.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import Table

import stellarlabels
from stellarlabels import columns, packaged
from stellarlabels.corrections.extinction import coefficients, deredden_xp
from stellarlabels.inputs.colors import ColorSet
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import recover_coefficients, synthesize

FOLDER = Path(stellarlabels.__file__).parent / "data" / "colors"

#: E(B-V) by which spectra are reddened, mag.
STEP = 0.1

#: Largest scatter of a coefficient between stars.
SCATTER = 0.12

GAIA = {
    "BP": ("phot_bp_mean_mag bpmag GaiaDr3Vega_mag_BP", "phot_bp_mean_mag_error e_bpmag GaiaDr3Vega_mag_error_BP"),
    "RP": ("phot_rp_mean_mag rpmag GaiaDr3Vega_mag_RP", "phot_rp_mean_mag_error e_rpmag GaiaDr3Vega_mag_error_RP"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=FOLDER)
    folder = parser.parse_args().output
    ratios = measured_ratios(("Gaia_DR3_Vega", "Sky_Mapper", "JPAS"))
    for table in (sdss(), splus(), skymapper(ratios), jpas(ratios), jplus_dereddened(), splus_dereddened()):
        path = folder / f"{table.meta['name']}.ecsv"
        table.write(path, format="ascii.ecsv", overwrite=True)
        print(ColorSet.read(path).name, len(table), "bands")


def measured_ratios(systems):
    """A(band)/E(B-V), on the scale of the SFD map, of the bands of photometric systems, where all stars agree on it."""
    stars = xp_apogee_sample()
    ebv, teff = columns.values(stars, "ebv"), columns.values(stars, "teff")
    stars, ebv = stars[chosen := (ebv < STEP) & (teff > 4300) & (teff < 6500)], ebv[chosen]
    flux, error = columns.values(stars, "flux"), columns.values(stars, "flux_error")

    def photometry(excess):
        spectra, _ = deredden_xp(flux, excess, flux_error=error)
        recovered, covariance = recover_coefficients(spectra, error)
        return synthesize(recovered, covariance.variance, systems=systems)

    out = {}
    for clear, red in zip(photometry(ebv), photometry(ebv - STEP), strict=True):
        ratio = (red.magnitude - clear.magnitude) / STEP
        median = np.nanmedian(ratio, axis=0)
        scatter = 1.4826 * np.nanmedian(np.abs(ratio - median), axis=0)
        bands = zip(clear.system.bands, median, scatter, strict=True)
        out[clear.system.name] = {band: float(value) for band, value, width in bands if width < SCATTER}
    return out


def definition(name, bands, colors, **meta):
    """A table of a color set: names, columns and errors of bands, and what is said of the whole."""
    rows = [(band, *found) for band, found in bands.items()]
    table = Table(rows=rows, names=["name", "columns", "errors"])
    table["name"].info.description = "Name in the colors"
    table["columns"].info.description = "Columns with one value for each star, separated by blanks"
    table["errors"].info.description = "Columns with its standard error"
    table.meta = {"name": name, **meta, "colors": colors}
    return table


def per_color(colors, ratio):
    """E(color)/E(B-V) from those of the bands, to three digits."""
    return [round(ratio[color.split("-")[0]] - ratio[color.split("-")[1]], 3) for color in colors]


def sdss():
    """u, g, r, i, z of SDSS."""
    known = coefficients("zhang_yuan_2023")
    colors = ["u-g", "g-r", "r-i", "i-z"]
    return definition(
        "sdss",
        {band: (f"psfMag_{band} {band}", f"psfMagErr_{band} {band}_err err_{band}") for band in "ugriz"},
        colors,
        description="Four colors of SDSS",
        reference=known.reference,
        ratios=per_color(colors, {band: known.ratio(f"{band}'") for band in "ugriz"}),
        ebv_scale=known.scale,
        color="g-r",
    )


def splus():
    """The 12 filters of S-PLUS, with BP and RP as in CSNet."""
    colors = list(ColorSet.read(FOLDER / "csnet.ecsv").colors)
    filters = dict.fromkeys(part for color in colors for part in color.split("-"))
    return definition(
        "splus",
        {band: GAIA.get(band, (f"{band}_PStotal {band}_auto", f"e_{band}_PStotal e_{band}_auto")) for band in filters},
        colors,
        description="The 13 colors of CSNet with magnitudes of S-PLUS, whose filters are copies of those of J-PLUS",
        reference=coefficients("yang_2022").reference + "; Mendes de Oliveira, C., et al. 2019, MNRAS, 489, 241",
        coefficients="yang_2022",
        color="BP-RP",
    )


#: The filters of J-PLUS in order of wavelength, with their names in the colors.
FILTERS = dict(
    zip(
        ("u", "J0378", "J0395", "J0410", "J0430", "g", "J0515", "r", "J0660", "i", "J0861", "z"),
        ("uJAVA", "J0378", "J0395", "J0410", "J0430", "gSDSS", "J0515", "rSDSS", "J0660", "iSDSS", "J0861", "zSDSS"),
        strict=True,
    )
)


def dereddened(name, bands, **meta):
    """Colors of magnitudes that have been dereddened already, from which nothing is subtracted."""
    names = list(bands)
    colors = [f"{blue}-{red}" for blue, red in zip(names[:-1], names[1:], strict=True)]
    colors[colors.index("J0660-i")] = "g-i"
    return definition(name, bands, colors, color="g-i", magnitude="r", **meta)


def jplus_dereddened():
    """The 12 filters of J-PLUS, without Gaia, of magnitudes that have been dereddened."""
    found = {band: (f"MAG_6_{other} {other}_0", f"ERR_MAG_6_{other} {other}_0_err") for band, other in FILTERS.items()}
    return dereddened(
        "jplus_dereddened",
        found,
        description="Eleven colors of J-PLUS alone, of magnitudes that have been dereddened already",
        reference="Whitten, D. D., et al. 2019, A&A, 622, A182 (names of columns)",
    )


def splus_dereddened():
    """Nine filters of S-PLUS, without Gaia, of magnitudes that have been dereddened; zero-points of its fields."""
    bands = [band for band in FILTERS if band not in ("u", "J0378", "z")]
    own = {band: band.replace("J0", "F") for band in bands}
    return dereddened(
        "splus_dereddened",
        {band: (f"{name}_cor {band}_0", f"e{name}_aper {band}_0_err") for band, name in own.items()},
        description="Eight colors of S-PLUS alone, of magnitudes that have been dereddened already, with zero-points "
        "of the fields of Stripe 82",
        reference="Whitten, D. D., et al. 2021, ApJ, 912, 147 (names of columns); tools/survey_stars.py (zero-points)",
        zero_points="splus82_zero_points",
    )


def skymapper(ratios):
    """SkyMapper with BP and RP."""
    return with_gaia(
        "skymapper",
        "Colors of SkyMapper and Gaia; u, which reaches beyond XP spectra, is left out",
        ratios["Sky_Mapper"],
        ratios["Gaia_DR3_Vega"],
        blue=("v", "g"),
        columns=lambda band: (f"{band}_psf {band}_petro", f"e_{band}_psf e_{band}_petro"),
    )


def jpas(ratios):
    """The narrow bands of J-PAS with BP and RP."""
    bands = {band: value for band, value in ratios["JPAS"].items() if band[1:].isdigit()}
    return with_gaia(
        "jpas",
        "Colors of the narrow bands of J-PAS and Gaia",
        bands,
        ratios["Gaia_DR3_Vega"],
        blue=[band for band in bands if int(band[1:]) < 640],
        columns=lambda band: (
            f"mag_aper_3_0[jpas::{band}] mag_aper_3_0_{band} Jpas_mag_{band} {band}",
            f"mag_err_aper_3_0[jpas::{band}] mag_err_aper_3_0_{band} Jpas_mag_error_{band} {band}_err",
        ),
    )


def with_gaia(name, description, bands, gaia, *, blue, columns):
    """BP minus blue bands and RP minus red ones."""
    bands = {band: value for band, value in bands.items() if band not in ("u", "u2")}
    colors = ["BP-RP", *(f"{'BP' if band in blue else 'RP'}-{band}" for band in bands)]
    return definition(
        name,
        {**GAIA, **{band: columns(band) for band in bands}},
        colors,
        description=description,
        reference="Ratios: tools/color_sets.py, with the curve of "
        + packaged.table("extinction", "xp_curve").meta["reference"],
        ratios=per_color(colors, {**gaia, **bands}),
        ebv_scale="sfd",
        color="BP-RP",
    )


if __name__ == "__main__":
    main()
