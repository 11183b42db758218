<resource schema="gaiadr2" resdir="gaiadr2">
  <meta name="title">Gaia DR2 as the Gaia archive has it</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="gaia_source" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="source_id" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="parallax" type="double precision" unit="mas" ucd="pos.parallax.trig"/>
    <column name="parallax_error" type="real" unit="mas" ucd="stat.error;pos.parallax.trig"/>
    <column name="phot_g_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt"/>
    <column name="phot_bp_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt.B"/>
    <column name="phot_rp_mean_mag" type="real" unit="mag" ucd="phot.mag;em.opt.R"/>
    <column name="phot_bp_rp_excess_factor" type="real" ucd="phot.flux.density;arith.ratio"/>
  </table>

  <data id="import">
    <make table="gaia_source"/>
  </data>
</resource>
