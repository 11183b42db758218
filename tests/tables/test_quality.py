"""Quality cuts: values at the papers' bounds worked out by hand, missing inputs, composition, the waterfall."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, strategies as st

from stellarlabels import flags
from stellarlabels.columns import column
from stellarlabels.exceptions import InputError
from stellarlabels.tables import quality

NAN = np.nan
UNDEFINED = None


def table(**columns):
    """A table with the units of the vocabulary."""
    out = QTable()
    for name, data in columns.items():
        out[name] = column(name).dress(data)
    return out


def answers(cut, **columns):
    """True, False or None for each star."""
    passed, defined = cut(table(**columns))
    return [bool(p) if d else None for p, d in zip(passed, defined, strict=True)]


# ---- The papers' cuts


def test_flux_excess_of_each_paper():
    below = np.nextafter(1.15, 0)
    uacsnet = quality.get("uacsnet")["flux_excess"]
    assert uacsnet.release == "Gaia DR3"
    # 1.15 + 0.19 x^2 in the dereddened color: 1.15 at 0, 1.34 at 1, 1.91 at 2.
    assert answers(
        uacsnet,
        phot_bp_rp_excess_factor=[1.15, below, 1.3399, 1.3401, 1.9099, 1.9101, NAN, 1.1],
        bp_rp_0=[0, 0, 1, 1, 2, 2, 1, NAN],
    ) == [False, True, True, False, True, False, UNDEFINED, UNDEFINED]
    csnet = quality.get("csnet")["flux_excess"]
    assert csnet.release == "Gaia DR2"
    # 1.25 + 0.06 x^2 in the observed color, bound included: 1.25 at 0, 1.31 at 1, 1.49 at 2.
    assert answers(
        csnet, phot_bp_rp_excess_factor=[1.25, 1.2501, 1.3099, 1.3101, 1.4899, 1.4901], bp_rp=[0, 0, 1, 1, 2, 2]
    ) == [True, False, True, False, True, False]
    uncertain = quality.get("uncertain")["flux_excess"]
    assert answers(uncertain, phot_bp_rp_excess_factor=[2.999, 3.0]) == [True, False]


def test_observed_color_is_worked_out_from_magnitudes():
    cut = quality.get("csnet")["flux_excess"]
    assert answers(
        cut, phot_bp_rp_excess_factor=[1.3, 1.3], phot_bp_mean_mag=[12.0, 11.5], phot_rp_mean_mag=[11.0, 11.0]
    ) == [True, False]


def test_giants_of_uacsnet():
    cuts = quality.get("uacsnet")
    # -x^2 + 6.5 x - 1.8: 3.7 at 1, 5.7 at 1.5.
    assert answers(cuts["giant"], m_g=[3.69, 3.71, 5.69, 5.71, NAN], bp_rp_0=[1, 1, 1.5, 1.5, 1]) == [
        *(True, False, True, False, UNDEFINED)
    ]
    assert answers(cuts["color"], bp_rp_0=[0.7, 0.701, 1.899, 1.9, NAN]) == [False, True, True, False, UNDEFINED]


def test_place_and_reddening_of_uacsnet():
    cuts = quality.get("uacsnet")
    assert answers(cuts["latitude"], b=[20.0, -20.1, 45.0, NAN]) == [False, True, True, UNDEFINED]
    # sin 30 deg = 1/2: 0.2 kpc is reached at 400 pc.
    assert answers(cuts["height"], r_med_geo=[401.0, 399.0, 401.0, NAN], b=[30.0, 30.0, -30.0, 30.0]) == [
        *(True, False, True, UNDEFINED)
    ]
    assert answers(cuts["height"], distance=[401.0], b=[-30.0]) == [True]
    assert answers(cuts["height"], galactic_height=[-0.21, 0.2]) == [True, False]
    assert answers(cuts["reddening"], ebv=[0.2, 0.19]) == [False, True]
    assert answers(cuts["moderate_reddening"], ebv=[0.5, 0.49]) == [False, True]
    assert answers(cuts["faint_enough"], phot_g_mean_mag=[6.5, 6.5], ag=[0.5, 0.4]) == [False, True]
    assert [cut.name for cut in cuts.select("catalog")] == ["flux_excess", "color", "giant", "height"]
    assert [cut.name for cut in cuts.select("reliable")][-1] == "moderate_reddening"


def test_latitude_is_worked_out_from_the_position():
    # The Galactic pole, the Galactic center (Sgr A* is at b = -0.046), Barnard's star at b = +14.
    place = {"ra": [192.8595, 266.4168, 269.452, NAN, 10.0], "dec": [27.1283, -29.0078, 4.693, 0.0, 95.0]}
    assert answers(quality.get("uacsnet")["latitude"], **place) == [True, False, False, UNDEFINED, UNDEFINED]
    value = quality.conditions.quantity(table(**place), "b")
    expected = SkyCoord(place["ra"][:3], place["dec"][:3], unit="deg").galactic.b.deg
    np.testing.assert_allclose(value[:3], expected)


def test_errors_and_flags_of_csnet():
    good = np.array([9.0, 0.029, 0.029, 0.019, 0.019, 0.009, 0.019, 0.009, 9.0, 0.009, 9.0, 0.009])
    errors = np.tile(good, (6, 1))
    errors[1, 5] = 0.01  # g
    errors[2, 3] = 0.02  # J0410, of which the paper gives two limits
    errors[3, 1] = 0.03  # J0378
    errors[4, 7] = NAN  # r
    errors[5, 7], errors[5, 9] = NAN, 0.5
    cuts = quality.get("csnet")
    assert answers(cuts["photometric_errors"], mag_err_aper_6_0=errors) == [True, False, False, False, UNDEFINED, False]
    assert answers(cuts["small_errors"], mag_err_aper_6_0=np.full((2, 12), [[0.099], [0.1]])) == [True, False]
    bits = np.zeros((2, 12), int)
    bits[1, 11] = 4
    assert answers(cuts["sextractor_flags"], flags=bits) == [True, False]
    assert answers(cuts["sextractor_flags"], flags=[0, 2]) == [True, False]
    assert answers(cuts["point_source"], class_star=[0.6, 0.59]) == [True, False]
    with pytest.raises(InputError, match="12 elements"):
        cuts["photometric_errors"](table(mag_err_aper_6_0=[0.01]))


def test_giants_and_dwarfs_of_csnet():
    cuts = quality.get("csnet")
    color, m_g = [0.95, 0.96, 0.96, 0.9, 1.2, NAN, NAN], [3.0, 3.89, 3.9, NAN, NAN, 5.0, 1.0]
    giant = [False, True, False, False, UNDEFINED, False, UNDEFINED]
    assert answers(cuts["giant"], bp_rp_0=color, m_g=m_g) == giant
    assert answers(cuts["dwarf"], bp_rp_0=color, m_g=m_g) == [UNDEFINED if g is None else not g for g in giant]
    star = {"bp_rp_0": [1.2, 1.2, 1.2, 1.2], "m_g": [5.0, 5.0, 1.0, 1.0], "teff": [4799, 4800, 4499, 4500]}
    assert answers(cuts["trusted_teff"], **star) == [False, True, True, True]
    assert answers(cuts["trusted_logg"], **star) == [True, True, False, True]


def test_table_2_of_csnet():
    cuts = quality.get("csnet")
    assert answers(cuts["teff_sample"], teff=[4000, 4001, 7499, 5000], snrg=[21, 21, 21, 20]) == [
        *(False, True, True, False)
    ]
    assert answers(cuts["mg_fe_color"], bp_rp_0=[0.363, 0.364, 1.586, 1.587]) == [False, True, True, False]
    assert answers(cuts["n_fe_sample"], n_fe=[-0.5, 0.0], snrg=[60, 51]) == [False, True]


def test_cuts_of_the_uncertain_network():
    cuts = quality.get("uncertain")
    assert answers(cuts["ruwe"], ruwe=[1.4, 1.41]) == [True, False]
    bits = [1 << bit for bit in range(26)]
    passed = answers(cuts["starflag"], starflag=bits)
    assert [bit for bit in range(26) if not passed[bit]] == [3, 4, 9, 12, 13, 16]
    assert answers(cuts["aspcapflag"], aspcapflag=[0x800000, 0x7FFFFF, 1 << 41, 1 << 41 | 1 << 23]) == [
        *(False, True, True, False)
    ]
    assert answers(cuts["extratarg"], extratarg=[16, 15, 31]) == [False, True, False]
    masked = Table({"STARFLAG": MaskedColumn([0, 8], mask=[True, False])})
    passed, defined = cuts["starflag"](masked)
    assert passed.tolist() == [False, False] and defined.tolist() == [False, True]


def test_large_bits_are_not_zero():
    big = [0, 1 << 62, (1 << 62) + 1]
    assert answers(quality.get("solardis")["no_starflag"], starflag=big) == [True, False, False]
    assert answers(quality.get("uncertain")["starflag"], starflag=[(1 << 62) + 8, 1 << 62]) == [False, True]


def test_solar_like_stars():
    cuts = quality.get("solardis", "solar_like")
    # 5.98 - 0.00035 Teff: 4.3 at 4800 K, 4.23 at 5000 K, 3.6 at 6800 K.
    stars = table(
        teff=[5772, 4800, 4799, 6800, 6801, 5000, 5000, 5772, 5772],
        logg=[4.44, 4.31, 4.6, 3.61, 4.0, 4.22, 4.24, 4.44, 4.44],
        feh=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -0.99],
    )
    assert quality.passes(stars, cuts).tolist() == [True, True, False, True, False, False, True, False, True]


def test_unpublished_limit_can_be_left_open_or_replaced():
    cuts = quality.get("solardis", "solar_like")
    for limit, expected in ((NAN, [0, 0]), ([5.0], [0, 1])):
        mine = quality.Cut("main_sequence", "log g", "here", quality.conditions.compare("logg", ">=", limit))
        out = quality.apply(table(teff=[5000.0] * 2, logg=[5.1, 4.9], feh=[0.0, 0.0]), cuts.replace(mine))
        bit = cuts.flag_set["MAIN_SEQUENCE"]
        assert (out["quality_flag"] // bit).tolist() == expected
        assert (out["quality_undefined"] == (bit if np.isnan(limit).any() else 0)).all()


def test_stars_without_good_distance():
    cut = quality.get("solardis")["no_good_distance"]
    assert answers(
        cut,
        parallax=[1.0, 1.0, NAN, 1.0, 1.0],
        parallax_error=[0.1, 0.1, NAN, 0.2, 0.0],
        distance_gspphot=[1000.0, NAN, 1000.0, 1000.0, 1000.0],
    ) == [False, True, True, True, UNDEFINED]


def test_spcanet():
    cuts = quality.get("spcanet")
    assert answers(cuts["snr"], snr_b=[10.1, 10.1, 10.1, 9], snr_r=[10.1, 10.0, NAN, NAN]) == [
        *(True, False, UNDEFINED, False)
    ]
    words = MaskedColumn(["good", "GOOD ", "bad", "good"], mask=[False, False, False, True])
    assert answers(cuts["payne_good"], payne_quality_flag=words) == [True, True, False, UNDEFINED]
    difference = {"teff_difference": [120, -121], "logg_difference": [-0.16, 0], "feh_difference": [0.06, 0]}
    assert answers(cuts["models_agree"], **difference) == [True, False]
    assert answers(cuts["teff_range"], teff=[3499, 3500, 8000, 8001]) == [False, True, True, False]
    assert answers(cuts["cool_enough"], teff=[6500, 6501]) == [True, False]


@pytest.mark.parametrize("name", quality.names())
def test_every_set_is_documented_and_survives_a_table_without_its_columns(name):
    cuts = quality.get(name)
    assert flags.get(f"quality_{name}") is cuts.flag_set
    assert cuts.reference and cuts.notes
    for selection in cuts.selections:
        assert len(cuts.select(selection)) > 0
        out = quality.apply(QTable({"x": [1, 2]}), cuts.select(selection))
        judged = [cut for cut in cuts.select(selection) if cut.name != "no_good_distance"]
        expected = sum(cuts.flag_set[cut.name.upper()] for cut in judged)
        assert (out["quality_undefined"] == expected).all() and (out["quality_flag"] == 0).all()
    for cut in cuts.cuts.values():
        assert cut.description and cut.source
        passed, defined = cut(QTable({"x": []}))
        assert passed.shape == defined.shape == (0,)


# ---- Tables in and out


def stars():
    return table(
        source_id=[2**60 + 1, 2, 3, 4, 5],
        ruwe=[1.0, 1.5, 1.0, NAN, 1.0],
        phot_bp_rp_excess_factor=[1.2, 1.2, 3.5, 1.2, NAN],
    )


def test_flags_keep_every_row_and_leave_the_input_alone():
    given_table = stars()
    before = given_table.copy()
    cuts = quality.get("uncertain", "inputs")
    out = quality.apply(given_table, cuts)
    assert [cut.name for cut in cuts] == ["flux_excess", "ruwe"]
    assert out["quality_flag"].tolist() == [0, 2, 1, 0, 0]
    assert out["quality_undefined"].tolist() == [0, 0, 0, 2, 1]
    assert out["quality_flag"].dtype == np.int32
    assert out["source_id"].tolist() == before["source_id"].tolist()
    assert flags.decode(3, "quality_uncertain") == ["FLUX_EXCESS", "RUWE"]
    assert out.meta["quality_flag"]["bits"] == {"flux_excess": 1, "ruwe": 2}
    assert given_table.colnames == before.colnames and "quality_flag" not in given_table.meta
    for name in before.colnames:
        np.testing.assert_array_equal(np.asarray(given_table[name]), np.asarray(before[name]))


def test_two_sets_stand_side_by_side():
    out = quality.apply(stars(), quality.get("uncertain", "inputs"))
    with pytest.raises(InputError, match="prefix"):
        quality.apply(out, "csnet")
    out = quality.apply(out, "csnet", prefix="csnet")
    assert out.colnames[-4:] == ["quality_flag", "quality_undefined", "csnet_flag", "csnet_undefined"]


def test_bits_stay_when_fewer_cuts_are_chosen():
    out = quality.apply(stars(), quality.get("uncertain").only("ruwe"))
    assert out["quality_flag"].tolist() == [0, 2, 0, 0, 0]
    with pytest.raises(InputError, match="'runway'"):
        quality.get("uncertain").only("runway")


def test_supplied_columns_win_and_do_not_appear():
    cut = quality.get("uacsnet")["color"]
    plain = table(bp_rp_0=[1.0, 1.0])
    assert quality.passes(plain, cut).tolist() == [True, True]
    out = quality.apply(plain, cut, supply={"bp_rp_0": [1.0, 2.5]})
    assert out["quality_flag"].tolist() == [0, 1] and out["bp_rp_0"].value.tolist() == [1.0, 1.0]
    supply = {"r_med_geo": [0.3, 0.5] * u.kpc, "b": 0.5235987755982988 * u.rad}
    assert quality.passes(plain, quality.get("uacsnet")["height"], supply=supply).tolist() == [False, True]
    with pytest.raises(InputError, match="3 rows"):
        quality.passes(plain, cut, supply={"bp_rp_0": [1.0, 2.0, 3.0]})


def test_waterfall_by_hand():
    out = quality.waterfall(stars(), quality.get("uncertain", "inputs"))
    assert out["cut"].tolist() == ["", "flux_excess", "ruwe"]
    assert out["left"].tolist() == [5, 3, 1]
    assert out["removed"].tolist() == [0, 2, 2]
    assert out["undefined"].tolist() == [0, 1, 1]
    assert out["alone"].tolist() == [5, 3, 3]
    assert out["left"][-1] == quality.passes(stars(), quality.get("uncertain", "inputs")).sum()


def test_unit_is_converted():
    assert answers(quality.get("uacsnet")["latitude"], b=[0.34, 0.36] * u.rad) == [False, True]


# ---- One's own cuts

kleene = st.sampled_from([True, False, None])


def fixed(name, *values):
    """A cut with given answers."""
    passed, defined = np.array([v is True for v in values]), np.array([v is not None for v in values])
    return quality.Cut(name, name, "test", lambda _: (passed, defined))


@given(kleene, kleene)
def test_composition_is_three_valued_logic(a, b):
    def conjunction(x, y):
        if x is False or y is False:
            return False
        return None if x is None or y is None else True

    def opposite(x):
        return None if x is None else not x

    one, other, star = fixed("a", a), fixed("b", b), QTable({"x": [1]})

    def answer(cut):
        passed, defined = cut(star)
        return bool(passed[0]) if defined[0] else None

    assert answer(one & other) == conjunction(a, b)
    assert answer(one | other) == opposite(conjunction(opposite(a), opposite(b)))
    assert answer(~one) == opposite(a)
    assert (one & ~other).name == "a_and_not_b"


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(None)), max_size=8))
def test_each_star_is_passed_failed_or_undefined(values):
    data = np.ma.masked_array([0.0 if v is None else v for v in values], mask=[v is None for v in values])
    out = quality.apply(Table({"ruwe": MaskedColumn(data)}), quality.get("uncertain").only("ruwe"))
    assert len(out) == len(values)
    for value, failed, undefined in zip(values, out["quality_flag"], out["quality_undefined"], strict=True):
        missing = value is None or not 1e-6 <= value <= 1e4 or value in (99, 999)
        assert bool(undefined) == missing and bool(failed) == (not missing and value > 1.4)


def test_own_set_of_cuts():
    bright = quality.Cut("bright", "G < 12", "here", quality.conditions.compare("phot_g_mean_mag", "<", 12))
    red = quality.Cut("red", "BP-RP > 1", "here", quality.conditions.compare("bp_rp", ">", 1))
    stars_ = table(phot_g_mean_mag=[11.0, 13.0, 11.0], bp_rp=[1.5, 0.5, NAN])
    out = quality.apply(stars_, [bright, red])
    assert out["quality_flag"].tolist() == [0, 3, 0] and out["quality_undefined"].tolist() == [0, 0, 2]
    assert quality.waterfall(stars_, bright & red)["left"].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quality.get("gaia"), "'gaia'"),
        (lambda: quality.get("csnet", "test"), "selection"),
        (lambda: quality.get("csnet")["nothing"], "'nothing'"),
        (lambda: quality.apply(stars(), [1]), "cuts"),
        (lambda: quality.apply([1], "csnet"), "table"),
        (lambda: quality.apply(stars(), [fixed(f"c{n}", True) for n in range(32)]), "31"),
        (lambda: quality.apply(stars(), fixed("short", True)), "'short'"),
        (lambda: fixed("a", True) & 1, "Cut"),
        (lambda: quality.register(quality.get("csnet")), "registered already"),
        (lambda: quality.conditions.compare("ruwe", "!=", 1), "comparison"),
        (lambda: quality.conditions.compare("ruwe", "<", [1, 2]), "limit"),
        (lambda: quality.conditions.compare("mag_err_aper_6_0[V]", "<", 1), "filter"),
        (lambda: quality.conditions.without_bits("starflag", ["WORSE"]), "'WORSE'"),
        (lambda: quality.get("uncertain")["starflag"](Table({"starflag": [1.0]})), "'starflag'"),
        (lambda: quality.get("spcanet")["payne_good"](Table({"payne_quality_flag": [1]})), "text"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
