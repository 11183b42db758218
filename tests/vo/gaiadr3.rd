<resource schema="gaiadr3" resdir="gaiadr3">
  <meta name="title">Gaia DR3 as the Gaia archive has it</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="gaia_source" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="source_id" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="l" type="double precision" unit="deg" ucd="pos.galactic.lon"/>
    <column name="b" type="double precision" unit="deg" ucd="pos.galactic.lat"/>
    <column name="ecl_lat" type="double precision" unit="deg" ucd="pos.ecliptic.lat"/>
    <column name="parallax" type="double precision" unit="mas" ucd="pos.parallax.trig"/>
    <column name="parallax_error" type="real" unit="mas" ucd="stat.error;pos.parallax.trig"/>
    <column name="parallax_over_error" type="real" ucd="stat.snr;pos.parallax.trig"/>
    <column name="astrometric_params_solved" type="integer" ucd="meta.number"><values nullLiteral="-9999"/></column>
    <column name="nu_eff_used_in_astrometry" type="real" unit="um**-1" ucd="em.wavenumber"/>
    <column name="pseudocolour" type="real" unit="um**-1" ucd="em.wavenumber"/>
    <column name="ruwe" type="real" ucd="stat.error"/>
    <column name="phot_g_mean_flux" type="double precision" ucd="phot.flux;em.opt"/>
    <column name="phot_g_mean_flux_error" type="real" ucd="stat.error;phot.flux;em.opt"/>
    <column name="phot_g_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt"/>
    <column name="phot_bp_mean_flux" type="double precision" ucd="phot.flux;em.opt.B"/>
    <column name="phot_bp_mean_flux_error" type="real" ucd="stat.error;phot.flux;em.opt.B"/>
    <column name="phot_bp_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt.B"/>
    <column name="phot_rp_mean_flux" type="double precision" ucd="phot.flux;em.opt.R"/>
    <column name="phot_rp_mean_flux_error" type="real" ucd="stat.error;phot.flux;em.opt.R"/>
    <column name="phot_rp_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt.R"/>
    <column name="phot_bp_rp_excess_factor" type="real" ucd="phot.flux.density;arith.ratio;em.opt"/>
    <column name="bp_rp" type="real" unit="mag" ucd="phot.color;em.opt.B;em.opt.R"/>
    <column name="has_xp_continuous" type="boolean" ucd="meta.code"/>
    <column name="has_xp_sampled" type="boolean" ucd="meta.code"/>
    <column name="teff_gspphot" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="logg_gspphot" type="real" ucd="phys.gravity"/>
    <column name="mh_gspphot" type="real" ucd="phys.abund.Z"/>
    <column name="distance_gspphot" type="real" unit="pc" ucd="pos.distance"/>
    <column name="azero_gspphot" type="real" unit="mag" ucd="phys.absorption;em.opt"/>
    <column name="ag_gspphot" type="real" unit="mag" ucd="phys.absorption;em.opt"/>
    <column name="ebpminrp_gspphot" type="real" unit="mag" ucd="phot.color.excess"/>
  </table>

  <table id="tmass_psc_xsc_best_neighbour" onDisk="True" adql="True">
    <column name="source_id" type="bigint" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="original_ext_source_id" type="text" ucd="meta.id.cross"/>
    <column name="angular_distance" type="real" unit="arcsec" ucd="pos.angDistance"/>
    <column name="xm_flag" type="integer" ucd="meta.code"><values nullLiteral="-9999"/></column>
    <column name="clean_tmass_psc_xsc_oid" type="bigint" ucd="meta.id.cross"><values nullLiteral="-9999"/></column>
    <column name="number_of_neighbours" type="integer" ucd="meta.number"><values nullLiteral="-9999"/></column>
    <column name="number_of_mates" type="integer" ucd="meta.number"><values nullLiteral="-9999"/></column>
  </table>

  <table id="tmass_psc_xsc_join" onDisk="True" adql="True">
    <column name="original_psc_source_id" type="text" ucd="meta.id"/>
    <column name="original_xsc_source_id" type="text" ucd="meta.id"/>
    <column name="clean_tmass_psc_xsc_oid" type="bigint" ucd="meta.id"><values nullLiteral="-9999"/></column>
  </table>

  <table id="allwise_best_neighbour" onDisk="True" adql="True">
    <column name="source_id" type="bigint" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="original_ext_source_id" type="text" ucd="meta.id.cross"/>
    <column name="angular_distance" type="real" unit="arcsec" ucd="pos.angDistance"/>
    <column name="xm_flag" type="integer" ucd="meta.code"><values nullLiteral="-9999"/></column>
    <column name="allwise_oid" type="bigint" ucd="meta.id.cross"><values nullLiteral="-9999"/></column>
    <column name="number_of_neighbours" type="integer" ucd="meta.number"><values nullLiteral="-9999"/></column>
    <column name="number_of_mates" type="integer" ucd="meta.number"><values nullLiteral="-9999"/></column>
  </table>

  <data id="import">
    <make table="gaia_source"/>
    <make table="tmass_psc_xsc_best_neighbour"/>
    <make table="tmass_psc_xsc_join"/>
    <make table="allwise_best_neighbour"/>
  </data>
</resource>
