"""What the papers say and a user relies on, beyond networks and losses: flags, selections, columns, training sets."""

import re
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import CSNet, SolarDis, SPCANet, UACSNet, UncertainNet, columns, flags
from stellarlabels.columns import jplus
from stellarlabels.exceptions import InputError, MissingColumnError, ModelFileError, StellarLabelsWarning
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample
from stellarlabels.labels import estimator
from stellarlabels.systems import kerasfile
from stellarlabels.tables import quality

pytestmark = pytest.mark.slow


def plain(column):
    """Numbers of a column without its unit, NaN where masked."""
    return np.ma.filled(np.ma.asarray(columns.without_unit(column)).astype(float), np.nan)


def labelled(system, **values):
    """A table of labels as the system gives it, with values of some labels and the flags of its authors."""
    count = len(next(iter(values.values())))
    out = QTable({"obsid": np.arange(1, count + 1)})
    errors = {f"{name}_err_model": np.zeros(count) for name in values}
    found = system.own_flags(None, {**values, **errors})
    for name, numbers in values.items():
        value, error, flag = columns.label_columns(name)
        out[value.name], out[error.name] = value.dress(numbers), error.dress(np.full(count, 0.05))
        term = columns.error_term(name, "model")
        out[term.name] = term.dress(errors[term.name])
        out[flag.name] = flag.dress(found[name])
    return out


class TestSPCANet:
    """Section 4.1, and Figures 8 and 9, which show [Fe/H] up to 8000 K."""

    @pytest.fixture(scope="class")
    @classmethod
    def system(cls):
        return SPCANet.pretrained()

    def test_hot_stars_are_good_and_keep_their_iron(self, system):
        teff = np.array([6400.0, 6600, 7200, 7200, 7999, 8001])
        labels = labelled(system, teff=teff, logg=np.full(6, 4.2), feh=np.array([-0.2, -0.2, -0.2, -1.1, 0.1, 0.1]))
        catalog = system.catalog(QTable({"obsid": labels["obsid"]}), labels)
        np.testing.assert_array_equal(catalog["Flag"], [1, 1, 1, 0, 1, 0])  # caution below -1, nothing above 8000 K
        np.testing.assert_allclose(columns.values(catalog, "feh"), [-0.2, -0.2, -0.2, -1.1, 0.1, 0.1])

    def test_other_abundances_end_at_6500_k(self):
        system = SPCANet("paper", labels=("teff", "logg", "feh", "mg_h"))
        values = {"teff": np.array([6500.0, 6501.0]), "logg": np.full(2, 4.0), "feh": np.zeros(2), "mg_h": np.zeros(2)}
        labels = labelled(system, **values)
        beyond = {name: flags.LABEL.has(labels[f"{name}_flag"], "NOT_APPLICABLE").tolist() for name in values}
        assert beyond == {"teff": [False] * 2, "logg": [False] * 2, "feh": [False] * 2, "mg_h": [False, True]}
        catalog = system.catalog(QTable({"obsid": labels["obsid"]}), labels)
        assert np.isnan(columns.values(catalog, "mg_h")).tolist() == [False, True]

    @pytest.mark.parametrize(("ratio", "cautious"), [(9.0, True), (14.0, False)])
    def test_spectra_of_low_snr(self, system, ratio, cautious):
        """The paper has S/N > 10 in both arms; here one arm is made noisier, the other one is left as it is."""
        stars = mrs_synthetic_sample()[:6]
        flux = plain(stars["flux_r"])
        error = np.nanmedian(flux, axis=1, keepdims=True) / ratio
        stars["flux_r"] = flux + error * np.random.default_rng(1).standard_normal(flux.shape)
        stars["ivar_r"] = np.where(plain(stars["ivar_r"]) > 0, error**-2, 0.0)
        labels = system.predict(stars)
        for name in system.labels:
            assert flags.LABEL.has(labels[f"{name}_flag"], "CAUTION").tolist() == [cautious] * 6
        if cautious:
            assert not np.any(system.catalog(stars, labels)["Flag"])

    def test_the_catalog_of_the_paper_can_be_selected(self, system):
        """Teff, log g and [Fe/H] of two networks differ by twice their standard deviation: 120 K, 0.16 and 0.06 dex."""
        labels = QTable({"obsid": np.arange(1, 6), "snr_b": np.full(5, 30.0), "snr_r": np.array([30.0, 30, 30, 30, 9])})
        half = {"teff": [60.0, 60.5, 1, 1, 1], "logg": [0.08, 0, 0.081, 0, 0], "feh": [0.03, 0, 0, 0.031, 0]}
        for name, middle in (("teff", 5000.0), ("logg", 4.0), ("feh", -0.5)):
            value, term = columns.column(name), columns.error_term(name, "model")
            labels[name], labels[term.name] = value.dress(np.full(5, middle)), term.dress(np.array(half[name]))
        cuts = quality.get("spcanet", "catalog")
        assert quality.passes(labels, cuts).tolist() == [True, False, False, False, False]
        catalog = system.catalog(labels[["obsid", "snr_b", "snr_r"]], system_table(system, labels))
        assert quality.passes(catalog, cuts).tolist() == [True, False, False, False, False]
        assert quality.waterfall(labels, cuts)["undefined"].sum() == 0

    def test_names_of_spectra(self, system):
        """Date, plan, spectrograph, fiber and minute, as a query or a file has them; MJD 58075 is 2017 November 18."""
        labels = system.predict(mrs_synthetic_sample()[:3])
        about = {"lmjd": [58075, 58644, 58644], "planid": ["HIP30", "TD192102N424113K01", "TD192102N424113K01"]}
        about |= {"spid": [1, 12, 12], "fiberid": [17, 76, 76]}
        minutes = np.ma.MaskedArray([83628341, 84447441, 0], mask=[False, False, True])
        for name in ("lmjm", "exposure"):
            table = QTable({"source_id": labels["source_id"], **about, name: minutes})
            catalog = system.catalog(table, labels)
            assert catalog["medres_specid"].tolist() == [
                "20171118-HIP30-1-17-83628341", "20190610-TD192102N424113K01-12-76-84447441", None,
            ]  # fmt: skip
        given = QTable({**table.columns, "mrs_id": ["a", "b", "c"]})
        assert system.catalog(given, labels)["medres_specid"].tolist() == ["a", "b", "c"]
        assert "lmjm" in system.catalog(table[["source_id"]], labels).meta["unfilled"]["medres_specid"]

    def test_the_alternate_model_has_its_own_training_set(self, monkeypatch):
        stars, seen = mrs_synthetic_sample()[:24], []

        def trained(recipe, sample, checked, *args, **options):
            seen.append(checked)
            raise InterruptedError

        monkeypatch.setattr(estimator, "train_ensemble", trained)
        for options in ({"split": "spectrum", "validation": 0.25}, {"split": "star", "validation": 0.25}, {}):
            with pytest.raises(InterruptedError):
                SPCANet("paper", labels=("teff", "logg", "feh")).fit(stars, progress=False, **options)
            first, second = seen.pop()
            assert first.sum() == second.sum() == 6 and not (first & second).any()


def system_table(system, labels):
    """Labels with errors and flags of nothing, where only values are of interest."""
    out = QTable(labels, copy=True)
    for name in system.labels:
        _, error, flag = columns.label_columns(name)
        out[error.name], out[flag.name] = error.dress(np.full(len(out), 0.1)), flag.dress(np.zeros(len(out), int))
    return out


def solardis_file(folder, kind, slope):
    """The authors' network in small files of each kind, with activations of a slope."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((12, 1)), layers.Conv1D(2, 3)])
    if slope == "named":
        model.add(layers.Dense(3, activation="leaky_relu"))
    else:
        model.add(layers.LeakyReLU(negative_slope=slope))
        model.add(layers.Dense(3))
        model.add(layers.LeakyReLU(negative_slope=slope))
    model.add(layers.Flatten())
    model.add(layers.Dense(5))
    path = folder / {"keras": "m.keras", "h5": "m.h5", "weights": "m.weights.h5", "saved": "saved"}[kind]
    with warnings.catch_warnings(action="ignore"):  # Keras under NumPy 2.4
        if kind == "saved":
            model.export(path, verbose=False)
        elif kind == "weights":
            model.save_weights(path)
        else:
            model.save(path)
    return path


class TestSolarDis:
    @pytest.mark.parametrize("kind", ["keras", "h5", "saved"])
    @pytest.mark.parametrize(("slope", "wanted"), [(0.3, 0.3), (0.05, 0.05), ("named", 0.2)])
    def test_slopes_are_those_of_the_file(self, tmp_path, kind, slope, wanted):
        assert kerasfile.read_slope(solardis_file(tmp_path, kind, slope)) == pytest.approx(wanted, rel=1e-6)

    def test_weights_alone_do_not_tell_their_slope(self, tmp_path):
        path = solardis_file(tmp_path, "weights", 0.3)
        assert kerasfile.read_slope(path) is None
        numbers = {"center": np.zeros(5), "scale": np.ones(5)}
        with pytest.raises(InputError, match="slope: .* holds weights alone .* give it"):
            SolarDis.import_published(path, **numbers)
        with pytest.raises(InputError, match=r"slope: .* says 0\.3, got 0\.01"):
            SolarDis.import_published(solardis_file(tmp_path, "keras", 0.3), **numbers, slope=0.01)
        (tmp_path / "broken.keras").write_bytes(b"PK\x05\x06" + bytes(18))
        with pytest.raises(ModelFileError):
            SolarDis.import_published(tmp_path / "broken.keras", **numbers)

    def spectra(self, count=3):
        wave = np.arange(3690.0, 9100.0, 2.0)
        flux = 1000 * (1 + 0.01 * np.random.default_rng(0).standard_normal((count, wave.size)))
        table = QTable({"obsid": np.arange(1, count + 1), "flux": flux, "ivar": np.full(flux.shape, 0.01)})
        table["wavelength"], table["z"] = np.tile(wave, (count, 1)) * u.AA, np.zeros(count)
        table["andmask"] = table["ormask"] = np.zeros(flux.shape, int)
        return table

    def test_five_folds_without_being_told(self, monkeypatch):
        """Five subsets that do not overlap; each network is checked with another one (Section 3.2)."""
        seen = []

        def trained(recipe, sample, checked, *args, **options):
            seen.append(checked)
            raise InterruptedError

        monkeypatch.setattr(estimator, "train_ensemble", trained)
        table = self.spectra(20)
        for name, value in (("teff", 5500.0), ("logg", 4.4), ("feh", 0.0), ("m_g", 4.7), ("bp_rp_0", 0.8)):
            unit = {"teff": u.K, "m_g": u.mag, "bp_rp_0": u.mag}.get(name, u.dex)
            table[name] = (value + np.linspace(0, 0.1, 20)) * unit
        with pytest.raises(InterruptedError):
            SolarDis("paper").fit(table, progress=False)
        assert seen[0].shape == (5, 20)
        np.testing.assert_array_equal(seen[0].sum(axis=0), 1)
        np.testing.assert_array_equal(seen[0].sum(axis=1), 4)
        with (
            pytest.raises(InterruptedError),
            pytest.warns(StellarLabelsWarning, match="no star is left out, and errors are not calibrated"),
        ):
            SolarDis("paper").fit(table, validation=0, progress=False)

    def test_the_catalog_fills_what_can_be_computed(self):
        """Parallaxes of 5-parameter solutions with their zero-point, colors, labels of LASP where it says so."""
        from stellarlabels.corrections.parallax import zero_point

        table = self.spectra()
        table["parallax"], table["parallax_error"] = [1.0, 2.0, 3.0] * u.mas, [0.1, 0.1, 0.2] * u.mas
        for name, values in (("phot_g_mean_mag", 14.0), ("phot_bp_mean_mag", 14.4), ("phot_rp_mean_mag", 13.5)):
            table[name] = np.full(3, values) * u.mag
        table["astrometric_params_solved"], table["nu_eff_used_in_astrometry"] = np.full(3, 31), np.full(3, 1.5) / u.um
        table["pseudocolour"], table["ecl_lat"] = np.full(3, np.nan) / u.um, np.full(3, 20.0) * u.deg
        table["teff"], table["logg"] = [5700.0, 9000, 5000] * u.K, [4.4, 4.0, 2.5] * u.dex
        table["feh"] = np.zeros(3) * u.dex
        table["teff_err"] = [30.0, 40, 50] * u.K
        table.meta["catalog"] = "lamost"
        system = SolarDis.pretrained()
        catalog = system.catalog(table)
        np.testing.assert_allclose(plain(catalog["parallax_over_error"]), [10, 20, 15])
        np.testing.assert_allclose(plain(catalog["gaia_bp_rp"]), 0.9)
        np.testing.assert_allclose(plain(catalog["parallax_zeropoint"]), zero_point(table).value)
        np.testing.assert_allclose(
            plain(catalog["parallax_correction"]), np.array([1, 2, 3]) - zero_point(table).value, rtol=1e-12
        )
        np.testing.assert_allclose(plain(catalog["lasp_teff"]), [5700, 9000, 5000])
        np.testing.assert_allclose(plain(catalog["lasp_teff_err"]), [30, 40, 50])
        # too hot; and log g of 2.5 is below 5.98 - 0.00035 * 5000 = 4.23
        np.testing.assert_array_equal(SolarDis("paper").not_applicable(table), [False, True, True])
        table.meta.pop("catalog")
        catalog = system.catalog(table)  # whose labels they are is not said
        assert np.isnan(plain(catalog["lasp_teff"])).all()
        assert "meta['catalog'] says 'lamost'" in catalog.meta["unfilled"]["lasp_teff"]

    def test_the_flag_is_that_of_the_published_pre_processing(self):
        """A bump of half the continuum is beyond 1.2 and within 2, the limit of the local continuum of "compact"."""
        table = self.spectra(2)
        table["flux"][0, 1000:1004] = 1500.0
        np.testing.assert_array_equal(SolarDis.pretrained().catalog(table)["flag"], [1, 0])


class TestCSNet:
    @pytest.fixture(scope="class")
    @classmethod
    def stars(cls):
        count, random = 400, np.random.default_rng(0)
        teff = random.uniform(4300, 6900, count)
        slope = (teff - 5500) / 1000
        base = np.array([18, 17.6, 17.3, 17, 16.8, 16.2, 16, 15.7, 15.6, 15.5, 15.4, 15.35])
        table = QTable({"source_id": np.arange(count) + (1 << 60)})
        table["mag_aper_6_0"] = (base - slope[:, None] * np.linspace(1, 0.1, 12)) * u.mag
        table["mag_err_aper_6_0"] = np.full((count, 12), 0.01) * u.mag
        table["flags"] = np.zeros((count, 12), int)
        for name, values in (("g", 15.8), ("bp", 16.2 - 0.2 * slope), ("rp", 15.3 + 0.2 * slope)):
            table[f"phot_{name}_mean_mag"] = np.broadcast_to(values, count) * u.mag
        table["ebv"] = np.full(count, 0.02) * u.mag
        table["teff"], table["feh"] = teff * u.K, random.normal(-0.5, 0.2, count) * u.dex
        table["c_fe"] = random.normal(0, 0.05, count) * u.dex
        table["snrg"] = np.where(np.arange(count) < 300, 30.0, 100.0)
        return table

    @pytest.mark.parametrize("ebv", [0.0, 0.3, 0.6, 1.0])
    def test_one_reddening_of_colors(self, ebv):
        """E(BP-RP)/E(B-V) = 1.360 (Table 1): 1.75 is within 0.063 to 1.786 whatever the dust, 1.80 is not."""
        table = QTable({"source_id": [1, 2], "ebv": np.full(2, ebv) * u.mag, "phot_rp_mean_mag": [14.0, 14.0] * u.mag})
        table["phot_bp_mean_mag"] = (14.0 + np.array([1.75, 1.80]) + 1.360 * ebv) * u.mag
        table["flags"] = np.zeros((2, 12), int)
        assert CSNet("paper").recommended(table).tolist() == [True, False]

    def test_snr_of_the_labels_spectra(self, stars, monkeypatch):
        """Table 2: S/N_g > 20 for Teff, > 50 for [C/Fe]; 100 of the 400 stars have more than 50."""
        from stellarlabels.labels import training

        seen = {}

        def member(ensemble, sample, check, part, *args, **options):
            kept = training._in_range(ensemble.recipe, sample)[:, part].any(axis=1)
            seen[ensemble.recipe.labels[part[0]]] = sample.snr[kept]
            raise InterruptedError

        monkeypatch.setattr(training, "_member", member)
        for label, least, count in (("teff", 20, 400), ("c_fe", 50, 100)):
            with pytest.raises(InterruptedError):
                CSNet("paper", labels=(label,)).fit(stars, validation=np.arange(400) < 1, progress=False)
            assert (seen[label] > least).all() and len(seen[label]) == pytest.approx(count, abs=5)
        bare = stars[[name for name in stars.colnames if name != "snrg"]]
        with (
            pytest.raises(TypeError),
            pytest.warns(StellarLabelsWarning, match="the table has no 'snrg', so labels from noisy spectra"),
        ):
            CSNet("paper", labels=("c_fe",)).fit(bare, progress=False)

    def test_temperatures_without_metallicities(self, stars):
        """Teff has 20 bins and one of [Fe/H]: it is trained, and weighted, without a column of that."""
        bare = stars[[name for name in stars.colnames if name != "feh"]]
        system = CSNet("paper", labels=("teff",), epochs=1, excess_epochs=1).fit(bare, progress=False)
        assert np.isfinite(plain(system.predict(bare)["teff"])).all()

    def test_labels_of_the_bluest_stars(self):
        """Table 2 trains log g and [Fe/H] from BP-RP of 0.062 on, hotter than 7500 K, the end for Teff alone."""
        from stellarlabels.archive import queries

        text = queries.get("csnet_labels").bind().adql
        low, high = re.search(r"Teff BETWEEN ([0-9.]+) AND ([0-9.]+)", text).groups()
        assert float(low) < 3000 and float(high) > 10000
        assert CSNet("paper").recipe.per_label.label_ranges["teff"] == (4000, 7500)

    def test_the_identifier_of_the_survey(self):
        """Tile and number of the archive make the identifier of the published catalog, which is enough."""
        table = Table({"tile_id": [1500, 1500], "number": [5, 60], "ra": [150.0, 151.0], "dec": [30.0, 31.0]})
        base = [18, 17.6, 17.3, 17, 16.8, 16.2, 16, 15.7, 15.6, 15.5, 15.4, 15.35]
        for name, magnitude in zip(jplus.FILTERS, base, strict=True):
            table[f"mag_aper_6_0_{name.lower()}"] = np.full(2, magnitude)
            table[f"mag_err_aper_6_0_{name.lower()}"], table[f"flags_{name.lower()}"] = np.full(2, 0.01), [0, 0]
        stars = jplus.gather(table)
        for name, value in (("phot_g_mean_mag", 15.8), ("phot_bp_mean_mag", 16.2), ("phot_rp_mean_mag", 15.2)):
            stars[name] = np.full(2, value) * u.mag
        stars["ebv"] = np.full(2, 0.02) * u.mag
        for name in ("ra", "dec"):
            stars[name] = plain(stars[name]) * u.deg
        system = CSNet.pretrained()
        assert system.predict(stars).colnames[0] == "jplus_id"
        assert list(system.catalog(stars)["specid"]) == ["1500-5", "1500-60"]
        stars.rename_column("jplus_id", "specid")
        assert list(system.catalog(stars)["specid"]) == ["1500-5", "1500-60"]


def huang_tables(folder):
    """Tables in the authors' layout that correct by nothing, and know only a narrow range of shapes."""

    def save(name, at, samples):
        np.savetxt(folder / name, np.repeat(np.asarray(at)[:, None], samples, axis=1), delimiter=",")

    shape, level = np.arange(-0.5, 0.5, 0.001), np.arange(10, 17.651, 0.001)
    for key, at in (("C2", shape), ("C3", shape), ("G", np.arange(2.703, 17.123, 0.001))):
        save(f"untruc_inter{key}_CM.csv", at, 1)
        save(f"untruc_interyy{key}_CM.csv", np.ones(at.size), 343)
    save("interGext_CM.csv", np.arange(10, 17.401, 0.001), 1)
    save("untruc_interyyGext_CM.csv", np.ones(7402), 343)
    save("inter_phot.csv", level, 1)
    save("inter_BP.csv", np.ones(level.size), 105)
    save("inter_RP.csv", np.ones(level.size), 238)


class TestUACSNet:
    @pytest.fixture(scope="class")
    @classmethod
    def stars(cls):
        return xp_apogee_sample()[:80]

    def test_scale_of_reddening(self, stars):
        """E(B-V) on the scale of true color excesses is 0.86 times that of the map: the inputs are the same."""
        other = stars.copy()
        other["ebv"] = 0.86 * stars["ebv"]
        other["ebv"].info.meta = {"ebv_scale": "true"}
        one, two = (UACSNet("paper").feature_set.compute(table) for table in (stars, other))
        np.testing.assert_allclose(two.arrays["flux"], one.arrays["flux"], rtol=2e-6)
        np.testing.assert_allclose(two.color, one.color, rtol=1e-9)
        from stellarlabels.systems.derived import dereddened_photometry

        distant = [table.copy() for table in (stars, other)]
        for table in distant:
            table["r_med_geo"] = np.full(len(table), 1000.0) * u.pc
        one, two = (dereddened_photometry(table) for table in distant)
        np.testing.assert_allclose(two, one, rtol=1e-9)

    def test_spectra_that_could_not_be_corrected(self, stars, tmp_path, monkeypatch):
        """Flagged in predictions, not trained; and nobody's folder is in the model file."""
        from stellarlabels.corrections import systematics
        from stellarlabels.corrections.systematics import correct_xp

        folder = tmp_path / "home" / "tables"
        folder.mkdir(parents=True)
        huang_tables(folder)
        found = correct_xp(stars, folder=folder)["systematics_flag"]
        without = flags.get("systematics").has(found, "NOT_CORRECTED")
        assert 5 < without.sum() < 75
        system = UACSNet("paper", epochs=1, feature_options={"systematics": str(folder)})
        inputs = system.feature_set.compute(stars)
        doubtful = flags.LABEL.has(inputs.flag, "CAUTION")
        assert doubtful[without & inputs.usable].all() and (inputs.usable & ~doubtful).any()
        dusty = plain(stars["ebv"]) >= 0.8  # the paper corrects below 0.8 only
        assert doubtful[dusty & inputs.usable].all()
        system.fit(stars, progress=False)
        assert system.provenance_["stars"] <= (inputs.usable & ~doubtful).sum()
        labels = system.predict(stars)
        assert flags.LABEL.has(labels["feh_flag"], "CAUTION")[without & inputs.usable].all()

        system.save(tmp_path / "m.stellarlabels")
        folder.rename(tmp_path / "elsewhere")
        systematics._tables.cache_clear()
        loaded = UACSNet.load(tmp_path / "m.stellarlabels")
        assert loaded.recipe.feature_options["systematics"] == "tables"
        assert b"home" not in (tmp_path / "m.stellarlabels").read_bytes()
        monkeypatch.setenv("STELLARLABELS_XP_CORRECTION", str(tmp_path / "elsewhere"))
        np.testing.assert_allclose(plain(loaded.predict(stars)["feh"]), plain(labels["feh"]), rtol=1e-6)

    def test_weights_of_stars_without_colors(self, stars):
        bare = stars[[name for name in stars.colnames if name not in ("phot_bp_mean_mag", "phot_rp_mean_mag")]]
        with pytest.warns(StellarLabelsWarning, match="have no 'color' and count as the commonest ones.* BP and RP"):
            UACSNet("paper", epochs=1).fit(bare, progress=False)


class TestUncertainNet:
    @pytest.fixture(scope="class")
    @classmethod
    def stars(cls):
        """Real spectra with all inputs of the paper; WISE is made from 2MASS, abundances are random."""
        stars = xp_apogee_sample()
        known = [np.isfinite(plain(stars[name])) for name in ("feh", "alpha_m", "j_m", "h_m", "ks_m")]
        stars, random = stars[np.all(known, axis=0)][:150], np.random.default_rng(0)
        for name in ("c_fe", "n_fe"):
            stars[name] = random.normal(0, 0.1, len(stars)) * u.dex
        for name, offset in (("w1mpro", 0.05), ("w2mpro", 0.03)):
            stars[name] = (plain(stars["ks_m"]) - offset + random.normal(0, 0.02, len(stars))) * u.mag
        stars["parallax"] = random.uniform(0.5, 2, len(stars)) * u.mas
        stars["parallax_error"] = np.full(len(stars), 0.03) * u.mas
        return stars

    @pytest.fixture(scope="class")
    @classmethod
    def system(cls, stars):
        return UncertainNet("paper", epochs=8, batch_size=50, learning_rate=2e-3).fit(stars, progress=False)

    def test_missing_inputs_count_as_their_means(self, stars, system):
        """115 inputs have no place for what is missing; the labels are those of a mean, and are told from others."""
        left_out = ("w1mpro", "w2mpro", "parallax", "parallax_error")
        bare = stars[[name for name in stars.colnames if name not in left_out]]
        got, features = system.predict(bare), system.features(stars)
        missing = np.isnan(system.features(bare).arrays["others"])
        core = system.ensemble.members[0].network.get_layer("uncertain")
        others = np.where(missing, np.asarray(core.center), features.arrays["others"]).astype(np.float32)
        features.arrays["others"] = others
        want = system.from_features(features)[0]
        for index, name in enumerate(system.labels):
            np.testing.assert_allclose(plain(got[name]), want[:, index], rtol=1e-4, atol=1e-4)
            assert flags.LABEL.has(got[f"{name}_flag"], "CAUTION").all()
        assert not flags.LABEL.has(system.predict(stars)["feh_flag"], "CAUTION").any()

    def test_a_constant_input_gets_no_attention(self, stars, system):
        """RP 0 is 1 for all stars after the division by it."""
        from stellarlabels.analysis import attention

        found = attention(system, stars)
        (row,) = np.flatnonzero(np.asarray(found["feature"]) == "RP 0")
        for name in system.labels:
            values = found[name].value
            assert values[row] == 0 and np.delete(values, row).max() > 0

    def test_the_catalog_has_colors(self, stars, system):
        catalog = system.catalog(stars)
        want = plain(stars["phot_bp_mean_mag"]) - plain(stars["phot_rp_mean_mag"])
        np.testing.assert_allclose(columns.values(catalog, "bp_rp"), want, rtol=1e-6)

    def test_extinction_of_the_red_clump(self):
        """A_G < 0.5 after Appendix A: A_K = 0.918 (H - W2 - 0.05), A_G / A_K = 0.789 / 0.078; GSP-Phot is not asked."""
        edge = 0.05 + 0.5 / (0.918 * 0.789 / 0.078)
        table = QTable({"h_m": np.array([10, 10]) * u.mag, "ag": np.array([9.0, 9.0]) * u.mag})
        table["w2mpro"] = (10 - edge + np.array([0.001, -0.001])) * u.mag
        assert quality.passes(table, quality.get("uncertain").only("low_extinction")).tolist() == [True, False]

    def test_table_3_has_medians(self):
        """The abstract's median errors are the numbers of Table 3."""
        from stellarlabels.validation import papers

        catalog = QTable({"source_id": np.arange(3), "feh_err": [0.05, 0.068, 0.9] * u.dex})
        catalog["teff_err"], catalog["logg_err"] = [60.0, 69.1, 900] * u.K, [0.1, 0.142, 2.0] * u.dex
        (row,) = papers.uncertain_table3({"ours": catalog})
        assert (row["feh_err"].value, row["teff_err"].value, row["logg_err"].value) == (0.068, 69.1, 0.142)


class TestLabelsThatNoWeightsGive:
    """The papers' abundances have no weights here: it is said wherever somebody may look for them."""

    @pytest.mark.parametrize(
        ("system", "weights", "absent"),
        [
            (SPCANet, "synthetic-cannon", "c_h n_h o_h mg_h al_h si_h s_h ca_h ti_h cr_h ni_h cu_h"),
            (UncertainNet, "apogee", "c_fe n_fe"),
            (SolarDis, "compact", ""),
            (UACSNet, "paper", ""),
        ],
    )
    def test_available_says_what_is_left_to_train(self, system, weights, absent):
        assert system.lacking(weights) == tuple(absent.split())
        words = f"; not {absent.replace(' ', ', ')}: train the recipe 'paper' on your own labels" if absent else ""
        assert system.available()[weights] == system.shipped[weights] + words
        assert {*system.recipes["paper"].labels} <= {*system.pretrained(weights).labels, *absent.split()}

    def test_all_weights_of_csnet(self):
        for weights in CSNet.available():
            given = CSNet.pretrained(weights).labels
            wanted = [name for name in CSNet("paper").labels if name not in given]
            assert "n_fe" in wanted and list(CSNet.lacking(weights)) == wanted

    def test_asking_for_one_says_who_gives_it(self):
        labels = SPCANet.pretrained().predict(mrs_synthetic_sample()[:2])
        said = "mg_h.*: the networks of 'spcanet' behind this table give teff, logg, feh; 'stellarlabels systems' lists"
        for item in ("mg_h", "mg_h_err", "mg_h_good", ("teff", "mg_h"), ["mg_h"]):
            with pytest.raises(MissingColumnError, match=said):
                labels[item]
        with pytest.raises(KeyError):
            labels[:1]["mg_h_flag"]
        with pytest.raises(MissingColumnError, match=r"distance: .* have system\.distances"):
            labels["distance"]
        with pytest.raises(KeyError, match="^'nonsense'$"):
            labels["nonsense"]
        assert "mg_h" not in labels.columns and labels["teff", "feh_err"].colnames == ["teff", "feh_err"]

    def test_catalogs_say_why_a_column_is_empty(self):
        catalog = SPCANet.pretrained().catalog(mrs_synthetic_sample()[:2])
        assert catalog.meta["unfilled"]["Mg_H"] == "these weights give no mg_h, see SPCANet.available()"
        assert np.ma.getmaskarray(catalog["Mg_H"]).all()

    def test_a_recipe_is_not_mistaken_for_weights(self):
        with pytest.raises(InputError, match=r"got 'paper'; SPCANet\('paper'\) is a recipe, to be trained with fit"):
            SPCANet.pretrained("paper")

    def test_distances_without_a_magnitude(self):
        system = SolarDis("compact", labels=("teff",))
        with pytest.raises(InputError, match=r"no m_g, and so no distances; take SolarDis\.pretr"):
            system.distances(QTable({"obsid": [1]}))
